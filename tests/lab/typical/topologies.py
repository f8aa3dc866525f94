# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Machines that people have, as small topologies around one router r1 that is the provider's.

VM:    vm with one on-link IPv6 /64 and one IPv4 address, nothing routed to it; laptop behind IPv4 only; internet.
HOUSE: phone on edge1's LAN (a plain cable or a bridge), edge1 with a prefix and a pool routed to it; internet.
COMPANY: shop, a server with IPv6 only, two IPv6 routers behind edge1; edge1 with a prefix and a pool routed to it; internet.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

from v6native.lab.topology import (
    ANY4,
    ANY6,
    EDGE4,
    EDGE6,
    EDGE_LAN6,
    LAPTOP_ACCESS4,
    NETWORK6,
    PHONE6,
    POOL,
    R1_ACCESS4,
    R1_EDGE4,
    R1_EDGE6,
    R2_SERVER4,
    R2_SERVER6,
    SERVER4,
    SERVER6,
    Cable,
    Port,
    Route,
    Topology,
)

GLOBAL_SERVER4 = IPv4Address("192.31.196.80")
"""The server's second address: special-purpose (AS112, RFC 7535), yet global, so that no file need open it."""

ONLINK4 = IPv4Address("192.0.2.77")
"""An IPv4 address of the uplink's link that no interface has."""

VM_TUNNEL6 = IPv6Network("2001:db8:2:0:a::/80")
"""Out of the on-link /64."""
VM_LAPTOP6 = IPv6Address("2001:db8:2:0:a::2")

SHOP6 = IPv6Address("2001:db8:64:12::80")
DESK6 = IPv6Address("2001:db8:64:12::81")
"""shop's second address."""
SHOP4 = IPv4Address("203.0.113.9")
"""What stands for SHOP6 in the IPv4 internet."""
HALL6, FLOOR6 = IPv6Address("2001:db8:64:10::2"), IPv6Address("2001:db8:64:11::2")
"""The routers between edge1 and shop, on the side of edge1."""

PHONE_PREFIX6 = IPv6Network("2001:db8:64:5::/64")
"""Routed to phone, which is a node in one of the cases."""


def _uplink(node: str) -> Cable:
    here = (IPv4Interface((EDGE4, 24)), IPv6Interface((EDGE6, 64)))
    return Cable(
        Port(node, "eth0", here),
        Port("r1", "edge", (IPv4Interface((R1_EDGE4, 24)), IPv6Interface((R1_EDGE6, 64)))),
    )


_SERVER = Cable(
    Port("r1", "server", (IPv4Interface((R2_SERVER4, 24)), IPv6Interface((R2_SERVER6, 64)))),
    Port(
        "internet",
        "eth0",
        (IPv4Interface((SERVER4, 24)), IPv6Interface((SERVER6, 64)), IPv4Interface((GLOBAL_SERVER4, 32))),
    ),
)
_FAR_ROUTES = (
    Route("r1", IPv4Network((GLOBAL_SERVER4, 32)), SERVER4),
    Route("internet", ANY4, R2_SERVER4),
    Route("internet", ANY6, R2_SERVER6),
)

VM = Topology(
    nodes=("laptop", "vm", "r1", "internet"),
    cables=(
        _uplink("vm"),
        Cable(
            Port("laptop", "eth0", (IPv4Interface((LAPTOP_ACCESS4, 24)),)),
            Port("r1", "access", (IPv4Interface((R1_ACCESS4, 24)),)),
        ),
        _SERVER,
    ),
    routes=(
        Route("laptop", ANY4, R1_ACCESS4),
        Route("vm", ANY4, R1_EDGE4),
        Route("vm", ANY6, R1_EDGE6),
        *_FAR_ROUTES,
    ),
    routers=("r1",),
    tested="vm",
)


def house(bridge: str | None) -> Topology:
    """`bridge`: edge1's LAN is a bridge of that name, else the bare cable lan0."""
    return Topology(
        nodes=("phone", "edge1", "r1", "internet"),
        cables=(
            Cable(
                Port("phone", "eth0", (IPv6Interface((PHONE6, 64)),)),
                Port("edge1", "lan0", (IPv6Interface((EDGE_LAN6, 64)),), bridge),
            ),
            _uplink("edge1"),
            _SERVER,
        ),
        routes=(
            Route("phone", ANY6, EDGE_LAN6),
            Route("edge1", ANY4, R1_EDGE4),
            Route("edge1", ANY6, R1_EDGE6),
            Route("edge1", PHONE_PREFIX6, PHONE6),
            Route("r1", NETWORK6, EDGE6),
            Route("r1", POOL, EDGE4),
            *_FAR_ROUTES,
        ),
        routers=("r1",),
        tested="edge1",
    )


def _six(*addresses: str) -> tuple[IPv6Interface, ...]:
    return tuple(IPv6Interface(address) for address in addresses)


COMPANY = Topology(
    nodes=("shop", "floor", "hall", "edge1", "r1", "internet"),
    cables=(
        Cable(
            Port("hall", "eth0", _six(f"{HALL6}/64")),
            Port("edge1", "lan0", _six("2001:db8:64:10::1/64")),
        ),
        Cable(
            Port("floor", "eth0", _six(f"{FLOOR6}/64")),
            Port("hall", "eth1", _six("2001:db8:64:11::1/64")),
        ),
        Cable(
            Port("shop", "eth0", _six(f"{SHOP6}/64", f"{DESK6}/64")),
            Port("floor", "eth1", _six("2001:db8:64:12::1/64")),
        ),
        _uplink("edge1"),
        _SERVER,
    ),
    routes=(
        Route("shop", ANY6, IPv6Address("2001:db8:64:12::1")),
        Route("floor", ANY6, IPv6Address("2001:db8:64:11::1")),
        Route("hall", ANY6, IPv6Address("2001:db8:64:10::1")),
        Route("hall", IPv6Network("2001:db8:64:12::/64"), FLOOR6),
        Route("edge1", IPv6Network("2001:db8:64:11::/64"), HALL6),
        Route("edge1", IPv6Network("2001:db8:64:12::/64"), HALL6),
        Route("edge1", ANY4, R1_EDGE4),
        Route("edge1", ANY6, R1_EDGE6),
        Route("r1", NETWORK6, EDGE6),
        Route("r1", POOL, EDGE4),
        *_FAR_ROUTES,
    ),
    routers=("r1", "hall", "floor"),
    tested="edge1",
)
