# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A client's question, and the answer in the form in which it goes out to that client."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from v6native.dns64 import wire
from v6native.dns64.answer import Answer
from v6native.dns64.wire import WireError

# The largest UDP answer: with it, an IPv6 packet has 1280 octets, which every link carries.
MAX_UDP = 1232
_MIN_UDP = 512

_HEADER = Struct("!6H")
_OPT = Struct("!BHHIH")
_DO = 0x8000

KEY_DO, KEY_CD = 1, 2
_TAIL = Struct("!HHB")

# Types that are no types of data, and would be answered with something else than one message: zone transfers and the
# like (RFC 6895 §3.1). ANY is a question that a resolver answers.
_META_TYPES = frozenset(range(249, 255))

# OPT, and TSIG or SIG(0) beside it. Anybody may send a query, and a thousand records of compressed names cost a second.
_MAX_ADDITIONAL = 3


class Query(NamedTuple):
    """What is asked, with the name in lower case; `question` has the client's own spelling, which goes back to it.

    `limit`: the longest UDP answer it takes. `edns`: it sent OPT, so OPT goes back. `rcode` is not 0 where the answer
    is known to be that error, because the question makes no sense to us.
    """

    id: int
    flags: int
    question: bytes
    name: bytes
    type: int
    cls: int
    edns: bool
    do: bool
    limit: int
    rcode: int = wire.NOERROR

    @property
    def cd(self) -> bool:
        return bool(self.flags & wire.CD)


def key(query: Query, kind: int | None = None, cd: bool | None = None) -> bytes:
    """What upstream is asked for a query, or for the same name with another type or without CD.

    It is the question in lower case, then one octet of flags: KEY_DO, KEY_CD. The cache's key, too.
    """
    flags = (KEY_DO if query.do else 0) | (KEY_CD if (query.cd if cd is None else cd) else 0)
    kind = query.type if kind is None else kind
    return query.name + _TAIL.pack(kind, query.cls, flags)


def key_for(name: bytes, kind: int, do: bool) -> bytes:
    """The key of a question of our own: class IN, CD clear."""
    return name + _TAIL.pack(kind, wire.IN, KEY_DO if do else 0)


def parse_query(data: bytes) -> Query | None:
    """A datagram as a query; None: not even an error may go back (an answer, or too short to have an id)."""
    if len(data) < wire.HEADER:
        return None
    identifier, flags, questions, answers, authorities, additional = _HEADER.unpack_from(data)
    if flags & wire.QR:
        return None
    if flags & wire.OPCODE_MASK:
        return _bare(identifier, flags, wire.NOTIMP)
    if questions != 1 or answers or authorities or additional > _MAX_ADDITIONAL or flags & wire.TC:
        return _bare(identifier, flags, wire.FORMERR)
    edns, do, limit, rcode = False, False, _MIN_UDP, wire.NOERROR
    try:
        name, pos = wire.read_name(data, wire.HEADER)
        end = pos + 4
        kind, cls = data[pos] << 8 | data[pos + 1], data[pos + 2] << 8 | data[pos + 3]
        if end != len(data) or additional:
            edns, do, limit, rcode = _edns(data, end, additional)
    except (WireError, IndexError):
        return _bare(identifier, flags, wire.FORMERR)
    if kind in _META_TYPES:
        rcode = wire.NOTIMP
    elif kind in (0, wire.OPT) and not rcode:
        rcode = wire.FORMERR
    question = data[wire.HEADER : end]
    return Query(identifier, flags, question, name.lower(), kind, cls, edns, do, limit, rcode)


def _bare(identifier: int, flags: int, rcode: int) -> Query:
    """Of which nothing but the header is known."""
    return Query(identifier, flags, b"", b"\0", 0, 0, False, False, _MIN_UDP, rcode)


def _edns(data: bytes, end: int, additional: int) -> tuple[bool, bool, int, int]:
    """Whether there is OPT, its DO, the longest answer that is taken, and the response code that it leads to."""
    if additional == 1 and len(data) == end + _OPT.size:
        # As nearly every client sends it: OPT without options, and nothing else.
        root, kind, size, ttl, options = _OPT.unpack_from(data, end)
        if root == 0 and kind == wire.OPT and options == 0:
            return True, bool(ttl & _DO), min(max(size, _MIN_UDP), MAX_UDP), _version(ttl)
    message = wire.parse(data)
    if message.end != len(data):
        raise WireError("octets follow the message")
    opt = message.opt
    if opt is None:
        return False, False, _MIN_UDP, wire.NOERROR
    return True, bool(opt.ttl & _DO), min(max(opt.cls, _MIN_UDP), MAX_UDP), _version(opt.ttl)


def _version(ttl: int) -> int:
    return wire.BADVERS if ttl >> 16 & 0xFF else wire.NOERROR


def respond(query: Query, answer: Answer, now: int, limit: int) -> bytes:
    """The answer as this client gets it: its id, its spelling, its flags; cut with TC where it is above `limit`."""
    out = answer.aged(now)
    size = len(query.question)
    out[wire.HEADER : wire.HEADER + size] = query.question
    own = answer.message[2] << 8 & wire.AA
    # AD goes to who understands it (RFC 6840 §5.8), and only onto what a trusted upstream vouches for.
    if answer.authentic and (query.do or query.flags & wire.AD):
        own |= wire.AD
    flags = wire.QR | wire.RA | own | query.flags & (wire.RD | wire.CD) | answer.rcode & wire.RCODE_MASK
    opt = _opt(query, answer.rcode)
    if len(out) + len(opt) > limit:
        del out[wire.HEADER + size :]
        _HEADER.pack_into(out, 0, query.id, flags | wire.TC, 1, 0, 0, bool(opt))
        return bytes(out + opt)
    out[0:4] = query.id.to_bytes(2, "big") + flags.to_bytes(2, "big")
    if opt:
        out[10:12] = (int.from_bytes(out[10:12], "big") + 1).to_bytes(2, "big")
        out += opt
    return bytes(out)


def refuse(query: Query, rcode: int) -> bytes:
    """An error without any record."""
    opt = _opt(query, rcode)
    flags = wire.QR | wire.RA | query.flags & (wire.OPCODE_MASK | wire.RD | wire.CD) | rcode & wire.RCODE_MASK
    return _HEADER.pack(query.id, flags, bool(query.question), 0, 0, bool(opt)) + query.question + opt


def cut(query: Query) -> bytes:
    """No answer but TC: it is to be asked for by TCP."""
    opt = _opt(query, wire.NOERROR)
    flags = wire.QR | wire.RA | wire.TC | query.flags & (wire.RD | wire.CD)
    return _HEADER.pack(query.id, flags, 1, 0, 0, bool(opt)) + query.question + opt


def _opt(query: Query, rcode: int) -> bytes:
    if not query.edns:
        return b""
    return _OPT.pack(0, wire.OPT, MAX_UDP, rcode >> 4 << 24 | (_DO if query.do else 0), 0)
