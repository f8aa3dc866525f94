# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""One node of the network with everything resolved that depends on the machine: addresses of pools, the CLAT's /96."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

from v6native.config.convert import derive_clat96
from v6native.config.facts import HostFacts
from v6native.config.model import Client, Config, Node, OwnIPv4, Tunnel
from v6native.desired.dataplane import PoolRange
from v6native.desired.model import Note
from v6native.desired.state import ALIAS

OWN_CLAT4 = IPv4Address("192.0.0.2")
"""The node's own IPv4 address behind its CLAT (RFC 7335: 192.0.0.0/29 is for exactly this)."""

DEFAULT_MTU = 1500


@dataclass(frozen=True, slots=True)
class Here:
    """A node as desired/ sees it. `pool` has one entry an address range that is usable now."""

    config: Config
    node: Node
    facts: HostFacts
    tunnels: tuple[Tunnel, ...]
    pool: tuple[PoolRange, ...]
    clat96: IPv6Network | None
    own_clat: bool
    findings: tuple[Note, ...]

    @property
    def nat64(self) -> bool:
        """A node with a pool is a NAT64, also while its uplink has no address: what is sent to it then is answered."""
        return self.config.nat64.enabled and bool(self.node.pool4) and bool(self.config.network.pref64)

    @property
    def logs(self) -> bool:
        """Whether it logs who has which ports: where the file says so, else where blocks keep that small."""
        enabled = self.config.log.enabled
        return self.nat64 and (self.config.nat64.port_block > 0 if enabled is None else enabled)

    @property
    def clat(self) -> bool:
        return (self.clat96 is not None or bool(self.config.clat.eam)) and bool(self.config.network.pref64)

    @property
    def own_clat_first(self) -> bool:
        """The node's own IPv4 takes the CLAT although there is a native default route, for the file says so."""
        return self.own_clat and self.facts.default_route(4) is not None

    @property
    def shared(self) -> tuple[IPv4Address, ...]:
        """Addresses that the node and its NAT64 share, each once."""
        return tuple(sorted({entry.address for entry in self.pool if entry.shared}))

    @property
    def dedicated(self) -> tuple[IPv4Network, ...]:
        return tuple(sorted({entry.network for entry in self.node.pool4 if entry.network is not None}))

    @property
    def uplink_mtu(self) -> int:
        uplink = self.facts.interface(self.node.uplink)
        return uplink.mtu if uplink else DEFAULT_MTU

    @property
    def inside_mtu(self) -> int:
        """The largest MTU an IPv6 host of ours may have; smaller ones are found by path MTU discovery."""
        found = (self.facts.interface(name) for name in self.node.lan)
        return max([link.mtu for link in found if link], default=self.uplink_mtu)

    def clients(self, tunnel: Tunnel) -> Iterator[Client]:
        """Those that may use the tunnel now."""
        return (c for c in self.config.clients if c.tunnel == tunnel.name and c.enabled)

    def own_ipv6(self) -> Iterator[IPv6Address]:
        """The node's own global addresses, the uplink's first, then its LANs', then all others but those we made."""
        first = [self.node.uplink, *self.node.lan]
        rest = [i.name for i in self.facts.interfaces if i.name not in first and not i.ours]
        for name in [*first, *rest]:
            found = self.facts.interface(name)
            yield from (a.ip for a in found.global_ipv6) if found else ()


def first_address6(tunnel: Tunnel) -> IPv6Interface:
    """The node's own in the tunnel. The prefix itself is the subnet-router anycast address (RFC 4291 §2.6.1)."""
    return IPv6Interface((tunnel.prefix[1], 128))


def first_address4(tunnel: Tunnel) -> IPv4Interface | None:
    return IPv4Interface((tunnel.clat4[1], 32)) if tunnel.clat4 is not None else None


def tunnel_interface(tunnel: str) -> str:
    """An interface's name has at most 15 bytes; config/ keeps tunnels' names short enough."""
    return f"wg-{tunnel}"[:15]


def look_at(config: Config, name: str, facts: HostFacts) -> Here:
    """Resolves what depends on the machine; KeyError where the file has no such node."""
    node = config.node(name)
    pool, notes = _pool(node, facts)
    tunnels = tuple(t for t in config.tunnels if t.node == name)
    native = any(route.family == 4 for route in facts.default_routes)
    own = node.own_ipv4 is OwnIPv4.CLAT or (node.own_ipv4 is OwnIPv4.AUTO and not native)
    clat96 = None
    if own or any(t.clat4 for t in tunnels) or config.clat.prefix is not None:
        clat96 = config.clat.prefix or _derived96(config, node, tunnels, facts)
        if clat96 is None:
            notes.append(
                Note(
                    "clat-no-prefix",
                    "no /96 for the CLAT can be derived",
                    "give network.prefix, or clat.prefix, in the file",
                )
            )
    return Here(config, node, facts, tunnels, pool, clat96, own and clat96 is not None, tuple(notes))


def _pool(node: Node, facts: HostFacts) -> tuple[tuple[PoolRange, ...], list[Note]]:
    pool: list[PoolRange] = []
    uplink = facts.ipv4_of(node.uplink)
    for entry in node.pool4:
        if entry.network is not None:
            pool.extend(PoolRange(a, entry.ports, False, entry.protos, entry.group) for a in entry.network)
        elif uplink is not None:
            pool.append(PoolRange(uplink, entry.ports, True, entry.protos, entry.group))
    if uplink is None and any(entry.shared for entry in node.pool4):
        note = Note(
            "uplink-no-ipv4",
            f"the uplink {node.uplink} has no IPv4 address yet, so `uplink:…` in pool4 gives the NAT64 none",
            f"look at `ip address show {node.uplink}`; {ALIAS} takes the address over as soon as it appears",
        )
        return tuple(pool), [note]
    return tuple(pool), []


def _derived96(config: Config, node: Node, tunnels: tuple[Tunnel, ...], facts: HostFacts) -> IPv6Network | None:
    """Where the file gave no reason to derive one, but this machine does: it has no IPv4 default route."""
    links = [prefix for name in (node.uplink, *node.lan) for prefix in facts.onlink6(name)]
    taken = [*config.network.pref64, *(t.prefix for t in config.tunnels), *links]
    devices = [client.address6 for client in config.clients]
    return derive_clat96([*(t.prefix for t in tunnels), *config.network.prefix], taken, devices)
