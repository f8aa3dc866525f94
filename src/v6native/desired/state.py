# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The kernel's nouns as v6native wants them or finds them: links, addresses, routes, rules, neighbours, sysctls.

Two values are equal when the kernel would behave alike, so that a difference is always worth an action.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

PROTOCOL = 164
"""Marks our routes, rules and proxy neighbours (RTA_PROTOCOL, FRA_PROTOCOL, NDA_PROTOCOL); the kernel keeps it for us."""

ALIAS = "v6native"
"""IFLA_IFALIAS of every interface that we made. An interface without it is never changed or removed."""

NAT64, NAT64_X = "nat64", "nat64-x"
CLAT, CLAT_X = "clat", "clat-x"
SLOW = "v6n-slow"

GATEWAY = IPv6Address("fe80::64")
MAIN_TABLE, LOCAL_TABLE = 254, 255
NAT64_TABLE, NAT64_SMALL_TABLE, CLAT_TABLE, CLAT_SMALL_TABLE, OWN_TABLE = 6464, 6465, 6466, 6467, 6468

AnyAddress = IPv4Address | IPv6Address
AnyNetwork = IPv4Network | IPv6Network


class LinkKind(StrEnum):
    VETH = "veth"
    TAP = "tap"
    WIREGUARD = "wireguard"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Link:
    """An interface of ours. `off` are offloads that must not be on; `peer` is a veth's other end."""

    name: str
    kind: LinkKind
    mtu: int
    mac: str | None = None
    peer: str | None = None
    off: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Address:
    interface: str
    ip: IPv4Interface | IPv6Interface


class RouteKind(StrEnum):
    UNICAST = "unicast"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Route:
    """`gateway` is always IPv6, also of an IPv4 route (RFC 9229 §4: `via inet6`). `mtu` 0: the interface's."""

    destination: IPv4Network | IPv6Network
    device: str | None
    gateway: IPv6Address | None = None
    table: int = MAIN_TABLE
    metric: int = 0
    mtu: int = 0
    source: IPv4Address | IPv6Address | None = None
    kind: RouteKind = RouteKind.UNICAST

    @property
    def key(self) -> tuple[AnyNetwork, int, int]:
        """What makes it another route rather than a changed one."""
        return (self.destination, self.table, self.metric)


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy routing rule (ip-rule(8)) that looks a table up; `but_default`: all but its default routes."""

    priority: int
    table: int
    family: int = 4
    fwmark: int | None = None
    fwmask: int | None = None
    iif: str | None = None
    source: IPv4Network | IPv6Network | None = None
    destination: IPv4Network | IPv6Network | None = None
    but_default: bool = False


KERNEL_LOCAL_RULE = Rule(0, LOCAL_TABLE)
"""The rule that the kernel starts with; it cannot be moved, only added again elsewhere and deleted here."""

OWN_LOCAL_RULE = Rule(100, LOCAL_TABLE)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A permanent entry with its MAC address; without one it is a proxy entry (we answer for that address)."""

    interface: str
    address: IPv4Address | IPv6Address
    mac: str | None = None

    @property
    def key(self) -> tuple[str, AnyAddress, bool]:
        """What makes it another entry; a permanent and a proxy entry for one address are two."""
        return (self.interface, self.address, self.mac is None)


@dataclass(frozen=True, slots=True)
class Sysctl:
    """`key` is the path under /proc/sys (an interface's name may hold a dot, so never the dotted form).

    `instead_of`: only in place of this value; `hosts_only`: only on a machine that did not forward before us.
    """

    key: str
    value: str
    instead_of: str | None = None
    hosts_only: bool = False


@dataclass(frozen=True, slots=True)
class NftTable:
    """A table of ours in the family inet; `text` is what `nft -f` reads, `digest` its name for comparison.

    `fallback` does the same on a kernel that refuses `text`.
    """

    name: str
    text: str
    digest: str
    fallback: str


@dataclass(frozen=True, slots=True)
class WgPeer:
    public_key: str
    allowed: frozenset[AnyNetwork]


@dataclass(frozen=True, slots=True)
class WireGuard:
    """What `wg` shall hold for an interface; the private key is in the secrets folder, by the tunnel's name."""

    interface: str
    tunnel: str
    listen: int
    peers: frozenset[WgPeer]


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """Settings of a worker in the run folder; a worker rereads them at SIGHUP."""

    name: str
    text: str


class Way(StrEnum):
    """What the kernel does with a packet. BAD_SOURCE: it takes no such source on that interface (rp_filter)."""

    UNICAST = "unicast"
    LOCAL = "local"
    BROADCAST = "broadcast"
    MULTICAST = "multicast"
    BLACKHOLE = "blackhole"
    UNREACHABLE = "unreachable"
    PROHIBIT = "prohibit"
    NO_ROUTE = "no_route"
    BAD_SOURCE = "bad_source"


@dataclass(frozen=True, slots=True)
class RouteQuestion:
    """A packet as routing sees it. `interface` None: the node makes it itself, else where it comes in."""

    source: AnyAddress | None
    destination: AnyAddress
    interface: str | None = None
    mark: int = 0


@dataclass(frozen=True, slots=True)
class RouteFound:
    """`mtu` is the route's own, or the interface's. Only a unicast route has all of it."""

    way: Way
    interface: str | None = None
    gateway: AnyAddress | None = None
    table: int | None = None
    mtu: int | None = None
