# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The lab's first topology, as data: who is there, which cables, addresses and routes. Documentation and benchmark prefixes only.

phone ──LAN── edge1 ──uplink── r1 ── r2 ── internet
                               │
laptop ──IPv4-only access──────┘        (WireGuard from laptop to edge1)
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

Address = IPv4Address | IPv6Address
InterfaceAddress = IPv4Interface | IPv6Interface
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Port:
    """One end of a cable; where `bridge` is set, the port is bare and the bridge has the addresses."""

    node: str
    name: str
    addresses: tuple[InterfaceAddress, ...]
    bridge: str | None = None

    @property
    def routed(self) -> str:
        """The interface that IP sees."""
        return self.bridge or self.name


@dataclass(frozen=True, slots=True)
class Cable:
    one: Port
    other: Port


@dataclass(frozen=True, slots=True)
class Route:
    node: str
    to: Network
    via: Address


@dataclass(frozen=True, slots=True)
class Topology:
    nodes: tuple[str, ...]
    cables: tuple[Cable, ...]
    routes: tuple[Route, ...]
    routers: tuple[str, ...]
    """Plain routers: forwarding on."""
    tested: str
    """The node that runs v6native."""

    def ports(self, node: str) -> tuple[Port, ...]:
        return tuple(p for cable in self.cables for p in (cable.one, cable.other) if p.node == node)


NETWORK6 = IPv6Network("2001:db8:64::/48")
LAN6 = IPv6Network("2001:db8:64:1::/64")
TUNNEL6 = IPv6Network("2001:db8:64:a::/64")
TUNNEL4 = IPv4Network("100.64.0.0/24")
PREF64 = IPv6Network("2001:db8:64:64::/96")
WKP = IPv6Network("64:ff9b::/96")
POOL = IPv4Network("203.0.113.0/28")
"""Routed to edge1."""

PHONE6 = IPv6Address("2001:db8:64:1::5")
SERVICE6 = IPv6Address("2001:db8:64:1::8")
"""phone's second address, which stands for SERVICE4 in the IPv4 internet; phone has it while a scenario asks for it."""
SERVICE4 = IPv4Address("203.0.113.8")
EDGE_LAN6 = IPv6Address("2001:db8:64:1::1")
EDGE4 = IPv4Address("192.0.2.1")
EDGE6 = IPv6Address("2001:db8:2::1")
WIREGUARD_PORT = 51820
EDGE_TUNNEL6 = IPv6Address("2001:db8:64:a::1")
EDGE_TUNNEL4 = IPv4Address("100.64.0.1")
LAPTOP6 = IPv6Address("2001:db8:64:a::2")
LAPTOP4 = IPv4Address("100.64.0.2")
LAPTOP_ACCESS4 = IPv4Address("198.18.1.2")
R1_ACCESS4 = IPv4Address("198.18.1.254")
R1_EDGE4 = IPv4Address("192.0.2.254")
R1_EDGE6 = IPv6Address("2001:db8:2::fe")
R1_CORE4, R2_CORE4 = IPv4Address("198.18.0.1"), IPv4Address("198.18.0.2")
R1_CORE6, R2_CORE6 = IPv6Address("2001:db8:1::1"), IPv6Address("2001:db8:1::2")
R2_SERVER4, R2_SERVER6 = IPv4Address("198.51.100.1"), IPv6Address("2001:db8:80::1")
SERVER4, SERVER6 = IPv4Address("198.51.100.80"), IPv6Address("2001:db8:80::80")


def _on(length4: int, length6: int, *addresses: Address) -> tuple[InterfaceAddress, ...]:
    return tuple(
        IPv4Interface((a, length4)) if isinstance(a, IPv4Address) else IPv6Interface((a, length6)) for a in addresses
    )


ANY4, ANY6 = IPv4Network("0.0.0.0/0"), IPv6Network("::/0")

MAIN = Topology(
    nodes=("phone", "laptop", "edge1", "r1", "r2", "internet"),
    cables=(
        Cable(
            Port("phone", "eth0", _on(24, 64, PHONE6)),
            Port("edge1", "lan0", _on(24, 64, EDGE_LAN6), bridge="br0"),
        ),
        Cable(
            Port("edge1", "eth0", _on(24, 64, EDGE4, EDGE6)),
            Port("r1", "edge", _on(24, 64, R1_EDGE4, R1_EDGE6)),
        ),
        Cable(
            Port("r1", "core", _on(30, 64, R1_CORE4, R1_CORE6)),
            Port("r2", "core", _on(30, 64, R2_CORE4, R2_CORE6)),
        ),
        Cable(
            Port("r2", "server", _on(24, 64, R2_SERVER4, R2_SERVER6)),
            Port("internet", "eth0", _on(24, 64, SERVER4, SERVER6)),
        ),
        Cable(
            Port("laptop", "eth0", _on(24, 64, LAPTOP_ACCESS4)),
            Port("r1", "access", _on(24, 64, R1_ACCESS4)),
        ),
    ),
    routes=(
        Route("phone", ANY6, EDGE_LAN6),
        Route("laptop", ANY4, R1_ACCESS4),
        Route("edge1", ANY4, R1_EDGE4),
        Route("edge1", ANY6, R1_EDGE6),
        Route("r1", NETWORK6, EDGE6),
        Route("r1", POOL, EDGE4),
        Route("r1", IPv4Network("198.51.100.0/24"), R2_CORE4),
        Route("r1", IPv6Network("2001:db8:80::/64"), R2_CORE6),
        Route("r2", ANY4, R1_CORE4),
        Route("r2", ANY6, R1_CORE6),
        Route("internet", ANY4, R2_SERVER4),
        Route("internet", ANY6, R2_SERVER6),
    ),
    routers=("r1", "r2"),
    tested="edge1",
)
