# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the worker is told, as frozen data, and its one file, unbound.json: strict, all mistakes at once."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from v6native.config.model import (
    PortRange,
)
from v6native.config.modeldns import (
    DnsRecord,
    DnsZone,
    Upstream,
)
from v6native.decode import read
from v6native.errors import UnboundError

FILE = "unbound.json"

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class UnboundSettings:
    """Everything of unbound.json. `pref64`: it synthesizes with this prefix itself; None: it only resolves. `forward`: whom it
    asks; empty: it asks the authoritative servers. `avoid_ports`: ports of IPv4 addresses that are lent to the NAT64, from
    which no question may leave. `authorities`: a file of certificates for encrypted `forward`s; empty: the system's."""

    listen: tuple[IPAddress, ...]
    port: int
    allow: tuple[IPNetwork, ...]
    trust_anchor: str
    pref64: IPv6Network | None = None
    forward: tuple[Upstream, ...] = ()
    zones: tuple[DnsZone, ...] = ()
    records: tuple[DnsRecord, ...] = ()
    avoid_ports: tuple[PortRange, ...] = ()
    authorities: str = ""
    client_per_second: int = 0
    serve_stale: bool = True

    def to_json(self) -> str:
        """The text of unbound.json."""
        return json.dumps(asdict(self), default=str, indent=2) + "\n"

    @staticmethod
    def from_json(text: str | bytes) -> UnboundSettings:
        """The settings in `text`; UnboundError with every mistake in it."""
        return read(UnboundSettings, text, UnboundError)
