# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A scripted upstream and a running DNS64 on loopback, with real sockets on both sides."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Network, ip_network
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

from v6native.dns64.loop import Loop
from v6native.dns64.server import Server
from v6native.dns64.settings import Dns64Settings, Limits, Listen, Pref64, Timing, UpstreamServer
from v6native.dns64.stats import Stats

LOOPBACK = "127.0.0.1"
PREF64 = IPv6Network("2001:db8:64:64::/96")
DEADLINE = 10.0
SOA = "{zone} 300 IN SOA ns.example. root.example. 1 7200 900 86400 {minimum}"

# Takes a query, and whether it came over TCP; gives the octets to send back, and after how many seconds.
Script = Callable[[dns.message.QueryMessage, bool], list[tuple[float, bytes]]]


def free_port() -> int:
    """A port of loopback that is free for UDP and TCP."""
    for _ in range(50):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind((LOOPBACK, 0))
            port = int(tcp.getsockname()[1])
            try:
                udp.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port on loopback")


def eventually(condition: Callable[[], Any], what: str) -> Any:
    """The first true value of `condition` within the deadline."""
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        threading.Event().wait(0.01)
    raise AssertionError(f"not within {DEADLINE} s: {what}")


def reply(
    query: dns.message.QueryMessage, *records: str, rcode: int = 0, soa: str | None = None
) -> dns.message.Message:
    """An answer with records in zone file form, and in the authority section the SOA of a zone."""
    message = dns.message.make_response(query, recursion_available=True)
    message.set_rcode(dns.rcode.Rcode(rcode))
    for text in records:
        message.answer.append(rrset(text))
    if soa is not None:
        message.authority.append(rrset(SOA.format(zone=soa, minimum=60)))
    return message


def rrset(text: str) -> dns.rrset.RRset:
    name, ttl, cls, kind, rdata = text.split(maxsplit=4)
    return dns.rrset.from_text(name, int(ttl), cls, kind, *rdata.split("|"))


def zone(records: dict[tuple[str, str], list[str]]) -> Script:
    """A script that knows these answers by name and type: NODATA for other types of a name, NXDOMAIN for other names."""

    def script(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
        question = query.question[0]
        name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        found = records.get((name, kind))
        if found is not None:
            message = reply(query, *found)
        else:
            exists = any(known == name for known, _ in records)
            message = reply(query, rcode=0 if exists else 3, soa="example.")
        return [(0, packed(message, query, tcp))]

    return script


def packed(message: dns.message.Message, query: dns.message.QueryMessage, tcp: bool) -> bytes:
    """The octets, cut with TC where they are more than the asker takes over UDP."""
    octets = message.to_wire(max_size=65535)
    if tcp or len(octets) <= max(512, query.payload):
        return octets
    cut = dns.message.make_response(query)
    cut.flags |= dns.flags.TC
    return cut.to_wire()


class Upstream:
    """Answers as its script says; `asked` are the questions it got, in text. Closed at the end of `with`."""

    def __init__(self, script: Script, port: int | None = None) -> None:
        self.script = script
        self.port = free_port() if port is None else port
        self.asked: list[str] = []
        self.queries: list[dns.message.QueryMessage] = []
        self.sources: list[int] = []
        self._udp = socket.socket(type=socket.SOCK_DGRAM)
        self._udp.bind((LOOPBACK, self.port))
        self._tcp = socket.create_server((LOOPBACK, self.port))
        self._threads = [
            threading.Thread(target=self._serve_udp, daemon=True),
            threading.Thread(target=self._serve_tcp, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Upstream:
        return self

    def __exit__(self, *_: object) -> None:
        # This ends a blocking accept.
        self._tcp.shutdown(socket.SHUT_RDWR)
        self._tcp.close()
        self._udp.close()
        for thread in self._threads:
            thread.join(DEADLINE)

    @property
    def server(self) -> UpstreamServer:
        return UpstreamServer(IPv4Address(LOOPBACK), self.port)

    def _serve_udp(self) -> None:
        # A datagram to itself would be needed to end a blocking recv; a timeout is simpler.
        self._udp.settimeout(0.1)
        while True:
            try:
                octets, peer = self._udp.recvfrom(65535)
            except TimeoutError:
                continue
            except OSError:
                return
            self.sources.append(peer[1])
            for delay, out in self._answers(octets, False):
                if delay:
                    threading.Timer(delay, self._send, (out, peer)).start()
                else:
                    self._send(out, peer)

    def _send(self, out: bytes, peer: tuple[str, int]) -> None:
        # The test may be over, and the socket closed.
        with suppress(OSError):
            self._udp.sendto(out, peer)

    def _serve_tcp(self) -> None:
        while True:
            try:
                client, _ = self._tcp.accept()
            except OSError:
                return
            with client:
                client.settimeout(DEADLINE)
                size = int.from_bytes(client.recv(2), "big")
                for _, out in self._answers(client.recv(size), True):
                    client.sendall(len(out).to_bytes(2, "big") + out)

    def _answers(self, octets: bytes, tcp: bool) -> list[tuple[float, bytes]]:
        query = dns.message.from_wire(octets)
        assert isinstance(query, dns.message.QueryMessage)
        question = query.question[0]
        self.queries.append(query)
        self.asked.append(f"{question.name} {dns.rdatatype.to_text(question.rdtype)}" + (" tcp" if tcp else ""))
        return self.script(query, tcp)


class Running:
    """A DNS64 under test, in a thread of this process."""

    def __init__(self, settings: Dns64Settings, health: Path | None = None) -> None:
        self.loop = Loop()
        self.stats = Stats()
        self.server = Server(self.loop, self.stats, settings, health)
        self.port = settings.listen[0].port
        self._ending = threading.Event()
        self._calls: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def do(self, action: Callable[[], None]) -> None:
        """Runs it between two turns of the loop."""
        done = threading.Event()
        self._calls.append(lambda: (action(), done.set())[0])  # type: ignore[func-returns-value]
        assert done.wait(DEADLINE)

    def close(self) -> None:
        self._ending.set()
        self._thread.join(DEADLINE)
        self.server.close()
        self.loop.close()
        assert self.loop.errors == 0, "a handler raised; see the log"

    def ask(self, name: str, kind: str, tcp: bool = False, **options: Any) -> dns.message.Message:
        """Asks with dnspython; `options` as of dns.message.make_query."""
        query = dns.message.make_query(name, kind, **options)
        send = dns.query.tcp if tcp else dns.query.udp
        return send(query, LOOPBACK, DEADLINE, self.port)

    def raw(self, datagram: bytes, seconds: float = DEADLINE) -> bytes:
        """Sends octets over UDP and waits for one answer; TimeoutError where none comes."""
        with socket.socket(type=socket.SOCK_DGRAM) as udp:
            udp.settimeout(seconds)
            udp.sendto(datagram, (LOOPBACK, self.port))
            return udp.recv(65535)

    def event(self, name: str) -> int:
        return self.stats.event_cell(name)[0]

    def _run(self) -> None:
        while not self._ending.is_set():
            self.loop.turn(0.01)
            while self._calls:
                self._calls.pop(0)()


def settings_for(*upstreams: Upstream, **changes: Any) -> Dns64Settings:
    base = Dns64Settings(
        listen=(Listen(IPv4Address(LOOPBACK), free_port()),),
        upstreams=tuple(upstream.server for upstream in upstreams),
        pref64=(Pref64(PREF64),),
        allow=(ip_network("127.0.0.0/8"),),
        timing=Timing(query=3.0, hedge=0.1, parallel_a=0.2, failure=1, tcp_idle=5.0),
        limits=Limits(),
    )
    return replace(base, **changes)


@contextmanager
def dns64(*upstreams: Upstream, **changes: Any) -> Iterator[Running]:
    """A DNS64 in front of `upstreams`; `changes` to its settings."""
    running = Running(settings_for(*upstreams, **changes))
    try:
        yield running
    finally:
        running.close()


def addresses(message: dns.message.Message, kind: str = "AAAA") -> list[str]:
    wanted = dns.rdatatype.from_text(kind)
    return [rdata.to_text() for found in message.answer if found.rdtype == wanted for rdata in found]
