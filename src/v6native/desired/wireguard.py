# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Peers of the tunnels that end here. A disabled client is simply no peer; its sessions end with its source entries."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

from v6native.config.model import Client
from v6native.desired.node import Here, tunnel_interface
from v6native.desired.state import AnyNetwork, WgPeer, WireGuard


def wireguard(here: Here) -> tuple[WireGuard, ...]:
    return tuple(
        WireGuard(tunnel_interface(t.name), t.name, t.listen, frozenset(_peer(c) for c in here.clients(t)))
        for t in here.tunnels
    )


def _peer(client: Client) -> WgPeer:
    allowed: set[AnyNetwork] = {IPv6Network(client.address6)}
    if client.address4 is not None:
        allowed.add(IPv4Network(client.address4))
    return WgPeer(client.public_key, frozenset(allowed))
