# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Fragments → whole packets (RFC 791 §3.2, RFC 8200 §4.5), pure: bytes and the time come in, a packet or a word goes out.

Fragments may come in any order, interleaved and more than once. A datagram with overlapping fragments is dropped whole,
those still to come included (RFC 5722). Memory is bounded, in all and for each source: the oldest datagram makes room,
first of the same source's own.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import StrEnum

from v6native.packet import (
    DSTOPTS,
    FRAGMENT_HEADER,
    HOPOPTS,
    IPV4_HEADER,
    IPV6_HEADER,
    ROUTING,
    PacketError,
    checksum,
    parse_ipv4,
    parse_ipv6,
)

# A packet's length has 16 bits; IPv6's leaves its header out.
LONGEST_IPV4 = 65535
LONGEST_IPV6 = 65535 + IPV6_HEADER
# What a stored fragment costs beside its bytes.
_OVERHEAD = 128
_EXTENSIONS = (HOPOPTS, ROUTING, DSTOPTS)


class Outcome(StrEnum):
    """What became of a fragment that made nothing whole."""

    WAITING = "waiting"
    DUPLICATE = "duplicate"
    NOT_A_FRAGMENT = "not_a_fragment"
    MALFORMED = "malformed"
    OVERLAP = "overlap"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes held in all and of one source, datagrams in all; seconds until a datagram is given up."""

    total: int = 16 << 20
    per_source: int = 2 << 20
    datagrams: int = 4096
    ipv4_seconds: float = 30.0
    ipv6_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Key:
    """What fragments of one datagram have in common; `protocol` is IPv4's only."""

    source: bytes
    destination: bytes
    identification: int
    protocol: int


@dataclass(frozen=True, slots=True)
class Piece:
    """One fragment: `data` at `offset`, what stands before it in the packet, and the next header for IPv6."""

    key: Key
    offset: int
    more: bool
    data: bytes
    head: bytes
    next_header_at: int
    next_header: int


@dataclass(slots=True)
class Datagram:
    """What has come of one. `dead`: overlapped or too long, all that still comes is dropped.

    `congestion`: a fragment was marked CE, so the whole is (RFC 3168 §5.3).
    """

    deadline: float
    parts: dict[int, bytes] = field(default_factory=dict)
    first: Piece | None = None
    length: int | None = None
    congestion: bool = False
    cost: int = 0
    dead: bool = False

    def whole(self) -> bytes | None:
        """The data if all of it is here."""
        if self.length is None or self.first is None:
            return None
        if sum(len(part) for part in self.parts.values()) != self.length:
            return None
        return b"".join(self.parts[offset] for offset in sorted(self.parts))


@dataclass(slots=True)
class _Held:
    """What one source has here: bytes, and its datagrams, the oldest first."""

    bytes: int = 0
    keys: dict[Key, None] = field(default_factory=dict)


class Reassembler:
    """`add` each fragment; `expire` every second or so."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # In the order in which they began.
        self._datagrams: dict[Key, Datagram] = {}
        self._sources: dict[bytes, _Held] = {}
        self.bytes_held = 0
        self.evicted = 0
        self.expired = 0

    def __len__(self) -> int:
        return len(self._datagrams)

    def add(self, packet: bytes, now: float) -> bytes | Outcome:
        """The whole packet that this fragment completes, or what became of the fragment."""
        try:
            piece = read(packet)
        except PacketError:
            return Outcome.MALFORMED
        if piece is None:
            return Outcome.NOT_A_FRAGMENT
        if piece.more and (len(piece.data) % 8 or not piece.data):
            return Outcome.MALFORMED
        datagram = self._datagrams.get(piece.key)
        if datagram is not None and datagram.deadline <= now:
            self._expire(piece.key)
            datagram = None
        if datagram is None:
            datagram = self._begin(piece.key, now)
        outcome = _fit(datagram, piece)
        if outcome in (Outcome.OVERLAP, Outcome.TOO_LONG):
            self._kill(piece.key, datagram)
            return outcome
        if outcome is not Outcome.WAITING:
            return outcome
        self._charge(piece.key, datagram, len(piece.data) + _OVERHEAD)
        data = datagram.whole()
        if data is None or datagram.first is None:
            self._make_room(piece.key)
            return Outcome.WAITING
        self._forget(piece.key)
        return build(datagram.first, data, datagram.congestion)

    def expire(self, now: float) -> None:
        """Give up what is too old."""
        for key in [key for key, datagram in self._datagrams.items() if datagram.deadline <= now]:
            self._expire(key)

    def _expire(self, key: Key) -> None:
        self.expired += not self._datagrams[key].dead
        self._forget(key)

    def _begin(self, key: Key, now: float) -> Datagram:
        v4 = len(key.source) == 4
        datagram = Datagram(now + (self._limits.ipv4_seconds if v4 else self._limits.ipv6_seconds))
        while len(self._datagrams) >= self._limits.datagrams:
            self._evict(next(iter(self._datagrams)))
        self._datagrams[key] = datagram
        self._sources.setdefault(source_of(key.source), _Held()).keys[key] = None
        self._charge(key, datagram, _OVERHEAD)
        return datagram

    def _charge(self, key: Key, datagram: Datagram, cost: int) -> None:
        datagram.cost += cost
        self.bytes_held += cost
        self._sources[source_of(key.source)].bytes += cost

    def _make_room(self, newest: Key) -> None:
        """A source over its limit loses its oldest datagram; over the limit of all, the oldest of all goes."""
        source = source_of(newest.source)
        while (held := self._sources.get(source)) and held.bytes > self._limits.per_source:
            self._evict(next(iter(held.keys)))
        while self.bytes_held > self._limits.total:
            self._evict(next(iter(self._datagrams)))

    def _evict(self, key: Key) -> None:
        self.evicted += 1
        self._forget(key)

    def _kill(self, key: Key, datagram: Datagram) -> None:
        """Keep only its name, until its time is over."""
        self._release(key, datagram.cost - _OVERHEAD)
        datagram.cost = _OVERHEAD
        datagram.parts.clear()
        datagram.first = None
        datagram.dead = True

    def _forget(self, key: Key) -> None:
        self._release(key, self._datagrams.pop(key).cost)
        held = self._sources[source_of(key.source)]
        del held.keys[key]
        if not held.keys:
            del self._sources[source_of(key.source)]

    def _release(self, key: Key, cost: int) -> None:
        self.bytes_held -= cost
        self._sources[source_of(key.source)].bytes -= cost


def source_of(address: bytes) -> bytes:
    """Whom a packet is charged to: an IPv4 address, or the /64 of an IPv6 one, which is one client's."""
    return address if len(address) == 4 else address[:8]


def read(packet: bytes) -> Piece | None:
    """A fragment; None: a whole packet. Raises PacketError."""
    return _read6(packet) if packet[:1] and packet[0] >> 4 == 6 else _read4(packet)


def _read4(packet: bytes) -> Piece | None:
    ip = parse_ipv4(packet)
    if not ip.is_fragment:
        return None
    key = Key(ip.source.packed, ip.destination.packed, ip.identification, ip.protocol)
    head = packet[: IPV4_HEADER + len(ip.options)]
    return Piece(key, ip.fragment_offset, ip.more_fragments, ip.payload, head, 0, ip.protocol)


def _read6(packet: bytes) -> Piece | None:
    ip = parse_ipv6(packet)
    if ip.fragment is None or not ip.is_fragment:
        return None
    named_at, at = _fragment_header_at(packet)
    key = Key(ip.source.packed, ip.destination.packed, ip.fragment.identification, 0)
    end = IPV6_HEADER + int.from_bytes(packet[4:6], "big")
    data = packet[at + FRAGMENT_HEADER : end]
    return Piece(key, ip.fragment.offset, ip.fragment.more, data, packet[:at], named_at, ip.fragment.next_header)


def _fragment_header_at(packet: bytes) -> tuple[int, int]:
    """Where the Fragment header is named, and where it is, in a packet that parse_ipv6 found good."""
    named_at, at = 6, IPV6_HEADER
    while packet[named_at] in _EXTENSIONS:
        named_at, at = at, at + (packet[at + 1] + 1) * 8
    return named_at, at


def _fit(datagram: Datagram, piece: Piece) -> Outcome:
    """Put a fragment into its datagram."""
    if datagram.dead:
        return Outcome.OVERLAP
    start, end = piece.offset, piece.offset + len(piece.data)
    longest = LONGEST_IPV4 if len(piece.key.source) == 4 else LONGEST_IPV6
    if len(piece.head) + end > longest:
        return Outcome.TOO_LONG
    if datagram.parts.get(start) == piece.data and (piece.more or datagram.length == end):
        return Outcome.DUPLICATE
    beyond = datagram.length is not None and (end > datagram.length or (not piece.more and end != datagram.length))
    ends = (offset + len(part) for offset, part in datagram.parts.items())
    shrinks = not piece.more and any(there > end for there in ends)
    if beyond or shrinks or any(start < o + len(p) and o < end for o, p in datagram.parts.items()):
        return Outcome.OVERLAP
    datagram.parts[start] = piece.data
    datagram.congestion |= _congestion(piece.head)
    if not piece.more:
        datagram.length = end
    if start == 0:
        datagram.first = piece
    return Outcome.WAITING


def build(first: Piece, data: bytes, congestion: bool = False) -> bytes:
    """The whole packet, with the first fragment's headers."""
    head = bytearray(first.head)
    if len(first.key.source) == 4:
        head[1] |= 0x03 * congestion
        struct.pack_into("!H", head, 2, len(head) + len(data))
        # Neither more fragments nor an offset; DF as it was.
        head[6], head[7] = head[6] & 0x40, 0
        head[10:12] = b"\0\0"
        struct.pack_into("!H", head, 10, checksum(bytes(head)))
    else:
        head[1] |= 0x30 * congestion
        struct.pack_into("!H", head, 4, len(head) - IPV6_HEADER + len(data))
        head[first.next_header_at] = first.next_header
    return bytes(head) + data


def _congestion(head: bytes) -> bool:
    """Whether the ECN field says CE."""
    return head[1] & 0x30 == 0x30 if head[0] >> 4 == 6 else head[1] & 0x03 == 0x03
