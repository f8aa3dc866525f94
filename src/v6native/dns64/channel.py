# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""One encrypted connection to an upstream server, for all questions to it: DNS over TLS (RFC 7858) or HTTPS (RFC 8484).

It is opened when there is something to ask and closed when nothing was for a while. The server's certificate has to be good,
or nothing is asked: an encrypted upstream never becomes a plain one.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from functools import cache
from typing import NamedTuple, Protocol

import structlog

from v6native.dns64.framing import FramingError, Lengths
from v6native.dns64.loop import READ, WRITE, Loop, Timer
from v6native.dns64.settings import UpstreamServer
from v6native.dns64.stats import Stats
from v6native.dns64.tls import TlsSocket

_log = structlog.get_logger("dns64")

# Seconds: unused so long, it is closed; nothing heard for so long after a question, it is taken for dead.
IDLE, STUCK = 20.0, 4.0
_TCP_USER_TIMEOUT = 18
_READ_AT_ONCE = 65536


class Said(NamedTuple):
    """An answer's octets, and for how many seconds it has been lying in a cache on the way (RFC 8484 §5.1)."""

    message: bytes
    age: int = 0


# Called once, never before `ask` returns; None: there is no answer.
Heard = Callable[[Said | None], None]


class Framing(Protocol):
    """The client's side of a protocol. `ask` gives a number, with which `feed` gives the answer; None: there is none."""

    @property
    def room(self) -> bool:
        """Whether one more can be asked now."""

    def ask(self, query: bytes) -> int: ...

    def feed(self, octets: bytes) -> list[tuple[int, Said | None]]:
        """FramingError where the server does not speak the protocol, or takes no more questions."""

    def output(self) -> bytes: ...

    def drop(self, number: int) -> None:
        """The answer is not wanted any more."""


class Numbered:
    """DNS over TLS: answers come in any order, and each has its question's id, which is this connection's own."""

    def __init__(self) -> None:
        self._lengths = Lengths()
        self._last = int.from_bytes(os.urandom(2), "big")
        self._open: set[int] = set()

    @property
    def room(self) -> bool:
        return len(self._open) < 0x8000

    def ask(self, query: bytes) -> int:
        self._last = next(
            n & 0xFFFF for n in range(self._last + 1, self._last + 0x10002) if n & 0xFFFF not in self._open
        )
        self._open.add(self._last)
        self._lengths.answer(0, self._last.to_bytes(2, "big") + query[2:], 0)
        return self._last

    def feed(self, octets: bytes) -> list[tuple[int, Said | None]]:
        self._lengths.feed(octets)
        found: list[tuple[int, Said | None]] = []
        while self._lengths.whole:
            _, message = self._lengths.take()
            number = int.from_bytes(message[:2], "big")
            if number in self._open:
                self._open.discard(number)
                found.append((number, Said(b"\0\0" + message[2:])))
        return found

    def output(self) -> bytes:
        return self._lengths.output()

    def drop(self, number: int) -> None:
        # It may still come: its id stays in use.
        pass


class Question:
    """One that waits for its answer; `number` None: it is not on its way."""

    __slots__ = ("again", "heard", "number", "query")

    def __init__(self, query: bytes, heard: Heard) -> None:
        self.query = query
        self.heard: Heard | None = heard
        self.number: int | None = None
        self.again = False


class Channel:
    """`problem`: why it cannot be had, as far as it could not; empty when the server has answered since."""

    def __init__(self, loop: Loop, stats: Stats, server: UpstreamServer, authorities: str) -> None:
        self._loop = loop
        self._stats = stats
        self._server = server
        self._authorities = authorities
        self._socket: socket.socket | TlsSocket | None = None
        self._framing: Framing = Numbered()
        self._out = b""
        self._asked: dict[int, Question] = {}
        self._queue: list[Question] = []
        self._unheard_since: float | None = None
        self._has_answered = False
        self._used = 0.0
        self._idle: Timer | None = None
        self.problem = ""

    def ask(self, query: bytes, heard: Heard) -> Question:
        """OSError where it cannot even be tried."""
        now = self._loop.now
        if self._unheard_since is not None and now - self._unheard_since > STUCK:
            self._lost(f"nothing was heard for {STUCK:.0f} s")
        if self._socket is None:
            self._open()
        self._used = now
        question = Question(query, heard)
        self._queue.append(question)
        self._loop.later(0, self._send_on)
        return question

    def forget(self, question: Question) -> None:
        """Its answer is not wanted any more."""
        question.heard = None
        if question.number is None:
            if question in self._queue:
                self._queue.remove(question)
        elif self._asked.get(question.number) is question:
            del self._asked[question.number]
            self._framing.drop(question.number)
            self._loop.later(0, self._send_on)

    def close(self) -> None:
        """Without a word to anybody."""
        self._shut()
        self._asked.clear()
        self._queue.clear()

    def _open(self) -> None:
        family = socket.AF_INET if self._server.address.version == 4 else socket.AF_INET6
        made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.setsockopt(socket.IPPROTO_TCP, _TCP_USER_TIMEOUT, round(STUCK * 1000))
            made.connect((str(self._server.address), self._server.port))
        except BlockingIOError:
            pass
        except OSError as error:
            made.close()
            self._because(error.strerror or str(error))
            raise
        self._stats.count("upstream-connections")
        self._socket = made
        self._unheard_since = self._loop.now
        self._has_answered = False
        self._loop.add(made.fileno(), WRITE, self._connected)
        self._idle = self._loop.later(IDLE, self._unused)

    def _connected(self, _events: int) -> None:
        plain = self._socket
        assert isinstance(plain, socket.socket) and self._server.tls is not None
        if number := plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._lost(os.strerror(number))
            return
        self._loop.remove(plain.fileno())
        https = bool(self._server.tls.path)
        try:
            context = _context("h2" if https else "dot", self._authorities)
            self._socket = made = TlsSocket(plain, context, self._server.tls.name or str(self._server.address))
        except OSError as error:
            plain.close()
            self._socket = None
            self._lost(_reason(error))
            return
        if https:
            # Only here: most workers have no use for it.
            from v6native.dns64.dohclient import Requests

            self._framing = Requests(self._server)
        else:
            self._framing = Numbered()
        self._loop.add(made.fileno(), READ, self._ready)
        self._ready(READ)

    def _ready(self, _events: int) -> None:
        made = self._socket
        assert isinstance(made, TlsSocket)
        try:
            while self._socket is made:
                octets = made.recv(_READ_AT_ONCE)
                if not octets:
                    self._lost("it has closed the connection")
                    return
                self._unheard_since = None
                for number, said in self._framing.feed(octets):
                    self._deliver(self._asked.pop(number, None), said)
        except BlockingIOError:
            pass
        except (OSError, FramingError) as error:
            self._lost(_reason(error))
            return
        if self._socket is made:
            self._send_on()

    def _deliver(self, question: Question | None, said: Said | None) -> None:
        if said is not None:
            self._has_answered, self.problem = True, ""
        if question is not None and question.heard is not None:
            self._loop.call(question.heard, said)

    def _send_on(self) -> None:
        made = self._socket
        if not isinstance(made, TlsSocket):
            return
        try:
            if made.shaken:
                self._put_in()
                self._out += self._framing.output()
                while self._out:
                    self._out = self._out[made.send(self._out) :]
        except BlockingIOError:
            pass
        except (OSError, FramingError) as error:
            self._lost(_reason(error))
            return
        writing = made.wants_write or (made.shaken and self._out)
        self._loop.modify(made.fileno(), READ | (WRITE if writing else 0))

    def _put_in(self) -> None:
        while self._queue and self._framing.room:
            question = self._queue.pop(0)
            question.number = self._framing.ask(question.query)
            self._asked[question.number] = question
            if self._unheard_since is None:
                self._unheard_since = self._loop.now

    def _unused(self) -> None:
        left = self._used + IDLE - self._loop.now
        if left > 0:
            self._idle = self._loop.later(left, self._unused)
        else:
            self._shut()

    def _lost(self, why: str) -> None:
        """The connection is gone. One that had answered may have been closed for its age: what was asked over it is asked again,
        once, over another one (RFC 7766 §6.2.4)."""
        aged = self._has_answered
        left = [*self._asked.values(), *self._queue]
        self._asked, self._queue = {}, []
        self._shut()
        again = [question for question in left if aged and not question.again]
        if not aged:
            self._because(why)
        for question in left:
            if question not in again:
                self._deliver(question, None)
        if not again:
            return
        for question in again:
            question.again, question.number = True, None
        try:
            if self._socket is None:
                self._open()
        except OSError:
            for question in again:
                self._deliver(question, None)
        else:
            self._queue += again

    def _because(self, why: str) -> None:
        if why != self.problem:
            _log.warning(
                "cannot be asked encrypted", upstream=str(self._server.address), port=self._server.port, problem=why
            )
        self.problem = why

    def _shut(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        if self._socket is not None:
            self._loop.remove(self._socket.fileno())
            self._socket.close()
        self._socket, self._unheard_since, self._out = None, None, b""


@cache
def _context(protocol: str, authorities: str) -> ssl.SSLContext:
    """What certificates are checked with; `authorities`: a file with others besides the system's, or nothing."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authorities:
        try:
            context.load_verify_locations(authorities)
        except OSError as error:
            raise OSError(error.errno, f"{authorities}: {error.strerror or error}") from error
    context.set_alpn_protocols([protocol])
    return context


def forget_authorities() -> None:
    """They are read anew for the next connection."""
    _context.cache_clear()


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message or "its certificate is no good"
    if isinstance(error, ssl.SSLError) and error.reason:
        return f"TLS: {error.reason.lower().replace('_', ' ')}"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) or "it does not speak the protocol"
