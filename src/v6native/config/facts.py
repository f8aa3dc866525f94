# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What a machine is like, as far as its configuration depends on it. system/observe fills it, nothing here reads a machine.

`check_host` compares a Config with it, `draft` writes a first network.toml from it, desired/ decides values with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

from v6native.config.model import PortRange, Proto

KERNEL_LOCAL_PORTS = PortRange(32768, 60999)
"""The kernel's default of net.ipv4.ip_local_port_range."""


@dataclass(frozen=True, slots=True)
class InterfaceFacts:
    """One interface with the addresses it has now; link-local ones are left out.

    `kind` is the kernel's word: "bridge", "veth", "wireguard", "tun", ...; "" for a plain Ethernet device.
    `ours`: v6native made it, so what is on it must not decide what is wanted. `leased`: those of `ipv6` with a lifetime,
    which DHCP or a router advertisement gave, and may give otherwise tomorrow.
    """

    name: str
    mtu: int
    up: bool = True
    kind: str = ""
    master: str | None = None
    mac: str | None = None
    ipv4: tuple[IPv4Interface, ...] = ()
    ipv6: tuple[IPv6Interface, ...] = ()
    ours: bool = False
    leased: frozenset[IPv6Interface] = frozenset()

    @property
    def global_ipv6(self) -> tuple[IPv6Interface, ...]:
        return tuple(a for a in self.ipv6 if not a.ip.is_link_local and not a.ip.is_loopback)


@dataclass(frozen=True, slots=True)
class DefaultRoute:
    """A default route of the main table; `from_ra` where a router advertisement brought it (route protocol "ra")."""

    family: int  # 4 or 6
    interface: str
    gateway: IPv4Address | IPv6Address | None
    metric: int = 0
    from_ra: bool = False


@dataclass(frozen=True, slots=True)
class ListeningSocket:
    """A bound socket; `address` is 0.0.0.0 or :: for a wildcard. `process` None: whose it is could not be read.

    `v6only`: a :: that does not take IPv4 too (/proc/net does not tell: netlink's sock_diag does, with INET_DIAG_SKV6ONLY).
    `ours`: it belongs to a process of this v6native, or to its WireGuard interface.
    """

    proto: Proto
    address: IPv4Address | IPv6Address
    port: int
    process: str | None = None
    pid: int | None = None
    ours: bool = False
    v6only: bool = False

    def holds(self, address: IPv4Address | IPv6Address, port: int) -> bool:
        """Whether another program could not bind that address and port."""
        if self.port != port:
            return False
        if self.address.is_unspecified:
            return self.address.version == address.version or (self.address.version == 6 and not self.v6only)
        return self.address == address or (address.is_unspecified and address.version == self.address.version)


@dataclass(frozen=True, slots=True)
class MasqueradeRule:
    """A rule that rewrites sources of what leaves by `interface` (None: any); `ports` None: the kernel chooses."""

    where: str  # "table ip nat chain POSTROUTING", for the operator to find it
    interface: str | None
    ports: PortRange | None = None


@dataclass(frozen=True, slots=True)
class ForwardDrop:
    """A forward hook whose policy is drop."""

    where: str
    family: str  # "ip", "ip6" or "inet"


@dataclass(frozen=True, slots=True)
class HostFacts:
    """All facts of one machine; empty where something could not be read."""

    hostname: str = ""
    interfaces: tuple[InterfaceFacts, ...] = ()
    default_routes: tuple[DefaultRoute, ...] = ()
    delegated: tuple[IPv6Network, ...] = ()  # prefixes routed to this machine: unreachable/DHCPv6-PD routes
    sockets: tuple[ListeningSocket, ...] = ()  # port 53, and whatever else listens
    resolvers: tuple[IPv4Address | IPv6Address, ...] = ()  # nameserver lines of /etc/resolv.conf
    local_ports: PortRange = KERNEL_LOCAL_PORTS  # net.ipv4.ip_local_port_range
    conntrack_max: int | None = None
    rp_filter: int | None = None  # net.ipv4.conf.all.rp_filter: on an interface the higher of this and its own counts
    masquerade: tuple[MasqueradeRule, ...] = ()
    forward_drop: tuple[ForwardDrop, ...] = ()

    def interface(self, name: str) -> InterfaceFacts | None:
        return next((i for i in self.interfaces if i.name == name), None)

    def default_route(self, family: int) -> DefaultRoute | None:
        """The one that the kernel prefers: the lowest metric."""
        routes = [r for r in self.default_routes if r.family == family]
        return min(routes, key=lambda r: r.metric, default=None)

    def ipv4_of(self, name: str) -> IPv4Address | None:
        """The interface's first global-scope IPv4 address, which is the one a pool of "uplink:…" follows."""
        found = self.interface(name)
        return next((a.ip for a in found.ipv4 if not a.ip.is_loopback), None) if found else None

    def onlink6(self, name: str) -> Iterator[IPv6Network]:
        """The IPv6 prefixes on that link, without host routes."""
        found = self.interface(name)
        for address in found.global_ipv6 if found else ():
            if address.network.prefixlen < 128:
                yield address.network

    def onlink4(self, name: str) -> Iterator[IPv4Network]:
        found = self.interface(name)
        for address in found.ipv4 if found else ():
            if address.network.prefixlen < 32:
                yield address.network
