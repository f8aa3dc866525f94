# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of the file → the frozen Config, defaults that depend on other keys filled in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path

from v6native.config import values
from v6native.config.file import (
    ClatTable,
    LogTable,
    Nat64Table,
    NetworkFile,
    NodeTable,
    PoolTable,
    StaticTable,
    TunnelTable,
)
from v6native.config.filedns import Dns64Table
from v6native.config.model import (
    Clat,
    Client,
    Config,
    Eam,
    Health,
    Limits,
    Log,
    Nat64,
    Network,
    Node,
    OwnIPv4,
    Pool,
    Pool4Entry,
    PortRange,
    StaticBib,
    Timeouts,
    TranslationOptions,
    Tunnel,
)
from v6native.config.modeldns import (
    OWN_UNBOUND,
    Dns64,
    DnsRecord,
    DnsTls,
    DnsView,
    DnsZone,
    Upstream,
)

UNBOUND = (Upstream(IPv4Address("127.0.0.1")), Upstream(IPv6Address("::1")))
CLAT_PARTS = (0x64, 0x46, 0xC1)  # tried in this order


def convert(file: NetworkFile, path: Path) -> Config:
    """Trusts that every value is well-formed; what does not fit together is left for rules/ to find."""
    return Config(
        path=path,
        network=Network(file.network.name, tuple(file.network.prefix), tuple(file.network.pref64), file.network.domain),
        nodes=tuple(
            Node(name, node.uplink, tuple(node.lan), _pool4(name, node, file), node.own_ipv4)
            for name, node in file.node.items()
        ),
        nat64=_nat64(file.nat64, file),
        clat=Clat(clat_prefix(file), tuple(Eam(eam.ipv4, eam.ipv6) for eam in file.clat.eam), _options(file.clat)),
        dns64=_dns64(file.dns64, file.network.pref64),
        tunnels=tuple(_tunnel(name, tunnel, file) for name, tunnel in file.tunnel.items()),
        clients=tuple(
            Client(name, client.tunnel, client.public_key, client.address6, client.address4, client.enabled)
            for name, client in file.client.items()
        ),
        log=_log(file.log),
        health=Health(tuple(file.health.probe), file.health.interval),
    )


def clat_prefix(file: NetworkFile) -> IPv6Network | None:
    """The file's; else derived, where a tunnel has IPv4 or a node's own IPv4 takes the CLAT; None: not needed, or no room."""
    if file.clat.prefix is not None:
        return file.clat.prefix
    tunnels = [tunnel.prefix for tunnel in file.tunnel.values() if tunnel.clat4]
    if not tunnels and not any(node.own_ipv4 is OwnIPv4.CLAT for node in file.node.values()):
        return None
    taken = [*file.network.pref64, *(tunnel.prefix for tunnel in file.tunnel.values())]
    devices = {client.address6 for client in file.client.values()}
    return derive_clat96([*tunnels, *file.network.prefix], taken, devices)


def derive_clat96(
    bases: Iterable[IPv6Network], taken: Collection[IPv6Network], devices: Collection[IPv6Address] = ()
) -> IPv6Network | None:
    """A /96 in the first of `bases` that has room for one beside what is `taken`; what holds the whole base does not count.

    Up to /48 it is a subnet of its own, else a part of the subnet; bits 64 to 71 stay zero (RFC 6052 §2.2).
    """
    for base in (b for b in bases if b.prefixlen <= 64):
        shift = 64 if base.prefixlen <= 48 else 48
        for part in CLAT_PARTS:
            found = IPv6Network((int(base.network_address) | part << shift, 96))
            beside = not any(found.overlaps(other) for other in taken if not base.subnet_of(other))
            if beside and not any(device in found for device in devices):
                return found
    return None


def tunnel_node(tunnel: TunnelTable | PoolTable, file: NetworkFile) -> str:
    """Where a tunnel ends, or whose a pool is; "" where the file does not say and has several nodes, which is an error of its own."""
    if tunnel.node is not None:
        return tunnel.node
    return next(iter(file.node)) if len(file.node) == 1 else ""


def _pool4(name: str, node: NodeTable, file: NetworkFile) -> tuple[Pool4Entry, ...]:
    """The entries, the shared ones without the ports on which this node's tunnels listen: those stay the node's."""
    taken = {t.listen for t in file.tunnel.values() if tunnel_node(t, file) == name}
    given = list(node.pool4)
    for group, pool in enumerate(file.nat64.pool, 1):
        if tunnel_node(pool, file) == name:
            given += [replace(entry, group=group) for entry in pool.pool4]
    entries: list[Pool4Entry] = []
    for entry in given:
        first = entry.ports.first
        for port in sorted(p for p in taken if entry.shared and first <= p <= entry.ports.last):
            if port > first:
                entries.append(replace(entry, ports=PortRange(first, port - 1)))
            first = port + 1
        if first <= entry.ports.last:
            entries.append(replace(entry, ports=PortRange(first, entry.ports.last)))
    return tuple(entries)


def _nat64(table: Nat64Table, file: NetworkFile) -> Nat64:
    timeout, limit = table.timeout, table.limit
    return Nat64(
        enabled=table.enabled,
        sources=tuple(table.sources),
        allow_ipv4=tuple(table.allow_ipv4),
        lowest_ipv6_mtu=table.lowest_ipv6_mtu,
        sessions=table.sessions,
        fast_path=table.fast_path,
        timeout=Timeouts(timeout.tcp_est, timeout.tcp_trans, timeout.tcp_incoming_syn, timeout.udp, timeout.icmp),
        static=tuple(_static(s) for s in table.static),
        refuse_ipv4=tuple(table.refuse_ipv4),
        filtering=table.filtering,
        reset_orphans=table.reset_orphans,
        client_prefix=table.client_prefix,
        port_block=table.port_block,
        limit=Limits(limit.ports, limit.sessions, limit.new_per_second),
        pools=tuple(Pool(tunnel_node(p, file), tuple(p.source), p.mark) for p in table.pool),
        options=_options(table),
    )


def _options(table: Nat64Table | ClatTable) -> TranslationOptions:
    return TranslationOptions(
        icmp_rate=table.icmp_rate,
        icmp_pool4=table.icmp_pool4,
        tos=table.tos,
        traffic_class=table.traffic_class,
        udp_without_checksum=table.udp_without_checksum,
    )


def _static(table: StaticTable) -> StaticBib:
    (ipv4, ports4), (ipv6, ports6) = table.ipv4, table.ipv6
    count = ports4.last - ports4.first + 1
    return StaticBib(table.proto, ipv4, ports4.first, ipv6, ports6.first, table.node, table.pref64, count)


def _dns64(table: Dns64Table, pref64: Sequence[IPv6Network]) -> Dns64:
    upstream: list[Upstream] = []
    for given in table.upstream:
        if isinstance(given, Upstream):
            upstream.append(given)
        elif given == "unbound":
            upstream.extend(UNBOUND)
        elif given == "own":
            upstream.append(OWN_UNBOUND)
    return Dns64(
        enabled=table.enabled,
        engine=table.engine,
        listen=tuple(table.listen),
        upstream=tuple(upstream),
        pref64=tuple(table.pref64 or pref64[:1]),
        synthesize_for_dual=table.synthesize_for_dual,
        exclude_aaaa=tuple(table.exclude_aaaa),
        exclude_ipv4=tuple(table.exclude_ipv4),
        never_synthesize=tuple(table.never_synthesize),
        aaaa_failure=table.aaaa_failure,
        block=tuple(table.block),
        never_block=tuple(table.never_block),
        serve_stale=table.serve_stale,
        client_per_second=table.client_per_second,
        authorities=table.authorities,
        count_names=table.count_names,
        query_log=table.query_log,
        trust_anchor=table.trust_anchor,
        tls=None if table.tls is None else DnsTls(**table.tls.model_dump()),
        views=tuple(DnsView(tuple(view.source), tuple(view.pref64)) for view in table.view),
        zones=tuple(DnsZone(zone.name, tuple(zone.upstream)) for zone in table.zone),
        records=tuple(DnsRecord(record.name, record.type, record.value, record.ttl) for record in table.record),
    )


def _log(table: LogTable) -> Log:
    return Log(table.enabled, values.seconds(table.retention), tuple(table.syslog), tuple(table.ipfix))


def _tunnel(name: str, table: TunnelTable, file: NetworkFile) -> Tunnel:
    return Tunnel(
        name=name,
        node=tunnel_node(table, file),
        listen=table.listen,
        prefix=table.prefix,
        clat4=table.clat4,
        mtu=table.mtu,
        endpoint=table.endpoint,
    )
