# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Neighbour entries: the translators' gateways, and addresses that the uplink must answer ARP or NDP for."""

from __future__ import annotations

from v6native.desired.links import MAC
from v6native.desired.node import Here, first_address6
from v6native.desired.state import CLAT, CLAT_X, GATEWAY, NAT64, NAT64_X, Neighbour


def neighbours(here: Here) -> frozenset[Neighbour]:
    wanted: set[Neighbour] = set()
    if here.nat64:
        wanted.add(Neighbour(NAT64, GATEWAY, MAC[NAT64_X]))
    if here.clat:
        wanted.add(Neighbour(CLAT, GATEWAY, MAC[CLAT_X]))
    return frozenset(wanted | _arp(here) | _ndp(here))


def _arp(here: Here) -> set[Neighbour]:
    """Pool addresses on the uplink's own link: nobody routes them to us, so they are asked for by ARP."""
    if not here.nat64:
        return set()
    uplink = here.facts.interface(here.node.uplink)
    own = {a.ip for a in uplink.ipv4} if uplink else set()
    onlink = list(here.facts.onlink4(here.node.uplink))
    return {
        Neighbour(here.node.uplink, entry.address)
        for entry in here.pool
        if not entry.shared and entry.address not in own and any(entry.address in network for network in onlink)
    }


def _ndp(here: Here) -> set[Neighbour]:
    """Tunnel addresses out of the uplink's own /64, as on a VM with one on-link prefix and nothing routed (RFC 4389)."""
    onlink = list(here.facts.onlink6(here.node.uplink))
    wanted = set()
    for tunnel in here.tunnels:
        inside = [first_address6(tunnel).ip, *(client.address6 for client in here.clients(tunnel))]
        wanted |= {
            Neighbour(here.node.uplink, address) for address in inside if any(address in network for network in onlink)
        }
    return wanted
