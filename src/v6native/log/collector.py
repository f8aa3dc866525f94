# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Carries notices to a collector, over UDP or TCP, and never waits for it.

What a collector does not take is kept for a while, then counted as lost: the database has it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from v6native.config.model import Collector, Transport
from v6native.log.language import Language
from v6native.log.notice import Notice

# Notices kept for a collector that is away or slow: some megabytes.
MOST_WAITING = 20_000
# Notices that become bytes at a time: what is requeued when a connection breaks.
_CHUNK = 64
# Over UDP nobody answers: a collector that started later waits so long for the templates (RFC 7011 §8.4: below a third
# of what it keeps them for, which is half an hour by default).
HELLO_SECONDS = 60.0
# Seconds. A connection that does not come about, or whose other end is silent, is given up.
_CONNECT_SECONDS, _SILENT_MS = 10.0, 30_000
_RETRY_FIRST, _RETRY_LAST = 1.0, 60.0
# How long an error of UDP is told: the next datagram says nothing about whether it arrived.
_UDP_TROUBLE_SECONDS = 120.0


@dataclass(slots=True)
class Tally:
    """What became of the notices for one collector; `trouble` is why the last attempt failed."""

    sent: int = 0
    lost: int = 0
    trouble: str | None = None


class Sender(Protocol):
    """Times are CLOCK_MONOTONIC seconds, `wall` seconds since 1970."""

    to: Collector
    tally: Tally

    def offer(self, notices: Sequence[Notice], now: float, wall: int) -> None: ...

    def step(self, now: float, wall: int) -> None:
        """Goes on as far as it can; to be called when the descriptor is ready, and every second."""

    def interest(self) -> tuple[int, int] | None:
        """A descriptor and for what to poll it."""

    def close(self) -> None: ...


def sender(to: Collector, language: Callable[[], Language]) -> Sender:
    """`language` begins a session."""
    return UdpSender(to, language()) if to.transport is Transport.UDP else TcpSender(to, language)


class UdpSender:
    def __init__(self, to: Collector, language: Language) -> None:
        self.to, self.tally = to, Tally()
        self._language = language
        self._socket: socket.socket | None = None
        self._next_hello = 0.0
        self._failed_at = 0.0
        # Notices in the datagram before: an answer that nobody listens is about that one.
        self._last = 0

    def offer(self, notices: Sequence[Notice], now: float, wall: int) -> None:
        self.step(now, wall)
        for datagram, count in self._language.tell(notices, wall):
            self._send(datagram, count, now)

    def step(self, now: float, wall: int) -> None:
        if self.tally.trouble is not None and now > self._failed_at + _UDP_TROUBLE_SECONDS:
            self.tally.trouble = None
        if now >= self._next_hello:
            self._next_hello = now + HELLO_SECONDS
            for datagram in self._language.hello(wall):
                self._send(datagram, 0, now)

    def interest(self) -> tuple[int, int] | None:
        return None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, datagram: bytes, count: int, now: float) -> None:
        # The first error may be what the datagram before this one met; the second is this one's.
        for _attempt in range(2):
            try:
                if self._socket is None:
                    self._socket = _open(self.to, socket.SOCK_DGRAM)
                    self._socket.connect((str(self.to.address), self.to.port))
                self._socket.send(datagram)
            except OSError as error:
                self.tally.trouble, self._failed_at = _why(error), now
                if error.errno == errno.ECONNREFUSED:
                    self.tally.sent -= self._last
                    self.tally.lost += self._last
                    self._last = 0
            else:
                self.tally.sent += count
                self._last = count
                return
        self.tally.lost += count


class TcpSender:
    def __init__(self, to: Collector, language: Callable[[], Language]) -> None:
        self.to, self.tally = to, Tally()
        self._begin = language
        self._language = language()
        self._waiting: deque[Notice] = deque()
        self._flying: list[Notice] = []
        self._out = bytearray()
        self._socket: socket.socket | None = None
        self._connected = False
        self._deadline = 0.0
        self._retry_at, self._pause = 0.0, _RETRY_FIRST

    def offer(self, notices: Sequence[Notice], now: float, wall: int) -> None:
        room = max(MOST_WAITING - len(self._waiting), 0)
        self._waiting.extend(notices[:room])
        self.tally.lost += len(notices[room:])
        self.step(now, wall)

    def step(self, now: float, wall: int) -> None:
        try:
            if self._socket is None:
                if now < self._retry_at:
                    return
                self._connect(now)
            if self._ready(now):
                self._say(now, wall)
        except OSError as error:
            self._broken(error, now)

    def interest(self) -> tuple[int, int] | None:
        if self._socket is None:
            return None
        return self._socket.fileno(), select.POLLIN | (select.POLLOUT if self._out or not self._connected else 0)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._connected = None, False

    def _connect(self, now: float) -> None:
        self._socket = _open(self.to, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENT_MS)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._deadline = now + _CONNECT_SECONDS
        with contextlib.suppress(BlockingIOError):
            self._socket.connect((str(self.to.address), self.to.port))

    def _ready(self, now: float) -> bool:
        """Whether the connection stands; OSError where it never will, or is gone."""
        assert self._socket is not None
        if number := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(number, os.strerror(number))
        if self._connected:
            # A collector has nothing to say; what can be read is the end of the connection.
            with contextlib.suppress(BlockingIOError):
                if not self._socket.recv(4096):
                    raise ConnectionResetError(errno.ECONNRESET, "it closed the connection")
            return True
        try:
            self._socket.getpeername()
        except OSError as error:
            if now < self._deadline:
                return False
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from error
        return True

    def _say(self, now: float, wall: int) -> None:
        assert self._socket is not None
        if not self._connected:
            self._connected, self._pause, self.tally.trouble = True, _RETRY_FIRST, None
            self._language = self._begin()
            self._out = bytearray(b"".join(self._language.hello(wall)))
        while self._out or self._waiting:
            if not self._out:
                self._flying = [self._waiting.popleft() for _ in range(min(_CHUNK, len(self._waiting)))]
                self._out += b"".join(part for part, _count in self._language.tell(self._flying, wall))
            try:
                del self._out[: self._socket.send(self._out)]
            except BlockingIOError:
                return
            if not self._out:
                self.tally.sent += len(self._flying)
                self._flying = []

    def _broken(self, error: OSError, now: float) -> None:
        self.close()
        self.tally.trouble = _why(error)
        # A part of these may have arrived; told twice is better than not at all.
        self._waiting.extendleft(reversed(self._flying))
        self._flying, self._out = [], bytearray()
        self._retry_at = now + self._pause
        self._pause = min(self._pause * 2, _RETRY_LAST)


def _open(to: Collector, kind: int) -> socket.socket:
    return socket.socket(socket.AF_INET6 if to.address.version == 6 else socket.AF_INET, kind | socket.SOCK_NONBLOCK)


def _why(error: OSError) -> str:
    return error.strerror or str(error)
