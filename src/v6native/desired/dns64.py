# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the DNS64 worker of this node is told (RFC 6147): where it answers, whom, and whom it asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network

from v6native.config.modeldns import (
    DnsEngine,
    DnsRecord,
    DnsTls,
    RecordType,
    Upstream,
)
from v6native.desired.model import Note
from v6native.desired.node import Here, first_address4, first_address6
from v6native.desired.state import AnyAddress, AnyNetwork, SettingsFile
from v6native.desired.translators import sources
from v6native.dns64.settings import (
    Dns64Settings,
    Limits,
    Listen,
    Pref64,
    Timing,
    Tls,
    UpstreamServer,
    View,
    Zone,
)

FILE = "dns64.json"

LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


def files(here: Here) -> tuple[SettingsFile, ...]:
    """The settings file; none where DNS64 is off, or has nobody to ask or nowhere to answer (`notes` says so)."""
    settings = here.config.dns64
    listen, upstreams = listeners(here), upstream_servers(here)
    if settings.engine is not DnsEngine.BUILTIN or not answers(here) or not upstreams:
        return ()
    document = Dns64Settings(
        listen=tuple(Listen(address) for address in listen),
        upstreams=upstreams,
        pref64=_rules(settings.pref64),
        views=tuple(_views(here)),
        allow=tuple(allowed(here)),
        exclude_aaaa=settings.exclude_aaaa,
        exclude_ipv4=settings.exclude_ipv4,
        never_synthesize=settings.never_synthesize,
        block=settings.block,
        never_block=settings.never_block,
        aaaa_failure=settings.aaaa_failure,
        local=records(here),
        zones=tuple(Zone(zone.name, _servers(zone.upstream)) for zone in settings.zones),
        authorities=settings.authorities,
        count_names=settings.count_names,
        query_log=settings.query_log,
        tls=_tls(settings.tls, listen),
        timing=Timing() if settings.serve_stale else Timing(stale=0),
        limits=Limits(client_per_second=settings.client_per_second),
        open_ipv4=here.config.nat64.allow_ipv4,
    )
    return (SettingsFile(FILE, document.to_json()),)


def records(here: Here) -> tuple[DnsRecord, ...]:
    """The file's, and the names of this node and of tunnel clients under the network's domain, forward and reverse; what the file says
    of a name counts."""
    given = here.config.dns64.records
    named = [(here.node.name, address) for address in _own(here)]
    for client in here.config.clients:
        if client.enabled:
            addresses = (client.address6, client.address4)
            named += [(client.name, address) for address in addresses if address is not None]
    taken = {record.name for record in given}
    made = [] if here.config.network.domain is None else _named(named, here.config.network.domain)
    return (*given, *(record for record in made if record.name not in taken))


def _named(named: Iterable[tuple[str, AnyAddress]], domain: str) -> list[DnsRecord]:
    found: list[DnsRecord] = []
    for label, address in named:
        name, kind = f"{label}.{domain}", RecordType.A if address.version == 4 else RecordType.AAAA
        found += [
            DnsRecord(name, kind, str(address)),
            DnsRecord(address.reverse_pointer, RecordType.PTR, name),
        ]
    return found


def _own(here: Here) -> list[AnyAddress]:
    """Those of the node that its clients see."""
    inside = [address for name in here.node.lan for address in _addresses(here, name)]
    tunnels: list[AnyAddress] = [first_address6(tunnel).ip for tunnel in here.tunnels]
    tunnels += [address.ip for tunnel in here.tunnels if (address := first_address4(tunnel)) is not None]
    return _once([*inside, *tunnels])


def answers(here: Here) -> bool:
    """Whether this node is a DNS64 at all."""
    return here.config.dns64.enabled and bool(here.config.network.pref64) and bool(listeners(here))


def notes(here: Here) -> tuple[Note, ...]:
    if not here.config.dns64.enabled or not here.config.network.pref64:
        return ()
    found = []
    if not listeners(here):
        found.append(
            Note(
                "dns64-no-address",
                f"DNS64 has no address on {here.node.name} to answer on",
                "give one of node.lan an IPv6 address, or name addresses of this node in dns64.listen",
            )
        )
    if not upstream_servers(here) and not here.config.dns64.runs_unbound:
        found.append(
            Note(
                "dns64-no-upstream",
                "DNS64 has no resolver to ask: /etc/resolv.conf names none but ourselves",
                "name resolvers in dns64.upstream",
            )
        )
    return tuple(found)


def listeners(here: Here) -> list[AnyAddress]:
    """The file's addresses as far as this node has them; default: its own on LANs and tunnels."""
    wanted = here.config.dns64.listen
    own = _own(here)
    if not wanted:
        return own
    every = [*(a for i in here.facts.interfaces if not i.ours for a in _addresses(here, i.name)), *own]
    chosen: list[AnyAddress] = []
    for address in wanted:
        if address.is_unspecified:
            # An answer must leave from the address that was asked, so each is named.
            chosen += [one for one in every if one.version == address.version]
        elif address in every or address.is_loopback:
            chosen.append(address)
    return _once(chosen)


def _addresses(here: Here, name: str) -> list[AnyAddress]:
    found = here.facts.interface(name)
    every: list[AnyAddress] = [*(a.ip for a in found.global_ipv6), *(a.ip for a in found.ipv4)] if found else []
    return [address for address in every if not address.is_loopback]


def upstream_servers(here: Here) -> tuple[UpstreamServer, ...]:
    """The file's, else the system's; never ourselves, who would ask ourselves forever."""
    if here.config.dns64.upstream:
        return _servers(here.config.dns64.upstream)
    ours = listeners(here)
    return tuple(UpstreamServer(address) for address in _once(here.facts.resolvers) if address not in ours)


def _servers(given: Iterable[Upstream]) -> tuple[UpstreamServer, ...]:
    return tuple(UpstreamServer(server.address, server.port, tls=server.tls) for server in given)


def allowed(here: Here) -> list[AnyNetwork]:
    """Who may be translated, the links and tunnels inside, and the node itself: never an open resolver."""
    inside: list[AnyNetwork] = [*LOOPBACK, *sources(here)]
    for name in here.node.lan:
        inside += [*here.facts.onlink6(name), *here.facts.onlink4(name)]
    for tunnel in here.tunnels:
        inside.append(tunnel.prefix)
        if tunnel.clat4 is not None:
            inside.append(tunnel.clat4)
    for interface in here.facts.interfaces:
        inside += [ip_network(address) for address in _addresses(here, interface.name) if not interface.ours]
    return sorted(set(inside), key=lambda network: (network.version, network))


def _tls(told: DnsTls | None, listen: Sequence[AnyAddress]) -> Tls | None:
    if told is None:
        return None

    def on(port: int) -> tuple[Listen, ...]:
        return tuple(Listen(address, port) for address in listen) if port else ()

    return Tls(told.certificate, told.key, told.name, on(told.dot), on(told.doh))


def _views(here: Here) -> Iterator[View]:
    """A client of a tunnel that has the CLAT gets none of ours; what the file says of its address goes first."""
    settings = here.config.dns64
    here_too = {tunnel.name for tunnel in here.tunnels}
    if not settings.synthesize_for_dual:
        for client in here.config.clients:
            if client.enabled and client.tunnel in here_too and client.address4 is not None:
                yield View((ip_network(client.address6), ip_network(client.address4)), ())
    for view in settings.views:
        yield View(view.source, _rules(view.pref64))


def _rules(prefixes: Iterable[IPv6Network]) -> tuple[Pref64, ...]:
    return tuple(Pref64(prefix) for prefix in prefixes)


def _once(addresses: Iterable[AnyAddress]) -> list[AnyAddress]:
    return list(dict.fromkeys(addresses))
