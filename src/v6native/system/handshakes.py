# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What WireGuard counts for each peer, for `status` and metrics. Keys other than public ones are not read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from v6native.errors import EnvironmentRefused, SystemActionError
from v6native.system.processes import run


@dataclass(frozen=True, slots=True)
class PeerSeen:
    """The last handshake in seconds since the epoch; None: none yet. Bytes as the node sees them."""

    endpoint: str | None
    handshake: int | None
    received: int
    sent: int


def peers(interface: str) -> Mapping[str, PeerSeen] | None:
    """By public key; None where there is no such WireGuard interface, or no `wg`."""
    try:
        endpoints = _columns(run(["wg", "show", interface, "endpoints"]))
        handshakes = _columns(run(["wg", "show", interface, "latest-handshakes"]))
        transfer = _columns(run(["wg", "show", interface, "transfer"]))
    except (SystemActionError, EnvironmentRefused):
        return None
    return {
        key: PeerSeen(
            endpoint=endpoints[key][0] if endpoints.get(key, ["(none)"])[0] != "(none)" else None,
            handshake=int(seen) or None,
            received=int(transfer.get(key, ["0", "0"])[0]),
            sent=int(transfer.get(key, ["0", "0"])[1]),
        )
        for key, (seen, *_) in handshakes.items()
    }


def _columns(text: str) -> dict[str, list[str]]:
    lines = (line.split("\t") for line in text.splitlines())
    return {key: values for key, *values in lines}
