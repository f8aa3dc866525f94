# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Routes into the translators and to the tunnels' clients, with the MTUs that make the kernel do path MTU discovery.

A header grows by 20 bytes from IPv4 to IPv6, and by 8 more where a fragment header comes with it (RFC 7915 §4.1), so an
IPv4 packet may be 20 smaller than the next IPv6 link, and one that may be fragmented 28 smaller than the smallest one.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

from v6native.desired.node import OWN_CLAT4, Here, tunnel_interface
from v6native.desired.state import (
    CLAT,
    CLAT_SMALL_TABLE,
    CLAT_TABLE,
    GATEWAY,
    MAIN_TABLE,
    NAT64,
    NAT64_SMALL_TABLE,
    NAT64_TABLE,
    OWN_TABLE,
    AnyNetwork,
    Route,
    RouteKind,
)

METRIC6 = 1024
"""The kernel's own default for IPv6 routes; an IPv6 route has no metric 0."""

OWN_DEFAULT_METRIC = 2048
"""Larger than what DHCP clients and network managers use: a native default route that appears wins at once."""

ANY4 = IPv4Network("0.0.0.0/0")
SHARED_SPACE = IPv4Network("100.64.0.0/10")

HEADER_GROWTH = 20
FRAGMENT_GROWTH = 28


def routes(here: Here) -> frozenset[Route]:
    wanted: set[Route] = set()
    if here.nat64:
        wanted |= _nat64(here)
    if here.clat:
        wanted |= _clat(here)
    for tunnel in here.tunnels:
        name = tunnel_interface(tunnel.name)
        wanted.add(Route(tunnel.prefix, name, metric=METRIC6))
        if tunnel.clat4 is not None:
            wanted.add(Route(tunnel.clat4, name))
    return frozenset(wanted)


def fragment_mtu(here: Here) -> int:
    """What the kernel cuts IPv4 to where no path MTU discovery is possible (RFC 7915 §4)."""
    return here.config.nat64.lowest_ipv6_mtu - FRAGMENT_GROWTH


def _via(destination: AnyNetwork, device: str, mtu: int, table: int = MAIN_TABLE, metric: int = 0) -> Route:
    return Route(destination, device, GATEWAY, table, metric, mtu)


def _nat64(here: Here) -> set[Route]:
    mtu4 = here.inside_mtu - HEADER_GROWTH
    wanted = {_via(p, NAT64, here.uplink_mtu + HEADER_GROWTH, metric=METRIC6) for p in here.config.network.pref64}
    wanted |= {_via(network, NAT64, mtu4) for network in here.dedicated}
    wanted.add(_via(ANY4, NAT64, mtu4, NAT64_TABLE))
    wanted.add(_via(ANY4, NAT64, fragment_mtu(here), NAT64_SMALL_TABLE))
    return wanted


def _clat(here: Here) -> set[Route]:
    mtu4 = here.uplink_mtu - HEADER_GROWTH
    wanted = {
        # An IPv4 client's own network is not the internet: it is answered, not translated.
        Route(SHARED_SPACE, None, table=CLAT_TABLE, kind=RouteKind.UNREACHABLE),
        _via(ANY4, CLAT, mtu4, CLAT_TABLE),
        _via(ANY4, CLAT, fragment_mtu(here), CLAT_SMALL_TABLE),
    }
    if here.clat96 is not None:
        tunnel_mtu = max([t.mtu for t in here.tunnels if t.clat4 is not None], default=here.uplink_mtu)
        wanted.add(_via(here.clat96, CLAT, tunnel_mtu + HEADER_GROWTH, metric=METRIC6))
    if here.own_clat:
        wanted.add(Route(ANY4, CLAT, GATEWAY, metric=OWN_DEFAULT_METRIC, mtu=mtu4, source=OWN_CLAT4))
    if here.own_clat_first:
        wanted.add(Route(ANY4, CLAT, GATEWAY, OWN_TABLE, mtu=mtu4, source=OWN_CLAT4))
    wanted |= {_via(eam.ipv4, CLAT, mtu4) for eam in here.config.clat.eam}
    if here.config.clat.eam:
        # What a mapped host sends to pref64 is stateless too; a rule sends only its sources here (desired/rules).
        wanted.add(_via(stateless_pref64(here), CLAT, here.uplink_mtu + HEADER_GROWTH, CLAT_TABLE, METRIC6))
    return wanted


def stateless_pref64(here: Here) -> IPv6Network:
    """The pref64 that the stateless translator uses for IPv4 addresses without a mapping."""
    return here.config.network.pref64[0]
