# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""DNS over TCP (RFC 7766), also under TLS (RFC 7858) and HTTPS (RFC 8484): pipelining, answers in any order, and bounds
against clients that never end.

Connections lie in the order of their last whole question or delivered answer: the oldest is closed when it was idle for
too long, or when a new one finds no room.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

from v6native.dns64.framing import Framing, FramingError, Lengths
from v6native.dns64.loop import READ, WRITE, Loop
from v6native.dns64.settings import Limits, Timing
from v6native.dns64.stats import Stats

# Questions of one connection under way; more are not read until some are answered.
_PIPELINE = 64
# Answers that the client does not fetch, octets; past it nothing more is read from it.
_UNSENT = 1 << 18
# Connections of addresses that are refused: enough to tell them so.
_STRANGERS = 16
_ACCEPT_BATCH = 32
_ACCEPT_PAUSE = 0.5

A = TypeVar("A")
# An answer, and for how many seconds it is true.
Send = Callable[[bytes, int], None]
# Takes the transport's name, a message, who sent it, and how to answer; False where it is no query at all.
Handle = Callable[[str, bytes, A, Send], bool]


class Channel(Protocol):
    """Of a socket, what a connection uses."""

    def fileno(self) -> int: ...
    def close(self) -> None: ...
    def recv(self, most: int, /) -> bytes: ...
    def send(self, octets: bytes, /) -> int: ...


@dataclass(frozen=True, slots=True)
class Transport:
    """What is spoken on a listener: `wrap` makes a channel of an accepted socket."""

    name: str
    framing: Callable[[], Framing]
    wrap: Callable[[socket.socket], Channel]


TCP = Transport("tcp", Lengths, lambda client: client)


class TcpServer(Generic[A]):
    """All TCP connections. `admit` turns a peer's address into what `handle` is given, `stranger` says who is refused."""

    def __init__(
        self, loop: Loop, stats: Stats, admit: Callable[[str], A], stranger: Callable[[A], bool], handle: Handle[A]
    ) -> None:
        self.loop = loop
        self.stats = stats
        self.admit = admit
        self.handle = handle
        self.limit = Limits().tcp_connections
        self.idle = Timing().tcp_idle
        self._stranger = stranger
        self._connections: dict[Connection[A], None] = {}
        loop.later(1, self._sweep)

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def unsent(self) -> int:
        """Octets of answers that clients have not fetched yet."""
        return sum(connection.unsent for connection in self._connections)

    def listen(self, listener: socket.socket, transport: Transport = TCP) -> None:
        self.loop.add(listener.fileno(), READ, lambda _events: self._accept(listener, transport))

    def touch(self, connection: Connection[A]) -> None:
        connection.active = self.loop.now
        self._connections[connection] = self._connections.pop(connection, None)

    def forget(self, connection: Connection[A]) -> None:
        self._connections.pop(connection, None)

    def close(self) -> None:
        for connection in list(self._connections):
            connection.close()

    def _accept(self, listener: socket.socket, transport: Transport) -> None:
        for _ in range(_ACCEPT_BATCH):
            try:
                client, peer = listener.accept()
            except BlockingIOError:
                return
            except ConnectionError:
                continue
            except OSError:
                self._pause(listener, transport)
                return
            client.setblocking(False)
            access = self.admit(peer[0])
            if self._stranger(access) and sum(self._stranger(c.access) for c in self._connections) >= _STRANGERS:
                self.stats.count("tcp-refused")
                client.close()
                continue
            if len(self._connections) >= self.limit:
                self.stats.count("tcp-evicted")
                next(iter(self._connections)).close()
            self.stats.count(f"{transport.name}-connections")
            self.touch(Connection(self, client, access, transport))

    def _pause(self, listener: socket.socket, transport: Transport) -> None:
        """Out of descriptors or memory: the listener would be ready for ever."""
        self.stats.count("tcp-accept-failed")
        self.loop.remove(listener.fileno())

        def again() -> None:
            if listener.fileno() >= 0:
                self.listen(listener, transport)

        self.loop.later(_ACCEPT_PAUSE, again)

    def _sweep(self) -> None:
        self.loop.later(1, self._sweep)
        for connection in list(self._connections):
            if self.loop.now - connection.active < self.idle:
                break
            connection.close()


class Connection(Generic[A]):
    """One client's connection. Octets that make no whole question do not keep it alive."""

    __slots__ = ("_ended", "_framing", "_out", "_server", "_socket", "_transport", "_under_way", "access", "active")

    def __init__(self, server: TcpServer[A], client: socket.socket, access: A, transport: Transport) -> None:
        self.access = access
        self.active = server.loop.now
        self._server = server
        self._transport = transport.name
        self._socket = transport.wrap(client)
        self._framing = transport.framing()
        self._out = b""
        self._under_way = 0
        self._ended = False
        server.loop.add(self._socket.fileno(), READ, self._ready)

    @property
    def unsent(self) -> int:
        return len(self._out) + self._framing.held

    def close(self) -> None:
        self._server.forget(self)
        if self._socket.fileno() >= 0:
            self._server.loop.remove(self._socket.fileno())
            self._socket.close()

    def _ready(self, events: int) -> None:
        try:
            if events & WRITE:
                self._flush()
            if events & ~WRITE:
                self._receive()
        except OSError:
            self.close()
            return
        self._take_questions()
        self._adjust()

    def _receive(self) -> None:
        try:
            octets = self._socket.recv(65535)
        except BlockingIOError:
            return
        self._ended = not octets
        try:
            self._framing.feed(octets)
        except FramingError:
            self._server.stats.count(f"{self._transport}-broken")
            self._ended = True
        # What a framing has to say by itself: settings, leave to send more.
        self._send_on()

    def _take_questions(self) -> None:
        while self._framing.whole and self._reading:
            number, message = self._framing.take()
            self._server.touch(self)
            self._under_way += 1
            if not self._server.handle(self._transport, message, self.access, partial(self._answer, number)):
                self.close()
                return

    @property
    def _reading(self) -> bool:
        return self._socket.fileno() >= 0 and self._under_way < _PIPELINE and self.unsent < _UNSENT

    def _answer(self, number: int, message: bytes, seconds: int) -> None:
        if self._socket.fileno() < 0:
            return
        self._under_way -= 1
        self._framing.answer(number, message, seconds)
        try:
            self._send_on()
        except OSError:
            self.close()
            return
        self._adjust()

    def _send_on(self) -> None:
        self._out += self._framing.output()
        self._flush()

    def _flush(self) -> None:
        if not self._out:
            return
        try:
            sent = self._socket.send(self._out)
        except BlockingIOError:
            return
        self._out = self._out[sent:]
        self._server.touch(self)

    def _adjust(self) -> None:
        """What to wait for next; the end, where the client has ended and got all its answers."""
        if self._socket.fileno() < 0:
            return
        whole = self._framing.whole
        if whole and self._reading:
            # Read before, but the pipeline was full then.
            self._server.loop.later(0, self._resume)
        elif self._ended and not (whole or self._under_way or self._out):
            self.close()
            return
        # A peer that sends nothing may still have to give leave to send more.
        reading = (self._reading or self._framing.held) and not self._ended
        writing = self._out or getattr(self._socket, "wants_write", False)
        events = (READ if reading else 0) | (WRITE if writing else 0)
        self._server.loop.modify(self._socket.fileno(), events)

    def _resume(self) -> None:
        self._take_questions()
        self._adjust()
