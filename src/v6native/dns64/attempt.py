# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""One question to one upstream server: plainly over a socket of its own, UDP, then TCP where the answer was cut (RFC 7766 §5),
or over the encrypted connection that all questions to that server share.

A fresh socket each time: its random source port, with the random id, is what an off-path forger has to guess
(RFC 5452). The kernel picks the port, for it knows the ports reserved for the NAT64. Where nobody validates, the letters'
random case is to be guessed too (draft-vixie-dnsext-dns0x20); a server that does not give it back is asked over TCP.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import lru_cache
from random import SystemRandom
from struct import Struct
from typing import NamedTuple, Protocol

from v6native.dns64 import wire
from v6native.dns64.channel import Channel, Said
from v6native.dns64.loop import READ, WRITE, Loop
from v6native.dns64.query import KEY_CD, KEY_DO, MAX_UDP
from v6native.dns64.settings import UpstreamServer
from v6native.dns64.stats import Stats
from v6native.dns64.wire import Message, WireError

_HEADER = Struct("!6H")
_OPT = Struct("!BHHIH")
_OPTION = Struct("!HH")
_PADDING = 12
# Questions that are encrypted have a multiple of this many octets (RFC 8467 §4.1).
_BLOCK = 128
_DO = 0x8000
_LARGEST = 65535
# Datagrams looked at in one turn: a forger's flood must not keep the loop from its other work.
_BATCH = 16

_random = SystemRandom()


class Reply(NamedTuple):
    """An upstream answer: its octets, what they mean, and for how many seconds it was in a cache that does not tell by its TTLs."""

    raw: bytes
    message: Message
    age: int = 0


class Attempt(Protocol):
    """Open from its creation until its `Done` was called or `close()`. OSError on creation: it cannot even be sent.

    `plain`: without EDNS. `respelled`: asked in random case, and over TCP, too, it came back in another one.
    `sent`: as of Loop.now.
    """

    plain: bool
    respelled: bool
    sent: float

    def close(self) -> None:
        """Ends it without a word; fine to call twice."""


# Called once: with the reply, or None where the server gave none that can be used.
Done = Callable[[Attempt, Reply | None], None]


def encode(key: bytes, identifier: int, plain: bool, padded: bool = False) -> bytes:
    """The query for a cache key; AD asks to be told whether the answer was validated (RFC 6840 §5.7)."""
    flags = wire.RD | wire.AD | (wire.CD if key[-1] & KEY_CD else 0)
    head = _HEADER.pack(identifier, flags, 1, 0, 0, not plain) + key[:-1]
    if plain:
        return head
    options = b""
    if padded:
        fill = -(len(head) + _OPT.size + _OPTION.size) % _BLOCK
        options = _OPTION.pack(_PADDING, fill) + bytes(fill)
    return head + _OPT.pack(0, wire.OPT, MAX_UDP, _DO if key[-1] & KEY_DO else 0, len(options)) + options


def mixed_case(name: bytes, bits: int) -> bytes:
    """The wire name with its lower-case letters turned where `bits` has a one. Lengths of labels are no letters' codes."""
    return bytes(c & ~0x20 if 97 <= c <= 122 and bits >> i & 1 else c for i, c in enumerate(name))


def _peer(server: UpstreamServer) -> tuple[int, tuple[str, int] | tuple[str, int, int, int]]:
    """The family and address of a socket; the C library knows which interface a scope
    is: now, for it may have been made anew since the last time."""
    address = server.address
    if address.version == 6 and address.scope_id:
        found = socket.getaddrinfo(str(address), server.port, socket.AF_INET6, flags=socket.AI_NUMERICHOST)
        return socket.AF_INET6, found[0][4]  # type: ignore[return-value]
    return _unscoped(server)


@lru_cache(maxsize=64)
def _unscoped(server: UpstreamServer) -> tuple[int, tuple[str, int]]:
    return socket.AF_INET if server.address.version == 4 else socket.AF_INET6, (str(server.address), server.port)


def _understood(raw: bytes, key: bytes, stats: Stats) -> Message | None:
    """An answer to that question; WireError where it is none at all, None where it is one to another."""
    try:
        message = wire.parse(raw)
    except WireError:
        stats.count("upstream-malformed")
        raise
    # A server that could not read the question may leave it out of its FORMERR.
    if message.asked != key[:-1] and not (message.question == b"" and message.rcode == wire.FORMERR):
        stats.count("upstream-stray")
        return None
    return message


class EncryptedAttempt:
    """Over a channel; nobody on the way can guess anything or add to it."""

    __slots__ = ("_channel", "_done", "_key", "_question", "_stats", "plain", "respelled", "sent")

    def __init__(self, loop: Loop, stats: Stats, channel: Channel, key: bytes, plain: bool, done: Done) -> None:
        self._stats = stats
        self._channel = channel
        self._key = key
        self._done = done
        self.plain, self.respelled = plain, False
        self.sent = loop.now
        self._question = channel.ask(encode(key, 0, plain, padded=True), self._heard)

    def close(self) -> None:
        self._channel.forget(self._question)

    def _heard(self, said: Said | None) -> None:
        reply = None
        if said is not None:
            try:
                message = _understood(said.message, self._key, self._stats)
            except WireError:
                message = None
            if message is not None:
                reply = Reply(said.message, message, said.age)
        self._done(self, reply)


class PlainAttempt:
    """Over sockets of its own. `mixed`: in random case."""

    __slots__ = (
        "_buffer", "_done", "_id", "_key", "_loop", "_query", "_server", "_socket", "_stats", "mixed", "plain", "respelled",
        "sent",
    )  # fmt: skip

    def __init__(
        self, loop: Loop, stats: Stats, server: UpstreamServer, key: bytes, plain: bool, mixed: bool, done: Done
    ) -> None:
        self._loop = loop
        self._stats = stats
        self._key = key
        self._done = done
        self._id = _random.getrandbits(16)
        asked = mixed_case(key[:-5], _random.getrandbits(len(key))) + key[-5:] if mixed else key
        self._query = encode(asked, self._id, plain)
        self.mixed, self.respelled = mixed, False
        self._server = server
        self._buffer = b""
        self.plain = plain
        self.sent = loop.now
        self._socket = self._connected(socket.SOCK_DGRAM)
        try:
            self._socket.send(self._query)
        except OSError:
            self._socket.close()
            raise
        loop.add(self._socket.fileno(), READ, self._datagrams)

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.remove(self._socket.fileno())
            self._socket.close()

    def _connected(self, kind: int) -> socket.socket:
        family, peer = _peer(self._server)
        made = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            made.connect(peer)
        except BlockingIOError:
            pass
        except OSError:
            made.close()
            raise
        return made

    def _finish(self, reply: Reply | None) -> None:
        self.close()
        self._done(self, reply)

    def _datagrams(self, _events: int) -> None:
        for _ in range(_BATCH):
            try:
                raw = self._socket.recv(_LARGEST)
            except BlockingIOError:
                return
            except OSError:
                # Port or host unreachable: known at once, no need to wait.
                self._finish(None)
                return
            if self._take(raw, udp=True):
                return

    def _take(self, raw: bytes, udp: bool) -> bool:
        """Looks at what came; False where it is not meant for this question, and waiting goes on."""
        if len(raw) < wire.HEADER or raw[:2] != self._query[:2] or not raw[2] & 0x80:
            self._stats.count("upstream-stray")
            return False
        asked = self._query[wire.HEADER : wire.HEADER + len(self._key) - 1]
        echoed = raw.startswith(asked, wire.HEADER)
        if echoed and self.mixed:
            # Kept as if it had been asked in lower case.
            raw = raw[: wire.HEADER] + self._key[:-1] + raw[wire.HEADER + len(asked) :]
        try:
            message = _understood(raw, self._key, self._stats)
        except WireError:
            self._finish(None)
            return True
        if message is None:
            return False
        self.respelled = self.mixed and not echoed and message.question != b""
        if udp and (self.respelled or message.flags & wire.TC):
            if self.respelled:
                self._stats.count("upstream-respelled")
            self._start_tcp()
        else:
            self._finish(Reply(raw, message))
        return True

    def _start_tcp(self) -> None:
        self.close()
        self._stats.count("upstream-tcp")
        try:
            self._socket = self._connected(socket.SOCK_STREAM)
        except OSError:
            self._finish(None)
            return
        self._buffer = len(self._query).to_bytes(2, "big") + self._query
        self._loop.add(self._socket.fileno(), WRITE, self._tcp_write)

    def _tcp_write(self, _events: int) -> None:
        try:
            sent = self._socket.send(self._buffer)
        except BlockingIOError:
            return
        except OSError:
            self._finish(None)
            return
        self._buffer = self._buffer[sent:]
        if not self._buffer:
            fd = self._socket.fileno()
            self._loop.remove(fd)
            self._loop.add(fd, READ, self._tcp_read)

    def _tcp_read(self, _events: int) -> None:
        try:
            octets = self._socket.recv(_LARGEST)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if not octets:
            self._finish(None)
            return
        self._buffer += octets
        size = int.from_bytes(self._buffer[:2], "big") + 2
        if len(self._buffer) >= size > 2 and not self._take(self._buffer[2:size], udp=False):
            self._finish(None)
