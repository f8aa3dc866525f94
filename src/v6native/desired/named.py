# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Which line of the file lets a source be translated, and which opens or closes a destination."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from v6native.address import GLOBAL_IPV4_EXCEPTIONS, NON_GLOBAL_IPV4, embed
from v6native.config.model import Config
from v6native.config.positions import KeyPath
from v6native.desired.node import OWN_CLAT4, Here, first_address4, first_address6


@dataclass(frozen=True, slots=True)
class NamedSource:
    """`path` is the file's key that names it, None where no line does: the node's own addresses."""

    network: IPv6Network
    path: KeyPath | None
    what: str


@dataclass(frozen=True, slots=True)
class NamedDestination:
    """`open`, or refused. `path` None: the registry's word, or the node's pool, not a line's."""

    network: IPv4Network
    open: bool
    path: KeyPath | None
    what: str


def named_sources(here: Here) -> Iterator[NamedSource]:
    """Who may be translated. A tunnel's clients are named one by one, so that a removed one loses its sessions at once."""
    config, node = here.config, here.node
    if config.nat64.sources:
        for at, network in enumerate(config.nat64.sources):
            yield NamedSource(network, ("nat64", "sources", at), "a source of the NAT64")
    else:
        yield from _lans(here)
    yield from (NamedSource(IPv6Network(a), None, f"an address of {node.name} itself") for a in here.own_ipv6())
    pools = [(at, pool) for at, pool in enumerate(config.nat64.pools) if pool.node == node.name]
    for at, pool in pools:
        for index, network in enumerate(pool.source):
            yield NamedSource(network, ("nat64", "pool", at, "source", index), "a source with a pool of its own")
    yield from _people(here)
    for at, eam in enumerate(config.clat.eam):
        yield NamedSource(eam.ipv6, ("clat", "eam", at, "ipv6"), "the IPv6 side of a mapping")


def named_destinations(here: Here) -> Iterator[NamedDestination]:
    """The longest network that holds an address decides; of two alike, the open one."""
    yield from (NamedDestination(n, False, None, f"{what} (RFC 6890)") for n, what in NON_GLOBAL_IPV4)
    yield from (NamedDestination(n, True, None, "global, inside a block that is not") for n in GLOBAL_IPV4_EXCEPTIONS)
    for at, network in enumerate(here.config.nat64.refuse_ipv4):
        yield NamedDestination(network, False, ("nat64", "refuse_ipv4", at), "closed by the file")
    for at, network in enumerate(here.config.nat64.allow_ipv4):
        yield NamedDestination(network, True, ("nat64", "allow_ipv4", at), "opened by the file")
    own = [*here.dedicated, *(IPv4Network(address) for address in here.shared)]
    yield from (NamedDestination(network, True, None, "of this node's own pool") for network in own)


def source_of(here: Here, address: IPv6Address) -> NamedSource | None:
    """The narrowest that holds the address."""
    return max(
        (s for s in named_sources(here) if address in s.network), key=lambda s: s.network.prefixlen, default=None
    )


def destination_of(here: Here, address: IPv4Address) -> NamedDestination | None:
    """None: on the global internet, and the file says nothing of it."""
    holding = (d for d in named_destinations(here) if address in d.network)
    return max(holding, key=lambda d: (d.network.prefixlen, d.open), default=None)


def line(config: Config, path: KeyPath) -> str:
    """Where that is written: nat64.sources[0] (network.toml:14)."""
    if config.positions is None:
        return ".".join(str(key) for key in path)
    place = config.positions.of(path)
    number = f":{place.line}" if place.line is not None else ""
    return f"{config.positions.dotted(path)} ({place.file.name}{number})"


def _lans(here: Here) -> Iterator[NamedSource]:
    ours = here.config.network.prefix
    for at, name in enumerate(here.node.lan):
        for prefix in here.facts.onlink6(name):
            if not ours:
                yield NamedSource(prefix, ("node", here.node.name, "lan", at), f"on link at {name}")
            for index, network in enumerate(ours):
                if prefix.overlaps(network):
                    inside = prefix if prefix.prefixlen >= network.prefixlen else network
                    yield NamedSource(
                        inside, ("network", "prefix", index), f"on link at {name}, in the network's prefix"
                    )


def _people(here: Here) -> Iterator[NamedSource]:
    """Those of a tunnel, and the node itself in it; each with its address behind the CLAT (RFC 6877 §6.3)."""

    def both(path: KeyPath | None, what: str, v6: IPv6Address, v4: IPv4Address | None) -> Iterator[NamedSource]:
        yield NamedSource(IPv6Network(v6), path, what)
        if here.clat96 is not None and v4 is not None:
            yield NamedSource(IPv6Network(embed(here.clat96, v4)), path, f"{what}, by its IPv4 address {v4}")

    for tunnel in here.tunnels:
        own4 = first_address4(tunnel)
        yield from both(
            None, f"{here.node.name} in the tunnel {tunnel.name}", first_address6(tunnel).ip, own4.ip if own4 else None
        )
        for client in here.clients(tunnel):
            yield from both(("client", client.name), f"the client {client.name}", client.address6, client.address4)
    if here.own_clat and here.clat96 is not None:
        yield NamedSource(IPv6Network(embed(here.clat96, OWN_CLAT4)), None, f"{here.node.name} itself, by IPv4")
