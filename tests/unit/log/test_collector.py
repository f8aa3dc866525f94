# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Collectors on loopback: reached, away, slow, and back again. The clock is the test's."""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

import pytest

from tests.unit.log.notices import taken
from v6native.config.model import Collector, Transport
from v6native.log.collector import HELLO_SECONDS, MOST_WAITING, Sender, sender
from v6native.log.notice import Notice


@dataclass
class Plain:
    """A language of which every word can be read."""

    def hello(self, now: int) -> list[bytes]:
        return [b"hello;"]

    def tell(self, notices: Sequence[Notice], now: int) -> list[tuple[bytes, int]]:
        return [(b"%d;" % notice.first, 1) for notice in notices]


@dataclass
class Server:
    """Listens on a port of its own; `heard` is all that came, over all connections."""

    transport: Transport
    family: int
    port: int = 0
    heard: bytearray = field(default_factory=bytearray)
    connections: list[socket.socket] = field(default_factory=list)

    def open(self) -> None:
        kind = socket.SOCK_DGRAM if self.transport is Transport.UDP else socket.SOCK_STREAM
        self.socket = socket.socket(self.family, kind | socket.SOCK_NONBLOCK)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("::1" if self.family == socket.AF_INET6 else "127.0.0.1", self.port))
        self.port = self.socket.getsockname()[1]
        if self.transport is Transport.TCP:
            self.socket.listen()

    def close(self) -> None:
        for each in (self.socket, *self.connections):
            each.close()
        self.connections = []

    @property
    def collector(self) -> Collector:
        return Collector(
            self.transport, ip_address("::1" if self.family == socket.AF_INET6 else "127.0.0.1"), self.port
        )

    def listen(self) -> list[str]:
        """What was heard so far."""
        with contextlib.suppress(BlockingIOError):
            while self.transport is Transport.TCP:
                connection, _peer = self.socket.accept()
                connection.setblocking(False)
                self.connections.append(connection)
        for each in [self.socket] if self.transport is Transport.UDP else self.connections:
            with contextlib.suppress(BlockingIOError):
                while part := each.recv(65536):
                    self.heard += part
        return self.heard.decode().split(";")[:-1]


@pytest.fixture(params=[(t, f) for t in Transport for f in (socket.AF_INET, socket.AF_INET6)], ids=str)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    made = Server(*request.param)
    made.open()
    yield made
    made.close()


@pytest.fixture
def tcp() -> Iterator[Server]:
    made = Server(Transport.TCP, socket.AF_INET6)
    made.open()
    yield made
    made.close()


class Wordy(Plain):
    """Its words fill a socket's buffer soon."""

    def tell(self, notices: Sequence[Notice], now: int) -> list[tuple[bytes, int]]:
        return [(b"%1000d;" % notice.first, 1) for notice in notices]


@contextlib.contextmanager
def sending(server: Server, language: type[Plain] = Plain) -> Iterator[Sender]:
    made = sender(server.collector, language)
    try:
        yield made
    finally:
        made.close()


def until(each: Sender, now: float, condition: Callable[[], object]) -> None:
    """Steps at one time of the clock, as the worker does: when the descriptor is ready."""
    for _turn in range(200):
        each.step(now, 0)
        if condition():
            return
        poll = select.poll()
        if (found := each.interest()) is not None:
            poll.register(*found)
        poll.poll(20)
    raise AssertionError(f"it did not come to be: {each.tally}")


def test_what_is_told_arrives(server: Server) -> None:
    with sending(server) as each:
        each.offer([taken(n) for n in range(3)], 0.0, 0)
        until(each, 0.0, lambda: len(server.listen()) == 4)
        assert server.listen() == ["hello", "1024", "1088", "1152"]
        assert (each.tally.sent, each.tally.lost, each.tally.trouble) == (3, 0, None)


def test_over_udp_the_templates_come_again() -> None:
    server = Server(Transport.UDP, socket.AF_INET)
    server.open()
    with sending(server) as each:
        for now in (0.0, HELLO_SECONDS - 1, HELLO_SECONDS, HELLO_SECONDS + 1, 2 * HELLO_SECONDS):
            each.step(now, 0)
        assert server.listen() == ["hello"] * 3
    server.close()


def test_nobody_hears_over_udp() -> None:
    server = Server(Transport.UDP, socket.AF_INET6)
    server.open()
    server.close()
    with sending(server) as each:
        for _turn in range(3):
            each.offer([taken()], 1.0, 0)
            # A busy kernel tells of the refusal, and delivers, a moment later.
            time.sleep(0.05)
        assert (each.tally.sent, each.tally.lost, each.tally.trouble) == (1, 2, "Connection refused")
        server.open()
        each.offer([taken()], 2.0, 0)
        until(each, 2.0, lambda: server.listen() == ["1024"])
        each.step(1000.0, 0)
        assert each.tally.trouble is None
    server.close()


def test_a_tcp_collector_that_comes_later_gets_all(tcp: Server) -> None:
    tcp.close()
    with sending(tcp) as each:
        each.offer([taken(0)], 0.0, 0)
        until(each, 0.0, lambda: each.tally.trouble)
        assert each.tally.trouble == "Connection refused"
        assert each.interest() is None
        each.offer([taken(1)], 0.5, 0)
        assert each.interest() is None, "it waits before it tries again"
        tcp.open()
        until(each, 1.1, lambda: len(tcp.listen()) == 3)
        assert tcp.listen() == ["hello", "1024", "1088"]
        assert (each.tally.sent, each.tally.lost, each.tally.trouble) == (2, 0, None)


def test_a_broken_connection_is_made_again(tcp: Server) -> None:
    with sending(tcp) as each:
        each.offer([taken(0)], 0.0, 0)
        until(each, 0.0, lambda: len(tcp.listen()) == 2)
        for connection in tcp.connections:
            connection.close()
        tcp.connections = []
        until(each, 1.0, lambda: each.tally.trouble)
        each.offer([taken(1)], 1.5, 0)
        until(each, 2.1, lambda: len(tcp.listen()) == 4)
        assert tcp.listen() == ["hello", "1024", "hello", "1088"]


def test_the_pauses_grow(tcp: Server) -> None:
    tcp.close()
    with sending(tcp) as each:
        tries, now = [], 0.0
        while now < 300:
            each.tally.trouble = None
            each.step(now, 0)
            while each.interest() is not None:
                each.step(now, 0)
            if each.tally.trouble is not None:
                tries.append(now)
            now += 0.5
        pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
        assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


def test_a_slow_collector_costs_no_memory_without_bound(tcp: Server) -> None:
    """It accepts, and reads nothing: what does not fit is counted, and nobody waits."""
    with sending(tcp) as each:
        notices = [taken(n) for n in range(1000)]
        until(each, 0.0, lambda: each.interest() is not None)
        offered = 0
        while each.tally.lost == 0:
            each.offer(notices, 0.0, 0)
            offered += len(notices)
            assert offered < 100 * MOST_WAITING
        until(each, 0.0, lambda: (tcp.listen(), each.tally.sent == offered - each.tally.lost)[1])
        assert len(tcp.listen()) - 1 == each.tally.sent


def test_what_was_under_way_when_a_connection_broke_is_sent_again(tcp: Server) -> None:
    with sending(tcp, Wordy) as each:
        notices = [taken(n) for n in range(MOST_WAITING)]
        each.offer(notices, 0.0, 0)
        until(each, 0.0, lambda: each.tally.sent)
        # Nothing is read until the sender can send no more in the middle of a message.
        before = -1
        while before != each.tally.sent:
            before = each.tally.sent
            each.step(0.0, 0)
        assert each.tally.sent < MOST_WAITING
        tcp.socket.accept()[0].close()
        until(each, 1.0, lambda: each.tally.trouble)
        until(each, 2.1, lambda: (tcp.listen(), each.tally.sent == MOST_WAITING)[1])
        assert each.tally.lost == 0
