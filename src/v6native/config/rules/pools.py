# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""pool4, static BIB entries (RFC 6146 §3.1) and the tunnels' ports: who has which IPv4 address and port of a node."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from v6native.config.model import Pool4Entry, Proto, StaticBib
from v6native.config.positions import KeyPath
from v6native.config.problem import ConfigProblem
from v6native.config.rules.draft import Draft

MAX_POOL = 1024  # bpf/abi.h has room for so many addresses (with their ranges)
NEVER_IN_POOL = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4")))
LOWEST_PORT_OF_PROGRAMS = 1024


def check(draft: Draft) -> Iterator[ConfigProblem]:
    yield from _syntax(draft)
    yield from _overlaps(draft)
    yield from _static(draft)
    yield from _listen(draft)
    raw_pools = ["pool4" in draft.source.raw_table("node", name) for name in draft.names("node")]
    if draft.config.nat64.enabled and draft.config.nodes and not any(raw_pools):
        path: KeyPath = ("node", draft.config.nodes[0].name)
        what = "no node has a pool4, so nothing translates to IPv4"
        yield draft.warning("no-pool4", path, what, 'write pool4 = ["uplink:40000-59999"], or [nat64] enabled = false')


def shown(entry: Pool4Entry) -> str:
    address = "uplink" if entry.network is None else str(entry.network).removesuffix("/32")
    only = f"/{next(iter(entry.protos))}" if len(entry.protos) == 1 else ""
    return f"{address}:{entry.ports.first}-{entry.ports.last}{only}"


def _entries(draft: Draft) -> list[tuple[str, KeyPath, Pool4Entry]]:
    """As the file has them."""
    nodes = draft.file.node.items()
    found: list[tuple[str, KeyPath, Pool4Entry]] = [
        (name, ("node", name, "pool4", i), entry) for name, node in nodes for i, entry in enumerate(node.pool4)
    ]
    for at, (pool, table) in enumerate(zip(draft.config.nat64.pools, draft.file.nat64.pool, strict=True)):
        found += [(pool.node, ("nat64", "pool", at, "pool4", i), entry) for i, entry in enumerate(table.pool4)]
    return found


def _syntax(draft: Draft) -> Iterator[ConfigProblem]:
    for node in draft.config.nodes:
        if not node.pool4 and draft.file.node[node.name].pool4:
            what = "the tunnels of this node listen on every port of its pool4"
            yield draft.error("pool4", ("node", node.name, "pool4"), what, 'write a range, like "uplink:40000-59999"')
        count = sum(entry.network.num_addresses if entry.network else 1 for entry in node.pool4)
        if count > MAX_POOL:
            what = f"pool4 has {count} addresses, the translator holds {MAX_POOL}"
            yield draft.error("too-many", ("node", node.name, "pool4"), what, "write a longer prefix, or fewer entries")
    for _, path, entry in _entries(draft):
        if entry.network is None:
            if entry.ports.first < LOWEST_PORT_OF_PROGRAMS:
                what = f"the range begins at {entry.ports.first}: the node's own services have the ports below 1024"
                yield draft.warning("low-ports", path, what, 'begin above them, as in "uplink:40000-59999"')
        elif bad := next((n for n in NEVER_IN_POOL if n.overlaps(entry.network)), None):
            what = f"{entry.network} lies in {bad}, from where nothing can be sent"
            yield draft.error("pool4", path, what, "write IPv4 addresses that are routed to this node")
        else:
            for tunnel in draft.config.tunnels:
                if tunnel.clat4 and tunnel.clat4.overlaps(entry.network):
                    place = draft.line(("tunnel", tunnel.name, "clat4"))
                    what = f"{entry.network} overlaps the clat4 {tunnel.clat4} of the tunnel {tunnel.name} ({place})"
                    yield draft.error("overlap", path, what, "write IPv4 addresses that are routed to this node")


def _overlaps(draft: Draft) -> Iterator[ConfigProblem]:
    """Two nodes cannot share an address and port either: the internet's answers reach one of them."""
    entries = _entries(draft)
    for at, (node, path, entry) in enumerate(entries):
        for other, before_path, before in entries[:at]:
            if _same_address(node, entry.network, other, before.network) and _ports_meet(entry, before):
                what = f"{shown(entry)} overlaps {shown(before)} ({draft.line(before_path)})"
                if node != other:
                    what += f" of the node {other}"
                yield draft.error("overlap", path, what, "give every address and port to one entry")


def _same_address(node: str, one: IPv4Network | None, other_node: str, other: IPv4Network | None) -> bool:
    if one is None or other is None:
        return one is other and node == other_node
    return one.overlaps(other)


def _ports_meet(one: Pool4Entry, other: Pool4Entry) -> bool:
    return (
        bool(one.protos & other.protos) and one.ports.first <= other.ports.last and other.ports.first <= one.ports.last
    )


def _static(draft: Draft) -> Iterator[ConfigProblem]:
    entries = draft.config.nat64.static
    for i, entry in enumerate(entries):
        here: KeyPath = ("nat64", "static", i)
        yield from draft.reference("node", entry.node, (*here, "node"))
        ports6 = draft.file.nat64.static[i].ipv6[1]
        if ports6.last - ports6.first + 1 != entry.count:
            what = f"{entry.count} ports on the IPv4 side stand for {ports6.last - ports6.first + 1} here"
            last = ports6.first + entry.count - 1
            remedy = f'write "[{entry.ipv6}]:{ports6.first}{f"-{last}" if entry.count > 1 else ""}"'
            yield draft.error("static", (*here, "ipv6"), what, remedy)
        if entry.pref64 is not None and entry.pref64 not in draft.config.network.pref64:
            what = f"{entry.pref64} is no pref64 of this network"
            listed = ", ".join(f'"{p}"' for p in draft.config.network.pref64)
            yield draft.error("static", (*here, "pref64"), what, f"write one of {listed}")
        yield from _static_addresses(draft, entry, here)
        for j, before in enumerate(entries[:i]):
            apart = None not in (entry.node, before.node) and entry.node != before.node
            if entry.proto != before.proto or apart:
                continue
            place = draft.line(("nat64", "static", j))
            if entry.ipv4 == before.ipv4 and _meet(entry.port4, entry.count, before.port4, before.count):
                what = f"{entry.proto} port {entry.port4} of {entry.ipv4 or 'uplink'} is already given away ({place})"
                yield draft.error("duplicate", (*here, "ipv4"), what, "write another port, or remove one of the two")
            same = entry.ipv6 == before.ipv6 and entry.pref64 == before.pref64
            if same and _meet(entry.port6, entry.count, before.port6, before.count):
                what = f"{entry.proto} [{entry.ipv6}]:{entry.port6} already has an IPv4 address and port ({place})"
                remedy = "a host's port has one place in the IPv4 internet (RFC 6146 §3.1); remove one of the two"
                yield draft.error("duplicate", (*here, "ipv6"), what, remedy)


def _meet(one: int, count: int, other: int, other_count: int) -> bool:
    return one < other + other_count and other < one + count


def _static_addresses(draft: Draft, entry: StaticBib, here: KeyPath) -> Iterator[ConfigProblem]:
    network, sources = draft.config.network, draft.config.nat64.sources
    if entry.ipv4 is not None and any(entry.ipv4 in never for never in NEVER_IN_POOL):
        what = f"{entry.ipv4} can never be reached"
        yield draft.error(
            "static", (*here, "ipv4"), what, 'write an address that is routed to this node, or "uplink:80"'
        )
    ipv6 = entry.ipv6
    if ipv6.is_multicast or ipv6.is_loopback or ipv6.is_link_local or ipv6.is_unspecified:
        yield draft.error("static", (*here, "ipv6"), f"{ipv6} is not a host's address", "write its global address")
    elif any(ipv6 in pref64 for _, pref64 in draft.pref64):
        what = f"{ipv6} lies inside a pref64: it stands for an IPv4 host"
        yield draft.error("static", (*here, "ipv6"), what, "write the IPv6 host's own address")
    elif (inside := sources or network.prefix) and not any(ipv6 in allowed for allowed in inside):
        key = "nat64.sources" if sources else "network.prefix"
        what = f"{ipv6} is not inside {key}, so its answers may not be translated"
        yield draft.warning("outside", (*here, "ipv6"), what, f"write a host of ours, or add its prefix to {key}")


def _listen(draft: Draft) -> Iterator[ConfigProblem]:
    """UDP ports on which WireGuard listens, against each other and static entries; convert cuts them from the pool."""
    config = draft.config
    for at, tunnel in enumerate(config.tunnels):
        path: KeyPath = ("tunnel", tunnel.name, "listen")
        for before in config.tunnels[:at]:
            if (before.node, before.listen) == (tunnel.node, tunnel.listen):
                place = draft.line(("tunnel", before.name, "listen"))
                what = f"the tunnel {before.name} already listens on UDP port {tunnel.listen} of this node ({place})"
                yield draft.error("duplicate", path, what, f"write another port, like {_free_port(draft, tunnel.node)}")
        for i, static in enumerate(config.nat64.static):
            mine = static.node in (None, tunnel.node)
            holds = static.port4 <= tunnel.listen < static.port4 + static.count
            if mine and static.ipv4 is None and static.proto is Proto.UDP and holds:
                place = draft.line(("nat64", "static", i))
                what = f"the static BIB entry ({place}) takes UDP port {tunnel.listen} of the uplink's address"
                yield draft.error("port-taken", path, what, "write another port in one of the two")


def _free_port(draft: Draft, node: str) -> int:
    taken = {t.listen for t in draft.config.tunnels if t.node == node}
    return next(port for port in range(51820, 65536) if port not in taken)
