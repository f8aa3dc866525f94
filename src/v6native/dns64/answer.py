# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""An answer that is kept: a message without id and OPT, where its TTLs lie, and until when it is true (RFC 2308)."""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct

from v6native.dns64 import wire
from v6native.dns64.wire import Message, Record, Writer

_U16 = Struct("!H")
_U32 = Struct("!I")
_HEADER = Struct("!6H")
_AAAA = Struct("!HHHIH")
_MAX_TTL = 0x7FFFFFFF
# The TTL of an answer past its time, and how long it is before upstream is asked again (RFC 8767 §4, §5).
STALE_TTL = 30


class Answer:
    """Immutable but for `memo` and `used` (the cache's).

    Times are whole seconds of one monotonic clock: `born`, `expires`. `soa_ttl` is the negative TTL at birth (RFC 2308
    §5), None where there is no SOA. `failed`: an error that says nothing about the name, such as SERVFAIL or a
    timeout. `authentic`: came with AD from an upstream that is trusted with it. `origin` says how it came about.
    `true_until`: when upstream's words ran out, which is later than that for one past its time (`stale`).
    """

    __slots__ = (
        "authentic", "born", "expires", "failed", "memo", "message", "origin", "rcode", "soa_ttl", "true_until",
        "ttl_offsets", "used",
    )  # fmt: skip

    def __init__(
        self, message: bytes, ttl_offsets: tuple[int, ...], rcode: int, born: int, expires: int, origin: str
    ) -> None:
        self.message = message
        self.ttl_offsets = ttl_offsets
        self.rcode = rcode
        self.born = born
        self.expires = expires
        self.origin = origin
        self.soa_ttl: int | None = None
        self.failed = rcode not in (wire.NOERROR, wire.NXDOMAIN)
        self.authentic = False
        self.true_until: int | None = None
        self.used = False
        # What rules.py made of this answer for one view: pure, so that it may be kept here.
        self.memo: tuple[object, Answer | None, Answer] | None = None

    @property
    def has_answer(self) -> bool:
        """Whether there is any record in the answer section."""
        return self.message[6:8] != b"\0\0"

    def aged(self, now: int) -> bytearray:
        """A copy of the message whose TTLs are counted down to `now`."""
        message = bytearray(self.message)
        age = now - self.born
        if age > 0:
            for offset in self.ttl_offsets:
                ttl = _U32.unpack_from(message, offset)[0] - age
                _U32.pack_into(message, offset, ttl if ttl > 0 else 0)
        return message

    def stale(self, now: int) -> Answer:
        """The same once more, for a moment, although its time is over (RFC 8767 §4): nobody vouches for it now."""
        message = bytearray(self.message)
        for offset in self.ttl_offsets:
            _U32.pack_into(message, offset, STALE_TTL)
        again = Answer(bytes(message), self.ttl_offsets, self.rcode, now, now + STALE_TTL, "stale")
        again.soa_ttl = None if self.soa_ttl is None else STALE_TTL
        again.true_until = self.expires if self.true_until is None else self.true_until
        return again

    def remaining_soa_ttl(self, now: int) -> int | None:
        return None if self.soa_ttl is None else max(0, self.soa_ttl - (now - self.born))


def from_upstream(raw: bytes, message: Message, now: int, max_ttl: int, max_negative: int, failure: int) -> Answer:
    """Keeps what upstream said. `max_ttl`, `max_negative`: ceilings; `failure`: how long an error is kept, seconds."""
    octets = bytearray(raw[: message.end])
    offsets = message.ttl_offsets
    if message.opt_span is not None:
        octets, offsets = _without_opt(octets, message, offsets)
    smallest = max_ttl
    for offset in offsets:
        ttl = _U32.unpack_from(octets, offset)[0]
        if ttl > max_ttl:
            # One with the top bit set counts as zero (RFC 2181 §8).
            ttl = 0 if ttl > _MAX_TTL else max_ttl
            _U32.pack_into(octets, offset, ttl)
        if ttl < smallest:
            smallest = ttl
    # A code of EDNS is between us and upstream; without OPT its low bits would say NOERROR.
    rcode = message.rcode if message.rcode <= wire.RCODE_MASK else wire.SERVFAIL
    # Flags are the client's and ours, but for those kept beside: a cached answer is not authoritative, for one.
    octets[0:4] = bytes(4)
    answer = Answer(bytes(octets), offsets, rcode, now, now, "upstream")
    negative = rcode == wire.NXDOMAIN or (rcode == wire.NOERROR and not _answers(message))
    if answer.failed:
        answer.expires = now + failure
    elif negative:
        answer.soa_ttl = _soa_ttl(message)
        # Without a SOA a negative answer is not kept (RFC 2308 §5).
        answer.expires = now + min(answer.soa_ttl or 0, smallest, max_negative)
    else:
        answer.expires = now + smallest if offsets else now
    return answer


def build(
    question: bytes, rcode: int, sections: Iterable[Iterable[Record]], now: int, ttl: int, origin: str, flags: int = 0
) -> Answer:
    """An answer made here, true for the smallest TTL in it, or `ttl` seconds where there is no record in it.

    Records that make it longer than a message may be are left out: some addresses that work are better than none.
    """
    writer = Writer(question)
    ttls: list[int] = []
    for section, records in enumerate(sections):
        for record in records:
            if not writer.add(section, record):
                break
            ttls.append(record.ttl)
    message, offsets = writer.finish(flags)
    return Answer(message, offsets, rcode, now, now + min(ttls, default=ttl), origin)


def build_addresses(question: bytes, addresses: list[tuple[int, bytes]], now: int) -> Answer:
    """A synthesized answer of AAAA records alone, TTL and address of each; as `build` makes it. At least one."""
    begin, size = wire.HEADER + len(question), _AAAA.size + 16
    del addresses[(wire.MAX_MESSAGE - begin) // size :]
    records = b"".join([_AAAA.pack(0xC00C, wire.AAAA, wire.IN, ttl, 16) + rdata for ttl, rdata in addresses])
    message = _HEADER.pack(0, 0, 1, len(addresses), 0, 0) + question + records
    offsets = tuple(range(begin + 6, begin + 6 + size * len(addresses), size))
    smallest = min([ttl for ttl, _ in addresses])
    return Answer(message, offsets, wire.NOERROR, now, now + smallest, "synthesized")


def failure(question: bytes, rcode: int, now: int, seconds: int) -> Answer:
    """An error answer without records: a timeout, or something that is refused here."""
    answer = build(question, rcode, (), now, seconds, "failure")
    answer.failed = True
    return answer


def _answers(message: Message) -> bool:
    """Whether the answer section holds what was asked for, not only a chain that leads to nothing."""
    kind = int.from_bytes(message.question[-4:-2], "big")
    return any(record.type == kind or kind == wire.ANY for record in message.answer)


def _soa_ttl(message: Message) -> int | None:
    for record in message.authority:
        if record.type == wire.SOA:
            ttl = 0 if record.ttl > _MAX_TTL else record.ttl
            return min(ttl, int(_U32.unpack_from(record.rdata, len(record.rdata) - 4)[0]))
    return None


def _without_opt(octets: bytearray, message: Message, offsets: tuple[int, ...]) -> tuple[bytearray, tuple[int, ...]]:
    """Takes OPT out; where records follow it, names in them may point across it, so all is written anew."""
    assert message.opt_span is not None
    start, end = message.opt_span
    if end == len(octets):
        del octets[start:]
        _U16.pack_into(octets, 10, len(message.additional))
        return octets, offsets
    writer = Writer(message.question)
    for section, records in enumerate((message.answer, message.authority, message.additional)):
        for record in records:
            writer.add(section, record)
    rewritten, offsets = writer.finish(message.flags)
    return bytearray(rewritten), offsets
