# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What workers tell on their sockets: one JSON document to whoever connects."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from v6native.dataplane.door import Session

# A worker that is busy may be late with its statistics; `status` does not wait for it any longer.
TIMEOUT = 0.5
# More than any worker has to tell.
LIMIT = 1 << 20


def told(path: Path) -> Any:
    """The document; None where nobody answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(TIMEOUT)
        try:
            sock.connect(str(path))
            text = bytearray()
            while len(text) < LIMIT and (part := sock.recv(65536)):
                text += part
            return json.loads(text)
        except (OSError, ValueError):
            return None


def top_domains(path: Path, sessions: Iterable[Session]) -> dict[str, Any]:
    """The domains that the DNS64 counted, each with the live NAT64 `sessions` to its IPv4 addresses and their octets; an address
    that several domains share counts for each. `answers` False: the DNS64 does not tell."""
    document = told(path)
    if not isinstance(document, dict):
        return {"answers": False, "enabled": False, "seconds": 0, "skipped": 0, "domains": []}
    wanted = {IPv4Address(address) for domain in document["domains"] for address in domain["ipv4"]}
    number: dict[IPv4Address, int] = {}
    octets: dict[IPv4Address, int] = {}
    for session in sessions if wanted else ():
        if session.remote4 in wanted:
            number[session.remote4] = number.get(session.remote4, 0) + 1
            octets[session.remote4] = octets.get(session.remote4, 0) + session.bytes_4to6 + session.bytes_6to4
    for domain in document["domains"]:
        addresses = [IPv4Address(address) for address in domain["ipv4"]]
        domain["sessions"] = sum(number.get(address, 0) for address in addresses)
        domain["bytes"] = sum(octets.get(address, 0) for address in addresses)
    return {"answers": True, **document}
