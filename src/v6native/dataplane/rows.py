# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""DataPlaneConfig → what stands in the configuration maps: keys and values as bytes. Pure."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network

from v6native.config.model import Udp0
from v6native.dataplane import abi
from v6native.desired.dataplane import (
    DataPlaneConfig,
    Identity,
    Nat64Settings,
    PoolRange,
    SiitSettings,
    StaticEntry,
)
from v6native.errors import DataPlaneError

_NS = 1_000_000_000
_YES, _NO = (1).to_bytes(4, sys.byteorder), bytes(4)

Rows = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Wanted:
    """`tables` by object and map; `config` by object, the element that becomes active; `pool` in order.

    `lost` tells whether an address that was shared is not the node's any more.
    """

    config: Mapping[str, bytes]
    tables: Mapping[tuple[str, str], Rows]
    pool: tuple[bytes, ...]
    static: tuple[StaticEntry, ...]
    lost: Callable[[IPv4Address], bool]


def wanted(config: DataPlaneConfig, ifindex: Callable[[str], int], max_sessions: int) -> Wanted:
    """`ifindex` gives an interface's number; `max_sessions` is what the loaded table holds."""
    nat64, siit = config.nat64, config.siit
    slow = ifindex(config.slow_interface) if config.slow_interface else 0
    clat = ifindex(config.clat_interface) if siit else 0
    # slow_in, which is in nat64's object, serves the CLAT too.
    off = abi.Nat64Config(clat_ifindex=clat)
    return Wanted(
        config={
            "nat64": bytes(
                _nat64(nat64, siit, ifindex(config.nat64_interface), clat, slow, max_sessions) if nat64 else off
            ),
            "siit": bytes(_siit(siit, clat, slow) if siit else abi.SiitConfig()),
        },
        tables={
            ("nat64", "sources"): _sources(nat64) if nat64 else {},
            ("nat64", "destinations4"): _destinations(nat64) if nat64 else {},
            ("nat64", "pool4_address"): _pool_addresses(nat64) if nat64 else {},
            ("siit", "destinations4"): _destinations(siit) if siit else {},
            ("siit", "eam4"): {_key4(e.ipv4): _eam(e.ipv4, e.ipv6) for e in siit.eam} if siit else {},
            ("siit", "eam6"): {_key6(e.ipv6): _eam(e.ipv4, e.ipv6) for e in siit.eam} if siit else {},
        },
        pool=tuple(bytes(_pool_range(entry)) for entry in _in_order(nat64)) if nat64 else (),
        static=nat64.static if nat64 else (),
        lost=nat64.lost if nat64 else lambda _shared: False,
    )


def check(config: DataPlaneConfig) -> None:
    """DataPlaneError where the maps have no room for it, before anything is written."""
    nat64, siit = config.nat64, config.siit
    counts = (
        ("pref64s", len(nat64.pref64) if nat64 else 0, abi.MAX_PREF64),
        ("pool4 ranges", len(nat64.pool) if nat64 else 0, abi.MAX_POOL),
        ("groups of pool4 ranges", len(nat64.groups) if nat64 else 0, abi.MAX_GROUPS),
        ("ranges of one shared address", _most_ranges(nat64) if nat64 else 0, abi.MAX_RANGES_OF_ADDRESS),
        ("allowed sources", len(nat64.sources) + len(nat64.identities) if nat64 else 0, abi.MAX_STATIC),
        ("refused and opened destinations", max(map(_closed_or_open, (nat64, siit))), abi.MAX_STATIC),
        ("static BIB entries", len(nat64.static) if nat64 else 0, abi.STATIC_SLOTS),
        ("EAM entries", len(siit.eam) if siit else 0, abi.MAX_STATIC),
    )
    for what, count, limit in counts:
        if count > limit:
            raise DataPlaneError(f"{count} {what} are more than the data plane holds ({limit}): join adjacent ones")


def _closed_or_open(settings: Nat64Settings | SiitSettings | None) -> int:
    return len(settings.refused4) + len(settings.open4) if settings else 0


def static_entry(entry: StaticEntry, now: int) -> abi.Bib:
    """A static BIB entry in its slot."""
    return abi.Bib(
        address6=entry.ipv6.packed,
        address4=entry.ipv4.packed,
        port6=entry.port6.to_bytes(2, "big"),
        port4=entry.port4.to_bytes(2, "big"),
        proto=abi.BIB_PROTOS.index(entry.proto),
        pref64=entry.pref64,
        flags=abi.BIB_IN_USE | abi.BIB_STATIC,
        created_ns=now,
    )


def _nat64(
    settings: Nat64Settings,
    siit: SiitSettings | None,
    nat64_ifindex: int,
    clat_ifindex: int,
    slow_ifindex: int,
    max_sessions: int,
) -> abi.Nat64Config:
    t = settings.timeout
    mapped = siit is not None and siit.explicit
    it = abi.Nat64Config(
        pref64_count=len(settings.pref64),
        pool_count=len(settings.pool),
        icmp6_source=settings.icmp6_source.packed,
        icmp4_source=settings.icmp4_source.packed,
        lowest_ipv6_mtu=settings.lowest_ipv6_mtu,
        nat64_ifindex=nat64_ifindex,
        clat_ifindex=clat_ifindex,
        slow_ifindex=slow_ifindex,
        max_sessions=min(settings.sessions, max_sessions),
        icmp_rate=settings.options.icmp_rate,
        flags=(abi.CONFIG_ADDRESS_DEPENDENT if settings.address_dependent else 0)
        | (abi.CONFIG_RESET_ORPHANS if settings.reset_orphans else 0)
        | (abi.CONFIG_LOG if settings.log else 0),
        group_count=len(settings.groups),
        block_shift=settings.port_block.bit_length() - 1 if settings.port_block else 0,
        client_ports=settings.limits.ports,
        client_sessions=settings.limits.sessions,
        client_rate=settings.limits.rate,
        options=_options(settings, abi.STATELESS_TOO if mapped else 0),
    )
    ordered = [entry.group for entry in _in_order(settings)]
    for index, group in enumerate(settings.groups):
        first = ordered.index(index) if index in ordered else 0
        it.groups[index] = abi.PoolGroup(first, ordered.count(index), group.mark, group.mask)
    seconds = {
        abi.TIMER_TCP_EST: t.tcp_est,
        abi.TIMER_TCP_TRANS: t.tcp_trans,
        abi.TIMER_TCP_INCOMING_SYN: t.tcp_incoming_syn,
        abi.TIMER_UDP: t.udp,
        abi.TIMER_ICMP: t.icmp,
    }
    for timer, value in seconds.items():
        it.timeout_ns[timer] = value * _NS
    for index, network in enumerate(settings.pref64):
        it.pref64[index] = _pref64(network)
    return it


def _siit(settings: SiitSettings, clat_ifindex: int, slow_ifindex: int) -> abi.SiitConfig:
    return abi.SiitConfig(
        pref64=_pref64(settings.pref64),
        icmp6_source=settings.icmp6_source.packed,
        icmp4_source=settings.icmp4_source.packed,
        lowest_ipv6_mtu=settings.lowest_ipv6_mtu,
        slow_ifindex=slow_ifindex,
        icmp_rate=settings.options.icmp_rate,
        options=_options(settings),
        clat_ifindex=clat_ifindex,
    )


def _options(settings: Nat64Settings | SiitSettings, flags: int = 0) -> abi.TranslationOptions:
    options, pool = settings.options, settings.options.icmp_pool4
    if options.udp_without_checksum is Udp0.DROP:
        flags |= abi.DROP_UDP0
    return abi.TranslationOptions(
        tos=0 if options.tos is None else abi.OCTET_FIXED | options.tos,
        traffic_class=0 if options.traffic_class is None else abi.OCTET_FIXED | options.traffic_class,
        flags=flags,
        icmp_pool=pool.network_address.packed if pool else bytes(4),
        icmp_pool_size=pool.num_addresses if pool else 0,
        mtu4=settings.mtu4,
        mtu6=settings.mtu6,
    )


def _pref64(network: IPv6Network) -> abi.Pref64:
    return abi.Pref64(network.network_address.packed, network.prefixlen)


def _in_order(settings: Nat64Settings) -> list[PoolRange]:
    """As they stand in map pool4: a group's ranges lie together."""
    return sorted(settings.pool, key=lambda entry: entry.group)


def _sources(settings: Nat64Settings) -> Rows:
    identities = sorted(settings.identities, key=lambda i: i.network.prefixlen, reverse=True)
    rows = {}
    for network in {*settings.sources, *(i.network for i in identities)}:
        it = next((i for i in identities if network.subnet_of(i.network)), None)
        it = it or Identity(network, length=settings.client_prefix)
        client = it.client.packed if it.client else bytes(16)
        rows[_key6(network)] = bytes(abi.Source(client, 0 if it.client else it.length, it.group))
    return rows


def _places(settings: Nat64Settings) -> dict[IPv4Address, tuple[int, int]]:
    """Where in map pool4 the ranges of each address lie: the first, and among how many."""
    places: dict[IPv4Address, tuple[int, int]] = {}
    for index, entry in enumerate(_in_order(settings)):
        first, _ = places.get(entry.address, (index, 0))
        places[entry.address] = (first, index - first + 1)
    return places


def _most_ranges(settings: Nat64Settings) -> int:
    places = _places(settings)
    return max((places[entry.address][1] for entry in settings.pool if entry.shared), default=0)


def _pool_range(entry: PoolRange) -> abi.PoolRange:
    flags = abi.POOL_SHARED if entry.shared else 0
    flags |= sum(abi.POOL_PROTO << abi.BIB_PROTOS.index(proto) for proto in entry.protos)
    return abi.PoolRange(entry.address.packed, entry.ports.first, entry.ports.last, flags)


def _pool_addresses(settings: Nat64Settings) -> Rows:
    # An address that only static entries use is the node's own in every arrangement that we set up.
    rows = {entry.ipv4.packed: bytes(abi.PoolAddress(abi.POOL_SHARED)) for entry in settings.static}
    places = _places(settings)
    for entry in settings.pool:
        flags = abi.POOL_SHARED if entry.shared else 0
        rows[entry.address.packed] = bytes(abi.PoolAddress(flags, *places[entry.address]))
    return rows


def _destinations(settings: Nat64Settings | SiitSettings) -> Rows:
    return {_key4(n): _YES for n in settings.refused4} | {_key4(n): _NO for n in settings.open4}


def _eam(ipv4: IPv4Network, ipv6: IPv6Network) -> bytes:
    return bytes(abi.Eam(ipv6.network_address.packed, ipv4.network_address.packed, ipv4.prefixlen, ipv6.prefixlen, 0))


def _key4(network: IPv4Network) -> bytes:
    return bytes(abi.DestinationKey(network.prefixlen, network.network_address.packed))


def _key6(network: IPv6Network) -> bytes:
    return bytes(abi.SourceKey(network.prefixlen, network.network_address.packed))
