# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""DNS messages as octets: names, records, a reader and a writer (RFC 1035 §4, RFC 3597 §4).

A name is its uncompressed wire form, `b"\\x03www\\x07example\\x00"`; lower-cased with bytes.lower(), which cannot
touch length octets, since they are below 64. Nothing here knows DNS64. Any octets either parse or raise WireError.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from struct import Struct, error
from typing import NamedTuple

HEADER = 12
MAX_NAME = 255
MAX_MESSAGE = 65535

# Flags in the second 16 bits of the header.
QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020, 0x0010
OPCODE_MASK, RCODE_MASK = 0x7800, 0x000F

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 0, 1, 2, 3, 4, 5, 16
RCODES = {
    NOERROR: "noerror", FORMERR: "formerr", SERVFAIL: "servfail", NXDOMAIN: "nxdomain",
    NOTIMP: "notimp", REFUSED: "refused", BADVERS: "badvers",
}  # fmt: skip

A, NS, CNAME, SOA, PTR, AAAA, DNAME, OPT, RRSIG, DS, SVCB, HTTPS, ANY = 1, 2, 5, 6, 12, 28, 39, 41, 46, 43, 64, 65, 255
IN = 1

_HEADER = Struct("!6H")
_QUESTION = Struct("!2H")
_RECORD = Struct("!HHIH")
_POINTER = 0xC0
_TO_QUESTION = bytes((_POINTER, HEADER))
# A name has at most 127 labels, so a chain of more pointers than that is an attack.
_MAX_POINTERS = 127

# Types whose rdata holds names: octets before the names, names, octets after. Only the types of RFC 1035 may be
# compressed when sent (RFC 3597 §4), but those of the second line were, once.
_NAMES_IN_RDATA = {
    **dict.fromkeys((2, 3, 4, 5, 7, 8, 9, 12), (0, 1, 0)), 6: (0, 2, 20), 14: (0, 2, 0), 15: (2, 1, 0),
    **dict.fromkeys((18, 21, 36), (2, 1, 0)), 17: (0, 2, 0), 26: (2, 2, 0), 33: (6, 1, 0), 39: (0, 1, 0),
}  # fmt: skip
_COMPRESSED_WHEN_SENT = frozenset((2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15))
_FIXED_RDATA = {A: 4, AAAA: 16}


class WireError(ValueError):
    """The octets are no DNS message, or the text no name; the message says why."""


class Record(NamedTuple):
    """A resource record with its names uncompressed. A tuple, for it is made by the thousand."""

    name: bytes
    type: int
    cls: int
    ttl: int
    rdata: bytes


class Message(NamedTuple):
    """A message read whole. `question`: name, type and class, uncompressed; `ttl_offsets`: where the TTLs of all
    records lie but those of OPT; `opt`: the OPT record, not among `additional`, and `opt_span` its octets;
    `end`: the octets that were read, whatever follows."""

    id: int
    flags: int
    question: bytes
    answer: tuple[Record, ...]
    authority: tuple[Record, ...]
    additional: tuple[Record, ...]
    opt: Record | None
    opt_span: tuple[int, int] | None
    ttl_offsets: tuple[int, ...]
    end: int

    @property
    def asked(self) -> bytes:
        """The question with its name in lower case; not the type, whose octets may look like letters (HTTPS)."""
        return self.question[:-4].lower() + self.question[-4:]

    @property
    def rcode(self) -> int:
        """The response code with the upper bits of OPT (RFC 6891 §6.1.3)."""
        upper = self.opt.ttl >> 24 << 4 if self.opt is not None else 0
        return upper | self.flags & RCODE_MASK


def read_name(msg: bytes, pos: int, ttl_offsets: Sequence[int] = ()) -> tuple[bytes, int]:
    """The name at `pos` and the position behind it; pointers may only lead backwards, so that there is no loop.

    What a pointer leads to lies before the name that has it, and not in one of the TTLs at `ttl_offsets`: those are counted
    down in what is kept, and octets behind the message are cut off, so that a name made of either would change.
    """
    parts: list[bytes] = []
    behind = -1
    length = 1
    limit = pos
    end = len(msg)
    pointers = 0
    try:
        while True:
            start = pos
            while 0 < (size := msg[pos]) < 64:
                pos += size + 1
            length += pos - start
            if length > MAX_NAME:
                raise WireError("a name is longer than 255 octets")
            if size == 0 and behind < 0:
                return msg[start : pos + 1], pos + 1
            parts.append(msg[start:pos])
            if size == 0:
                break
            if size < _POINTER:
                raise WireError("a label of a kind that does not exist")
            target = (size & 0x3F) << 8 | msg[pos + 1]
            if behind < 0:
                behind = pos + 2
            else:
                _lasts(limit, pos + 2, end, ttl_offsets)
            pointers += 1
            if target >= limit or target < HEADER or pointers > _MAX_POINTERS:
                raise WireError("a compression pointer does not lead back")
            end = limit
            pos = limit = target
    except IndexError:
        raise WireError("a name goes beyond the message") from None
    parts.append(b"\0")
    _lasts(limit, pos + 1, end, ttl_offsets)
    return b"".join(parts), behind


def _lasts(start: int, behind: int, end: int, ttl_offsets: Sequence[int]) -> None:
    """Whether the octets that a pointer led to are before `end`, and none of a TTL; else WireError."""
    before = bisect_left(ttl_offsets, behind)
    if behind > end or (before and ttl_offsets[before - 1] + 4 > start):
        raise WireError("a compression pointer leads to what is no name")


def parse(msg: bytes) -> Message:
    """Reads a whole message of at most one question. What follows the last record is ignored: see `end`."""
    try:
        return _parse(msg)
    except error:
        raise WireError("the message ends within a record") from None


def _parse(msg: bytes) -> Message:
    identifier, flags, questions, *counts = _HEADER.unpack_from(msg)
    question, pos = b"", HEADER
    if questions > 1:
        raise WireError(f"{questions} questions")
    if questions:
        name, pos = read_name(msg, pos)
        _QUESTION.unpack_from(msg, pos)
        question = name + msg[pos : pos + 4]
        pos += 4
    sections: list[tuple[Record, ...]] = []
    ttl_offsets: list[int] = []
    opt: Record | None = None
    span: tuple[int, int] | None = None
    size = len(msg)
    for count in counts:
        records: list[Record] = []
        for _ in range(count):
            start = pos
            if question and msg.startswith(_TO_QUESTION, pos):
                # As nearly every record of an answer has it.
                owner, pos = name, pos + 2
            else:
                owner, pos = read_name(msg, pos, ttl_offsets)
            kind, cls, ttl, length = _RECORD.unpack_from(msg, pos)
            ttl_offsets.append(pos + 4)
            begin = pos + 10
            pos = begin + length
            if pos > size:
                raise WireError("the message ends within a record")
            if kind in _NAMES_IN_RDATA:
                rdata = _read_rdata(msg, begin, pos, ttl_offsets, *_NAMES_IN_RDATA[kind])
            else:
                rdata = msg[begin:pos]
                if kind in _FIXED_RDATA and cls == IN and _FIXED_RDATA[kind] != length:
                    raise WireError(f"an address of {length} octets in a record of type {kind}")
            if kind != OPT:
                records.append(Record(owner, kind, cls, ttl, rdata))
            elif opt is not None or len(sections) != 2 or owner != b"\0":
                raise WireError("an OPT record where none may be")
            else:
                opt, span = Record(owner, kind, cls, ttl, rdata), (start, pos)
                ttl_offsets.pop()
        sections.append(tuple(records))
    answer, authority, additional = sections
    return Message(identifier, flags, question, answer, authority, additional, opt, span, tuple(ttl_offsets), pos)


def _read_rdata(
    msg: bytes, start: int, end: int, ttl_offsets: Sequence[int], before: int, names: int, after: int
) -> bytes:
    pos = start + before
    parts = [msg[start:pos]]
    for _ in range(names):
        name, pos = read_name(msg, pos, ttl_offsets)
        parts.append(name)
    if pos + after != end:
        raise WireError("rdata is not as long as its names")
    parts.append(msg[pos:end])
    return b"".join(parts)


class Writer:
    """Builds a message with compression. Sections are written in their order; what does not fit is refused."""

    def __init__(self, question: bytes) -> None:
        """`question`: name, type and class, uncompressed."""
        self._out = bytearray(HEADER) + question
        self._known: dict[bytes, int] = {}
        self._counts = [0, 0, 0]
        self._ttl_offsets: list[int] = []
        self._remember(question[:-4], HEADER)

    def add(self, section: int, record: Record) -> bool:
        """Appends to section 0 (answer), 1 or 2; False, and nothing appended, where the message would be too long."""
        out = self._out
        begin = len(out)
        self._name(record.name, True)
        self._ttl_offsets.append(len(out) + 4)
        out += _RECORD.pack(record.type, record.cls, record.ttl, 0)
        start = len(out)
        if record.type in _NAMES_IN_RDATA:
            self._rdata(record)
        else:
            out += record.rdata
        if len(out) > MAX_MESSAGE:
            del out[begin:]
            self._ttl_offsets.pop()
            self._known = {name: offset for name, offset in self._known.items() if offset < begin}
            return False
        out[start - 2 : start] = (len(out) - start).to_bytes(2, "big")
        self._counts[section] += 1
        return True

    def finish(self, flags: int) -> tuple[bytes, tuple[int, ...]]:
        """The message with id 0, and where its TTLs lie."""
        _HEADER.pack_into(self._out, 0, 0, flags, 1, *self._counts)
        return bytes(self._out), tuple(self._ttl_offsets)

    def _rdata(self, record: Record) -> None:
        before, names, _ = _NAMES_IN_RDATA[record.type]
        self._out += record.rdata[:before]
        pos = before
        for _ in range(names):
            size = name_length(record.rdata, pos)
            self._name(record.rdata[pos : pos + size], record.type in _COMPRESSED_WHEN_SENT)
            pos += size
        self._out += record.rdata[pos:]

    def _name(self, name: bytes, compress: bool) -> None:
        pos = 0
        while compress and name[pos]:
            known = self._known.get(name[pos:])
            if known is not None:
                self._remember(name[:pos] + b"\0", len(self._out), name)
                self._out += name[:pos] + (known | _POINTER << 8).to_bytes(2, "big")
                return
            pos += name[pos] + 1
        self._remember(name, len(self._out))
        self._out += name

    def _remember(self, written: bytes, offset: int, whole: bytes | None = None) -> None:
        """Notes where the suffixes of a name lie, as far as it is `written` out; `whole` where a pointer follows."""
        whole = whole or written
        pos = 0
        while written[pos] and offset + pos < 0x4000:
            self._known.setdefault(whole[pos:], offset + pos)
            pos += written[pos] + 1


def name_length(octets: bytes, pos: int = 0) -> int:
    """How many octets the uncompressed name at `pos` has."""
    start = pos
    while octets[pos]:
        pos += octets[pos] + 1
    return pos + 1 - start


def suffixes(name: bytes) -> Iterator[bytes]:
    """The name and every domain above it, the root last."""
    pos = 0
    while name[pos]:
        yield name[pos:]
        pos += name[pos] + 1
    yield b"\0"


def name_text(name: bytes) -> str:
    """A wire name as text without the last dot, "." for the root; octets that are no letters as \\DDD (RFC 1035 §5.1)."""
    labels, pos = [], 0
    while size := name[pos]:
        label = name[pos + 1 : pos + 1 + size]
        labels.append("".join(chr(c) if 33 <= c <= 126 and c not in b'.\\"' else f"\\{c:03}" for c in label))
        pos += 1 + size
    return ".".join(labels) or "."


def name_from_text(text: str) -> bytes:
    """The lower-cased wire form of a domain name in ASCII, with or without the last dot."""
    try:
        labels = text.lower().removesuffix(".").encode("ascii").split(b".")
    except UnicodeEncodeError:
        raise WireError("it is not ASCII; write its xn-- form") from None
    if labels == [b""]:
        return b"\0"
    if not all(0 < len(label) < 64 for label in labels):
        raise WireError("a label has 1 to 63 characters")
    name = b"".join(len(label).to_bytes(1, "big") + label for label in labels) + b"\0"
    if len(name) > MAX_NAME:
        raise WireError("a name is longer than 255 octets")
    return name
