# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What `status` and `doctor` tell, read from the host and the data plane as they are now."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from v6native.config.facts import HostFacts
from v6native.config.model import (
    Config,
    Tunnel,
)
from v6native.config.modeldns import (
    Upstream,
)
from v6native.daemon.node import (
    InterfaceStatus,
    NodeStatus,
    PeerStatus,
    PoolStatus,
    TableUse,
    TunnelStatus,
)
from v6native.dataplane.door import DataPlane, Totals
from v6native.desired import Desired
from v6native.desired.node import tunnel_interface
from v6native.dns64 import probe
from v6native.dns64.settings import UpstreamServer
from v6native.doctor.facts import Facts, KernelFacts, ResolverFacts, RuleFacts, WorkerFacts
from v6native.doctor.resolvers import ask
from v6native.errors import DataPlaneError
from v6native.system.handshakes import PeerSeen

Peers = Mapping[str, Mapping[str, PeerSeen]]
"""By interface, then by public key; an interface that is not there is missing."""


def node_status(
    config: Config, name: str, facts: HostFacts, wanted: Desired, dataplane: DataPlane, peers: Peers
) -> NodeStatus:
    node = config.node(name)
    tunnels = [tunnel for tunnel in config.tunnels if tunnel.node == name]
    roles = {node.uplink: "uplink"} | dict.fromkeys(node.lan, "lan")
    roles |= {tunnel_interface(tunnel.name): "tunnel" for tunnel in tunnels}
    for link in wanted.links:
        roles.setdefault(link.name, "translator")
    nat64 = wanted.dataplane.nat64 if wanted.dataplane is not None else None
    totals = _totals(dataplane)
    return NodeStatus(
        node=name,
        interfaces=tuple(_interface(facts, interface, role) for interface, role in roles.items()),
        pref64=config.network.pref64,
        pool4=tuple(PoolStatus(p.address, p.ports.first, p.ports.last, p.shared) for p in nat64.pool) if nat64 else (),
        sources=nat64.sources if nat64 else (),
        sessions=TableUse(totals.sessions, totals.max_sessions),
        bib=totals.bib,
        clients=totals.clients,
        port_blocks=totals.blocks,
        tunnels=tuple(_tunnel(config, tunnel, peers) for tunnel in tunnels),
    )


def _totals(dataplane: DataPlane) -> Totals:
    """Zeros where nothing is loaded: the status of a broken node is worth telling, too."""
    try:
        return dataplane.totals()
    except DataPlaneError:
        return Totals(0, 0, 0)


def _interface(facts: HostFacts, name: str, role: str) -> InterfaceStatus:
    found = facts.interface(name)
    if found is None:
        return InterfaceStatus(name, role, False, None, ())
    return InterfaceStatus(name, role, True, found.mtu, tuple(str(a) for a in (*found.ipv4, *found.ipv6)))


def _tunnel(config: Config, tunnel: Tunnel, peers: Peers) -> TunnelStatus:
    interface = tunnel_interface(tunnel.name)
    seen = peers.get(interface, {})
    nothing = PeerSeen(None, None, 0, 0)
    listed = []
    for client in config.clients:
        if client.tunnel == tunnel.name and client.enabled:
            known = seen.get(client.public_key, nothing)
            listed.append(
                PeerStatus(
                    client.name,
                    client.address6,
                    client.address4,
                    known.endpoint,
                    _age(known.handshake),
                    known.received,
                    known.sent,
                )
            )
    return TunnelStatus(tunnel.name, interface, interface in peers, tunnel.listen, tuple(listed))


def _age(handshake: int | None) -> float | None:
    """WireGuard tells the time of day of a handshake, so a clock that was set back makes it 0, never negative."""
    return None if handshake is None else max(0.0, time.time() - handshake)


@dataclass(frozen=True, slots=True)
class Observed:
    """What the doctor is handed by those who can look; the rest it gathers here."""

    facts: HostFacts
    kernel: KernelFacts
    missing_tools: tuple[str, ...]
    wanted: Desired
    dataplane: DataPlane | None
    pending: tuple[str, ...]
    rules: tuple[RuleFacts, ...]
    workers: Sequence[WorkerFacts]
    ask: bool


def doctor_facts(config: Config, name: str, seen: Observed) -> Facts:
    node = config.node(name)
    plane = seen.dataplane
    return Facts(
        config=config,
        node=node,
        host=seen.facts,
        kernel=seen.kernel,
        in_place=plane is not None,
        sysctls=dict(_sysctls([node.uplink, *(link.name for link in seen.wanted.links)])),
        rules=seen.rules,
        pending=seen.pending if plane is not None else (),
        workers=tuple(seen.workers),
        resolvers=resolvers(config, seen.facts) if seen.ask else None,
        missing_tools=seen.missing_tools,
        dataplane=seen.wanted.dataplane,
        notes=seen.wanted.findings,
        reasons=plane.reasons() if plane is not None else (),
        counters=plane.counters() if plane is not None else {},
        totals=plane.totals() if plane is not None else None,
    )


def resolvers(config: Config, facts: HostFacts) -> tuple[ResolverFacts, ...]:
    """What the DNS64's upstreams answer now, in the file's order; it takes seconds where they do not."""
    if not config.dns64.enabled:
        return ()
    upstreams = config.dns64.upstream or [Upstream(address) for address in facts.resolvers]
    encrypted = [upstream for upstream in upstreams if upstream.tls is not None]
    servers = [UpstreamServer(u.address, u.port, tls=u.tls) for u in encrypted]
    errors = probe.ask(servers, config.dns64.authorities) if servers else ()
    told = {fact.upstream: fact for fact in ask([upstream for upstream in upstreams if upstream.tls is None])}
    told |= {upstream: ResolverFacts(upstream, error) for upstream, error in zip(encrypted, errors, strict=True)}
    return tuple(told[upstream] for upstream in upstreams)


def _sysctls(interfaces: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Those that the checks look at. An interface that is not there has none."""
    keys = [
        "net/ipv4/ip_forward",
        "net/ipv6/conf/all/forwarding",
        "net/ipv4/conf/all/rp_filter",
        "net/netfilter/nf_conntrack_count",
    ]
    for interface in interfaces:
        keys += [f"net/ipv4/conf/{interface}/rp_filter", f"net/ipv6/conf/{interface}/accept_ra"]
    for key in keys:
        try:
            yield key, (Path("/proc/sys") / key).read_text().strip()
        except OSError:
            continue
