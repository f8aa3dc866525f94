# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the BPF translators are told, and where their programs are attached."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from v6native.address import GLOBAL_IPV4_EXCEPTIONS, NON_GLOBAL_IPV4, embed
from v6native.config.model import Eam, Filtering, Pool, Proto
from v6native.config.rules.shares import BLOCKS_OF_A_CLIENT
from v6native.desired.addresses import CLAT_ADDRESS, NAT64_ADDRESS
from v6native.desired.dataplane import (
    Attachment,
    DataPlaneConfig,
    Identity,
    Limits,
    Nat64Settings,
    PoolGroup,
    SiitSettings,
    StaticEntry,
)
from v6native.desired.fast import STEER_LO, fast_pairs, programs
from v6native.desired.model import Note
from v6native.desired.named import named_sources
from v6native.desired.node import OWN_CLAT4, Here, first_address4, first_address6, tunnel_interface
from v6native.desired.routes import HEADER_GROWTH, stateless_pref64
from v6native.desired.state import CLAT, CLAT_X, NAT64, NAT64_X, SLOW

NO_ADDRESS6 = IPv6Address("::")
FEWEST_PORTS, MOST_PORTS = 1024, 8192
"""Of one client and protocol, where the file does not say."""


def dataplane(here: Here) -> DataPlaneConfig | None:
    if not (here.nat64 or here.clat):
        return None
    return DataPlaneConfig(
        nat64=_nat64(here) if here.nat64 else None,
        siit=_siit(here) if here.clat else None,
        attachments=tuple(_attachments(here)),
        nat64_interface=NAT64,
        clat_interface=CLAT,
        slow_interface=SLOW,
        fast=fast_pairs(here.config, here.node.name),
    )


def sources(here: Here) -> tuple[IPv6Network, ...]:
    """Who may be translated."""
    return _minimal(named.network for named in named_sources(here))


def _people(here: Here) -> Iterable[list[IPv6Address]]:
    """The addresses of each client of a tunnel, and of the node itself in it, the one it is known by first.

    The CLAT's address of a client is the client too (RFC 6877 §6.3): both share its limits.
    """
    own: list[IPv6Address] = [*here.own_ipv6()]
    for tunnel in here.tunnels:
        own.append(first_address6(tunnel).ip)
        own4 = first_address4(tunnel)
        if here.clat96 is not None and own4 is not None:
            own.append(embed(here.clat96, own4.ip))
        for client in here.clients(tunnel):
            addresses = [client.address6]
            if here.clat96 is not None and client.address4 is not None:
                addresses.append(embed(here.clat96, client.address4))
            yield addresses
    if here.own_clat and here.clat96 is not None:
        own.append(embed(here.clat96, OWN_CLAT4))
    yield own


def identities(here: Here) -> tuple[Identity, ...]:
    """As whom sources count where a prefix of `nat64.client_prefix` bits does not tell, and which pool serves them."""
    groups = {network: group for group, pool in _groups(here) for network in pool.source}
    found = [Identity(n, length=here.config.nat64.client_prefix, group=group) for n, group in groups.items()]
    for addresses in _people(here):
        for address in addresses:
            network = IPv6Network(address)
            wider = max((n for n in groups if network.subnet_of(n)), key=lambda n: n.prefixlen, default=None)
            found.append(Identity(network, addresses[0], group=groups[wider] if wider else 0))
    return tuple(sorted(set(found), key=lambda i: (i.network.prefixlen, i.network)))


def _groups(here: Here) -> list[tuple[int, Pool]]:
    """This node's pools of `[[nat64.pool]]` with their numbers."""
    return [(at, pool) for at, pool in enumerate(here.config.nat64.pools, 1) if pool.node == here.node.name]


def _pools(here: Here) -> list[Pool]:
    return [pool for _group, pool in _groups(here)]


def foreign_lans(here: Here) -> list[Note]:
    """LAN prefixes that network.prefix does not cover: not ours by the file's own word, so not translated."""
    if here.config.nat64.sources or not here.nat64:
        return []
    return [
        Note(
            "lan-outside-network",
            f"hosts in {prefix} on {name} are not translated, because network.prefix does not cover it",
            "add it to network.prefix, name the sources in nat64.sources, or leave network.prefix out where the provider "
            "changes it",
        )
        for name in here.node.lan
        for prefix in here.facts.onlink6(name)
        if not any(prefix.overlaps(ours) for ours in here.config.network.prefix) and here.config.network.prefix
    ]


def _minimal(networks: Iterable[IPv6Network]) -> tuple[IPv6Network, ...]:
    """Without those that another one holds; sorted, so that the same sources give the same value."""
    kept: list[IPv6Network] = []
    for network in sorted(set(networks), key=lambda n: (n.prefixlen, n)):
        if not any(network.subnet_of(wider) for wider in kept):
            kept.append(network)
    return tuple(sorted(kept))


def _nat64(here: Here) -> Nat64Settings:
    settings = here.config.nat64
    return Nat64Settings(
        pref64=here.config.network.pref64,
        pool=here.pool,
        sources=sources(here),
        static=static(here),
        refused4=_refused4(here),
        open4=_open4(here),
        icmp6_source=_icmp6_source(here),
        icmp4_source=_icmp4_source(here),
        timeout=settings.timeout,
        lowest_ipv6_mtu=settings.lowest_ipv6_mtu,
        sessions=settings.sessions,
        own4=tuple(sorted({a.ip for i in here.facts.interfaces if not i.ours for a in i.ipv4})),
        identities=identities(here),
        client_prefix=settings.client_prefix,
        groups=(PoolGroup(), *(_group(here, pool) for pool in settings.pools)),
        port_block=settings.port_block,
        limits=limits(here),
        address_dependent=settings.filtering is Filtering.ADDRESS_DEPENDENT,
        reset_orphans=settings.reset_orphans,
        options=settings.options,
        mtu4=here.uplink_mtu,
        mtu6=max([here.inside_mtu, *(t.mtu for t in here.tunnels)]),
        log=here.logs,
    )


def _group(here: Here, pool: Pool) -> PoolGroup:
    if pool.node != here.node.name or pool.mark is None:
        return PoolGroup()
    return PoolGroup(pool.mark.value, pool.mark.mask)


def limits(here: Here) -> Limits:
    """What one client may have: by default so much that three others of its kind still fit, and seven of its sessions."""
    given, size = here.config.nat64.limit, here.config.nat64.port_block
    ports = given.ports
    if ports is None:
        pool = sum(e.ports.last - e.ports.first + 1 for e in here.pool if Proto.TCP in e.protos and e.group == 0)
        ports = min(max(pool // 4, FEWEST_PORTS), MOST_PORTS, size * BLOCKS_OF_A_CLIENT or MOST_PORTS)
    sessions = here.config.nat64.sessions // 8 if given.sessions is None else given.sessions
    return Limits(ports, sessions, given.new_per_second)


def static(here: Here) -> tuple[StaticEntry, ...]:
    """This node's static BIB entries; one on the uplink's address waits until there is one."""
    uplink = here.facts.ipv4_of(here.node.uplink)
    entries = []
    for entry in here.config.nat64.static:
        ipv4 = entry.ipv4 or uplink
        if ipv4 is None or entry.node not in (None, here.node.name):
            continue
        pref64 = here.config.network.pref64.index(entry.pref64) if entry.pref64 else 0
        entries += [
            StaticEntry(entry.proto, ipv4, entry.port4 + i, entry.ipv6, entry.port6 + i, pref64)
            for i in range(entry.count)
        ]
    return tuple(entries)


def _refused4(here: Here) -> tuple[IPv4Network, ...]:
    return tuple(network for network, _ in NON_GLOBAL_IPV4) + here.config.nat64.refuse_ipv4


def _open4(here: Here) -> tuple[IPv4Network, ...]:
    """Opened by the operator, and the node's own pool: its services and static entries are there (hairpinning)."""
    opened = [*here.config.nat64.allow_ipv4, *GLOBAL_IPV4_EXCEPTIONS, *here.dedicated]
    opened += [IPv4Network(address) for address in here.shared]
    return tuple(sorted(set(opened)))


def _siit(here: Here) -> SiitSettings:
    own4 = next((a for t in here.tunnels if (a := first_address4(t)) is not None), CLAT_ADDRESS)
    return SiitSettings(
        pref64=stateless_pref64(here),
        eam=tuple(eam(here)),
        icmp6_source=_icmp6_source(here),
        icmp4_source=own4.ip,
        lowest_ipv6_mtu=here.config.nat64.lowest_ipv6_mtu,
        refused4=_refused4(here),
        open4=_open4(here),
        explicit=bool(here.config.clat.eam),
        options=here.config.clat.options,
        # Its IPv6 side may be the NAT64, whose own next hop may be 20 bytes smaller; its IPv4 side the clients'.
        mtu4=max([here.uplink_mtu, *(t.mtu for t in here.tunnels)]),
        mtu6=max(here.inside_mtu, here.uplink_mtu + HEADER_GROWTH),
    )


def eam(here: Here) -> Iterable[Eam]:
    """The file's mappings, and the CLAT's: 100.64.a.b stands for clat96::100.64.a.b (RFC 6877 §6.3)."""
    yield from here.config.clat.eam
    if here.clat96 is None:
        return
    for tunnel in here.tunnels:
        if tunnel.clat4 is not None:
            yield _embedded(here.clat96, tunnel.clat4)
    if here.own_clat:
        yield _embedded(here.clat96, IPv4Network(OWN_CLAT4))


def _embedded(clat96: IPv6Network, network: IPv4Network) -> Eam:
    return Eam(network, IPv6Network((embed(clat96, network.network_address), 96 + network.prefixlen)))


def _icmp6_source(here: Here) -> IPv6Address:
    own = next(here.own_ipv6(), None)
    if own is not None:
        return own
    return next((first_address6(t).ip for t in here.tunnels), NO_ADDRESS6)


def _icmp4_source(here: Here) -> IPv4Address:
    """An address that the outside can tell apart from others, else the IPv4 dummy address (RFC 7600)."""
    uplink = here.facts.ipv4_of(here.node.uplink)
    if uplink is not None:
        return uplink
    return here.pool[0].address if here.pool else NAT64_ADDRESS.ip


def _attachments(here: Here) -> Iterable[Attachment]:
    if here.nat64:
        yield Attachment(NAT64_X, "nat64")
    if here.clat:
        yield Attachment(CLAT_X, "siit")
    steered: tuple[str, ...] = ()
    if here.nat64 and here.shared:
        yield Attachment("lo", STEER_LO)
        tunnels = (tunnel_interface(t.name) for t in here.tunnels if t.clat4 and here.clat)
        steered = (here.node.uplink, *tunnels)
    fast = fast_pairs(here.config, here.node.name)
    yield from (Attachment(interface, program) for interface, program in programs(fast, steered).items())
    yield Attachment(SLOW, "slow_in")
