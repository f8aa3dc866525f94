# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The listening side: who may ask, UDP, and the answers of this second.

The hot path is `_readable`: a datagram that was asked before in this second, by any client of the same view, gets the
same octets but for its id. So TTLs need no counting there, a reload needs no invalidation, and memory is bounded.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from ipaddress import IPv6Network
from pathlib import Path

import structlog

from v6native.address import WKP
from v6native.dns64 import wire
from v6native.dns64.answer import Answer
from v6native.dns64.blocklist import Blocked, Blocklists
from v6native.dns64.channel import forget_authorities
from v6native.dns64.clients import Access, Client, Clients
from v6native.dns64.framing import Lengths
from v6native.dns64.gateways import Gateways
from v6native.dns64.loop import READ, Loop
from v6native.dns64.query import Query, cut, parse_query, refuse, respond
from v6native.dns64.querylog import QueryLog
from v6native.dns64.resolver import Resolver
from v6native.dns64.rules import Policy, View
from v6native.dns64.settings import Dns64Settings, IPNetwork, Listen, Pref64, Tls, UpstreamServer
from v6native.dns64.special import LocalRecords
from v6native.dns64.stats import Cell, Stats
from v6native.dns64.tcp import Send, TcpServer, Transport
from v6native.dns64.tls import Certificate, TlsSocket
from v6native.dns64.topnames import TopNames
from v6native.dns64.upstream import Upstreams

# Datagrams taken from one socket before the others have their turn.
_BATCH = 64
# Longer queries exist only as an attack: a name has 255 octets, and EDNS options of clients are short.
_LONGEST_QUERY = 4096
_FRESH_ENTRIES = 16384
_FRESH_LONGEST = 1232
_BACKLOG = 256
_RECEIVE_BUFFER = 1 << 21
_log = structlog.get_logger("dns64")
_IP_FREEBIND, _IPV6_FREEBIND = 15, 78
_IP_MTU_DISCOVER, _IP_PMTUDISC_OMIT = 10, 5


class Server:
    """Listens from its creation on; OSError, naming the address, where it cannot."""

    def __init__(self, loop: Loop, stats: Stats, settings: Dns64Settings, health: Path | None = None) -> None:
        """`health`: the file that tells which gateways work."""
        self.loop = loop
        self.stats = stats
        # Without TLS, which `_use` turns on.
        self.settings = replace(settings, tls=None)
        upstreams = self._asking(settings, settings.upstreams)
        local = LocalRecords(settings.local)
        self.resolver = Resolver(loop, stats, upstreams, local, settings.timing, settings.limits)
        self.resolver.zones = self._zones(settings)
        self.names = TopNames(loop)
        self._clients = Clients(self.names.mark)
        strange = lambda client: client.access.view is None  # noqa: E731
        self._tcp = TcpServer(loop, stats, self._clients.admit, strange, self._handle_stream)
        self._listeners: dict[Listen, tuple[socket.socket, socket.socket]] = {}
        self._encrypted: dict[Listen, socket.socket] = {}
        self._certificate: Certificate | None = None
        self._not_listening: dict[str, str] = {}
        self._blocked = Blocked()
        self._blocklists: Blocklists | None = None
        self._blocking: tuple[object, ...] = ((), (), settings.local)
        self._log: QueryLog | None = None
        self._second = 0
        self._gateways: Gateways | None = None
        self._open(settings)
        self._use(settings)
        if health is not None:
            self._gateways = Gateways(loop, health, self._use_gateways)

    def reload(self, settings: Dns64Settings) -> None:
        """Takes on other settings and keeps cache and connections; OSError: nothing has changed."""
        self._open(settings)
        before, resolver = self.settings, self.resolver
        forget_authorities()
        anew = (before.timing, before.authorities) != (settings.timing, settings.authorities)
        if anew or before.upstreams != settings.upstreams:
            # Questions under way end with the old ones.
            resolver.upstreams = self._asking(settings, settings.upstreams)
        if anew or before.zones != settings.zones:
            resolver.zones = self._zones(settings)
        if (before.upstreams, before.zones) != (settings.upstreams, settings.zones):
            # Other servers may say other things.
            resolver.cache.clear()
        resolver.local = LocalRecords(settings.local)
        resolver.timing, resolver.limits = settings.timing, settings.limits
        resolver.cache.resize(settings.limits.cache_entries, settings.limits.cache_bytes, int(self.loop.now))
        self._use(settings)

    def close(self) -> None:
        if self._gateways is not None:
            self._gateways.close()
        if self._log is not None:
            self._log.close()
        self._tcp.close()
        self._encrypt(None)
        if self._blocklists is not None:
            self._blocklists.close()
        for listen in list(self._listeners):
            self._close(listen)
        for upstreams in (self.resolver.upstreams, *self.resolver.zones.values()):
            upstreams.close()

    def document(self) -> dict[str, object]:
        """For the stats socket."""
        self.names.fold()
        cache = self.resolver.cache
        own: dict[str, object] = {
            "listen": [f"{listen.address}#{listen.port}" for listen in self._listeners],
            "encrypted": [f"{listen.address}#{listen.port}" for listen in self._encrypted],
            "not_listening": [f"{where}: {why}" for where, why in self._not_listening.items()],
            "blocked_names": len(self._blocked),
            "pref64": [str(rule.prefix) for rule in self.settings.pref64],
            "gateways_down": sorted(map(str, self._gateways.down)) if self._gateways is not None else [],
            "cache_entries": len(cache),
            "cache_bytes": cache.bytes,
            "cache_evicted": cache.evicted,
            "cache_misses": self.resolver.misses,
            "cache_hits": max(0, self.stats.answered() - self.resolver.misses),
            "pending": self.resolver.jobs,
            "tcp_open": len(self._tcp),
            "tcp_unsent": self._tcp.unsent,
            "internal_errors": self.loop.errors,
        }
        servers: dict[str, dict[str, float]] = {}
        problems: list[str] = []
        for upstreams in (*self.resolver.zones.values(), self.resolver.upstreams):
            problems += upstreams.problems()
            for number, by_server in upstreams.document().items():
                servers.setdefault(number, {}).update(by_server)
        return self.stats.document() | own | {"upstream_problems": problems} | servers

    def _zones(self, settings: Dns64Settings) -> dict[bytes, Upstreams]:
        return {wire.name_from_text(zone.name): self._asking(settings, zone.upstreams) for zone in settings.zones}

    def _asking(self, settings: Dns64Settings, servers: tuple[UpstreamServer, ...]) -> Upstreams:
        return Upstreams(self.loop, self.stats, servers, settings.timing, settings.authorities)

    def _open(self, settings: Dns64Settings) -> None:
        """Opens what is new, all or nothing."""
        opened: dict[Listen, tuple[socket.socket, socket.socket]] = {}
        try:
            for listen in settings.listen:
                if listen not in self._listeners and listen not in opened:
                    opened[listen] = (_bound(listen, socket.SOCK_DGRAM), _bound(listen, socket.SOCK_STREAM))
        except OSError:
            for pair in opened.values():
                for made in pair:
                    made.close()
            raise
        for listen, (udp, tcp) in opened.items():
            self._listeners[listen] = (udp, tcp)
            self.loop.add(udp.fileno(), READ, partial(self._readable, udp))
            self._tcp.listen(tcp)

    def _use(self, settings: Dns64Settings) -> None:
        for listen in [listen for listen in self._listeners if listen not in settings.listen]:
            self._close(listen)
        if settings.tls != self.settings.tls or (settings.tls and not self._encrypted):
            self._encrypt(settings.tls)
        if (settings.block, settings.never_block, settings.local) != self._blocking:
            self._block(settings)
        self.settings = settings
        self.names.use(settings.count_names)
        if self._log is not None:
            self._log.close()
        self._log = QueryLog(self.loop, self.stats, Path(settings.query_log)) if settings.query_log else None
        self._tcp.limit, self._tcp.idle = settings.limits.tcp_connections, settings.timing.tcp_idle
        self._admit()

    def _use_gateways(self, down: frozenset[IPv6Network]) -> None:
        _log.warning("gateways that do not work", pref64=sorted(map(str, down)))
        self._admit()

    def _admit(self) -> None:
        down = self._gateways.down if self._gateways is not None else frozenset()
        self._clients.use(accesses(self.settings, self._is_blocked, down), self.settings.limits.client_per_second)

    def _block(self, settings: Dns64Settings) -> None:
        """The old lists hold until the new ones are read."""
        self._blocking = (settings.block, settings.never_block, settings.local)
        if self._blocklists is not None:
            self._blocklists.close()
        # What the operator answers himself he wants answered.
        allowed = [*settings.never_block, *(record.name for record in settings.local)]
        files = [Path(file) for file in settings.block]
        names = list(map(wire.name_from_text, allowed))
        self._blocklists = Blocklists(self.loop, files, names, self._use_blocked) if files else None
        if not files:
            self._blocked = Blocked()

    def _use_blocked(self, blocked: Blocked) -> None:
        self._blocked = blocked
        _log.info("read the block lists", names=len(blocked))

    def _is_blocked(self, name: bytes) -> bool:
        return self._blocked.blocks(name)

    def _encrypt(self, tls: Tls | None) -> None:
        """Listens for DNS over TLS and HTTPS. What cannot be had, a port or the certificate, is told, and the rest goes on:
        names are answered all the same."""
        for listening in self._encrypted.values():
            self.loop.remove(listening.fileno())
            listening.close()
        if self._certificate is not None:
            self._certificate.close()
        self._encrypted, self._certificate, self._not_listening = {}, None, {}
        if tls is None:
            return
        try:
            self._certificate = certificate = Certificate(self.loop, Path(tls.certificate), Path(tls.key))
        except OSError as error:
            self._without("TLS", f"{tls.certificate}, {tls.key}: {error.strerror or error}")
            return
        # Only here: a worker that is back after a death has no time for what it does not use.
        from v6native.dns64.doh import Http2

        dot = Transport("dot", Lengths, lambda client: TlsSocket(client, certificate.context("dot")))
        doh = Transport("doh", Http2, lambda client: TlsSocket(client, certificate.context("h2")))
        for transport, listens in ((dot, tls.dot), (doh, tls.doh)):
            for listen in listens:
                try:
                    listening = _bound(listen, socket.SOCK_STREAM)
                except OSError as error:
                    self._without(f"{listen.address}#{listen.port}", error.strerror or str(error))
                    continue
                self._encrypted[listen] = listening
                self._tcp.listen(listening, transport)

    def _without(self, what: str, why: str) -> None:
        self._not_listening[what] = why
        _log.error("does not listen", what=what, problem=why)

    def _close(self, listen: Listen) -> None:
        for made in self._listeners.pop(listen):
            self.loop.remove(made.fileno())
            made.close()

    def _readable(self, udp: socket.socket, _events: int) -> None:
        if int(self.loop.now) != self._second:
            self._second = int(self.loop.now)
            self._clients.next_second()
        known, admit, most = self._clients.known, self._clients.admit, self._clients.most or sys.maxsize
        receive, send = udp.recvfrom, udp.sendto
        for _ in range(_BATCH):
            try:
                data, peer = receive(_LONGEST_QUERY)
                client = known.get(peer[0]) or admit(peer[0])
                asked = client.asked
                asked[0] = count = asked[0] + 1
                fresh = client.fresh.get(data[2:])
                if fresh is not None and count <= most:
                    tail, cell = fresh
                    send(data[:2] + tail, peer)
                    cell[0] += 1
                    continue
            except BlockingIOError:
                return
            except OSError:
                self.stats.count("udp-send-failed")
                continue
            if count > most:
                self._too_many(udp, data, peer, count)
            else:
                self._handle_udp(udp, data, peer, client)

    def _too_many(self, udp: socket.socket, data: bytes, peer: tuple[str, int], asked: int) -> None:
        """Of a client above its limit, each second question is told to come by TCP, which nobody can in another's name; the
        others get nothing, so that what is sent to a victim is not more than what was sent in its name."""
        self.stats.count("client-limited")
        query = parse_query(data) if asked % 2 else None
        if query is not None and not query.rcode:
            try:
                udp.sendto(cut(query), peer)
            except OSError:
                self.stats.count("udp-send-failed")

    def _handle_udp(self, udp: socket.socket, data: bytes, peer: tuple[str, int], client: Client) -> None:
        access = client.access
        query = parse_query(data)
        if query is None:
            self.stats.count("not-a-query")
            return

        def send(out: bytes, _seconds: int) -> None:
            try:
                udp.sendto(out, peer)
            except OSError:
                self.stats.count("udp-send-failed")

        began = self.loop.now

        def done(answer: Answer) -> None:
            now = int(self.loop.now)
            out = respond(query, answer, now, query.limit)
            cell = self._counted("udp", query, answer, client)
            send(out, 0)
            fresh = access.fresh
            if self._log is not None:
                # What is fresh is answered without a look at who asks.
                self._log.note("udp", peer[0], query, answer, self.loop.now - began)
            elif answer.expires > now == self._second and len(out) <= _FRESH_LONGEST and len(fresh) < _FRESH_ENTRIES:
                fresh[data[2:]] = (out[2:], cell)

        if not self._refused("udp", query, access, send) and access.view is not None:
            self.resolver.answer(query, access.view, done)

    def _handle_stream(self, transport: str, data: bytes, client: Client, send: Send) -> bool:
        access = client.access
        query = parse_query(data)
        if query is None:
            self.stats.count("not-a-query")
            return False

        began = self.loop.now

        def done(answer: Answer) -> None:
            now = int(self.loop.now)
            self._counted(transport, query, answer, client)
            if self._log is not None:
                self._log.note(transport, client.address, query, answer, self.loop.now - began)
            send(respond(query, answer, now, wire.MAX_MESSAGE), max(0, answer.expires - now))

        if access.view is not None and self._clients.over(client):
            self.stats.count("client-limited")
            send(refuse(query, wire.REFUSED), 0)
            return True
        if not self._refused(transport, query, access, send) and access.view is not None:
            self.resolver.answer(query, access.view, done)
        return True

    def _refused(self, transport: str, query: Query, access: Access, send: Send) -> bool:
        """Answers what needs no thought: clients that may not ask, and questions that make no sense."""
        rcode = wire.REFUSED if access.view is None else query.rcode
        if not rcode:
            return False
        self.stats.answer_cell(transport, query.type, "refused" if access.view is None else "malformed", rcode)[0] += 1
        send(refuse(query, rcode), 0)
        return True

    def _counted(self, transport: str, query: Query, answer: Answer, client: Client) -> Cell:
        cell = self.stats.answer_cell(transport, query.type, answer.origin, answer.rcode)
        view = client.access.view
        if query.type == wire.AAAA and self.names.enabled and view is not None and answer.has_answer:
            cell = self.names.cell(query.name, answer, view, client.mark, cell)
        cell[0] += 1
        return cell


def accesses(
    settings: Dns64Settings,
    blocked: Callable[[bytes], bool] = lambda _name: False,
    down: Collection[IPv6Network] = (),
) -> list[tuple[IPNetwork, Access]]:
    """Who may ask, and what is theirs, the longest prefix first. A view gives no right to ask. Prefixes that are `down` are not
    used where another one is left."""
    policy = Policy(
        settings.exclude_aaaa,
        settings.exclude_ipv4,
        settings.open_ipv4,
        frozenset(wire.name_from_text(name) for name in settings.never_synthesize),
        settings.aaaa_failure,
        settings.tls,
        blocked,
    )
    rules = settings.pref64 + tuple(rule for view in settings.views for rule in view.pref64)
    reverse64 = tuple(dict.fromkeys((*(rule.prefix for rule in rules), WKP)))

    def access(pref64: tuple[Pref64, ...]) -> Access:
        return Access(View(tuple(rule for rule in pref64 if rule.prefix not in down) or pref64, reverse64, policy))

    default = access(settings.pref64)
    found: dict[IPNetwork, Access] = dict.fromkeys(settings.allow, default)
    by_source: dict[IPNetwork, Access] = {}
    for view in settings.views:
        by_source |= dict.fromkeys(view.sources, access(view.pref64))
    for source, own in sorted(by_source.items(), key=lambda item: item[0].prefixlen):
        for allowed in settings.allow:
            if allowed.version != source.version or not allowed.overlaps(source):
                continue
            # Of two prefixes that overlap, one holds the other: the smaller is what both say.
            smaller = source if source.prefixlen >= allowed.prefixlen else allowed
            found[smaller] = own
    return sorted(found.items(), key=lambda item: -item[0].prefixlen)


def _bound(listen: Listen, kind: int) -> socket.socket:
    """A listening socket. An address that is not there yet is fine: interfaces come and go under a running server."""
    v4 = listen.address.version == 4
    made = socket.socket(socket.AF_INET if v4 else socket.AF_INET6, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        # A successor overlaps with this process, so that no question goes unanswered.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if v4:
            made.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        else:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
        if kind == socket.SOCK_DGRAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            if v4:
                # Without DF, and deaf to forged "fragmentation needed".
                made.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_OMIT)
        made.bind(socket.getaddrinfo(str(listen.address), listen.port, flags=socket.AI_NUMERICHOST)[0][4])
        if kind == socket.SOCK_STREAM:
            made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        transport = "TCP" if kind == socket.SOCK_STREAM else "UDP"
        raise OSError(error.errno, f"{listen.address} port {listen.port}, {transport}: {error.strerror}") from error
    return made
