# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What is fuzzed: a client's datagram and two upstream answers, read, decided upon (RFC 6147) and written again.

`exercise` ends without an error for any octets. It raises where the code does, and AssertionError where what would be
sent is not what it must be: it reads again, is no longer than the client takes, and makes up no address.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from tests.fuzz.case import HEADER, message, unpacked
from v6native.address import WKP, extract, is_wkp, non_global
from v6native.config.modeldns import (
    AaaaFailure,
)
from v6native.dns64 import wire
from v6native.dns64.answer import Answer, from_upstream
from v6native.dns64.query import MAX_UDP, Query, cut, parse_query, refuse, respond
from v6native.dns64.rules import Policy, View, decide
from v6native.dns64.settings import Pref64
from v6native.dns64.wire import WireError

MAX_TTL, MAX_NEGATIVE, FAILURE = 86_400, 10_800, 5
BORN = 1000
# Moments at which a client asks: at once, and when some of the TTLs have run out.
AGES = (0, 0, 7, 90_000)
_NSP = IPv6Network("2001:db8:64:64::/96")
_SHORT = IPv6Network("2001:db8:4000::/40")
_EXCLUDED = (IPv6Network("::ffff:0:0/96"),)
_NEVER = frozenset({wire.name_from_text("never.example")})
_REVERSE = (_NSP, _SHORT, WKP)
VIEWS = (
    View((Pref64(_NSP),), _REVERSE, Policy(exclude_aaaa=_EXCLUDED, never=_NEVER)),
    View((Pref64(WKP),), _REVERSE, Policy(exclude_aaaa=_EXCLUDED, exclude_ipv4=(IPv4Network("198.51.100.128/25"),))),
    View(
        (Pref64(_SHORT, (IPv4Network("192.0.2.0/24"),)), Pref64(_NSP)),
        _REVERSE,
        Policy(aaaa_failure=AaaaFailure.FAIL, blocked=lambda name: name.endswith(b"\x07blocked\0")),
    ),
    View((), _REVERSE, Policy(exclude_aaaa=(IPv6Network("2001:db8::/32"),))),
)
# The most upstream questions that one client's question leads to, and the answer after them.
_STEPS = 4


def exercise(octets: bytes) -> str:
    """What became of it: "no query", an error's name, or how the answer came about."""
    case = unpacked(octets)
    for part in (case.query, case.aaaa, case.a):
        _read(part)
    query = parse_query(case.query)
    if query is None:
        return "no query"
    assert _again(refuse(query, query.rcode or wire.REFUSED), query, MAX_UDP).answer == ()
    if query.rcode:
        return f"rcode {query.rcode}"
    assert _again(cut(query), query, MAX_UDP).flags & wire.TC
    view, age = VIEWS[case.choice % len(VIEWS)], AGES[case.choice // len(VIEWS) % len(AGES)]
    upstream = {kind: _kept(part, query, kind) for kind, part in ((wire.AAAA, case.aaaa), (wire.A, case.a))}
    answer = _decided(query, view, upstream, BORN + age)
    once_more = _decided(query, view, upstream, BORN + age)
    assert (answer.message, answer.rcode) == (once_more.message, once_more.rcode), "what is kept of it is the same"
    _check(query, view, answer, upstream, BORN + age)
    return answer.origin


def _read(octets: bytes) -> None:
    """As it comes from the net, without a question put in."""
    try:
        read = wire.parse(octets)
    except WireError:
        return
    if read.question:
        _keep(octets, read)


def _kept(part: bytes, query: Query, kind: int) -> Answer | None:
    """The answer as the cache has it; None where it cannot be read."""
    question = query.name + kind.to_bytes(2, "big") + query.cls.to_bytes(2, "big")
    raw = message(part, question)
    try:
        read = wire.parse(raw)
    except WireError:
        return None
    assert read.asked == question
    answer = _keep(raw, read)
    answer.authentic = bool(read.flags & wire.AD)
    return answer


def _keep(raw: bytes, read: wire.Message) -> Answer:
    """As the cache has it, which reads the same at any age, for it is read later without a net."""
    answer = from_upstream(raw, read, BORN, MAX_TTL, MAX_NEGATIVE, FAILURE)
    said = [[record._replace(ttl=0) for record in section] for section in read[3:6]]
    for age in AGES:
        later = wire.parse(bytes(answer.aged(BORN + age)))
        assert [[record._replace(ttl=0) for record in section] for section in later[3:6]] == said
    return answer


def _decided(query: Query, view: View, upstream: dict[int, Answer | None], now: int) -> Answer:
    asked: set[bytes] = set()

    def find(key: bytes) -> Answer | None:
        if key not in asked:
            return None
        # Whatever else is asked for, such as a PTR, gets the A records' message with that question.
        basis = upstream.get(int.from_bytes(key[-5:-3], "big"), upstream[wire.A])
        return basis if basis is not None and basis.message[HEADER:].startswith(key[:-1]) else _failed(key, now)

    for _ in range(_STEPS):
        outcome = decide(query, view, find, now)
        if isinstance(outcome, Answer):
            return outcome
        assert outcome.key not in asked, "asked twice"
        asked.add(outcome.key)
    raise AssertionError("the rules never end")


def _failed(key: bytes, now: int) -> Answer:
    raw = b"\0\0\x80\x02\0\x01" + bytes(6) + key[:-1]
    return from_upstream(raw, wire.parse(raw), now, MAX_TTL, MAX_NEGATIVE, FAILURE)


def _again(out: bytes, query: Query, limit: int) -> wire.Message:
    """What is sent, read again."""
    assert len(out) <= limit
    read = wire.parse(out)
    assert read.end == len(out) and read.id == query.id and read.flags & wire.QR
    # In the client's own spelling.
    assert out[HEADER:].startswith(query.question) and (read.opt is not None) is query.edns
    return read


def _check(query: Query, view: View, answer: Answer, upstream: dict[int, Answer | None], now: int) -> None:
    whole = _again(respond(query, answer, now, wire.MAX_MESSAGE + 64), query, wire.MAX_MESSAGE + 64)
    short = _again(respond(query, answer, now, query.limit), query, query.limit)
    assert not whole.flags & wire.TC
    if short.flags & wire.TC:
        assert not (short.answer or short.authority or short.additional)
    else:
        assert short == whole
    assert whole.rcode == answer.rcode
    records = (*whole.answer, *whole.authority, *whole.additional)
    assert all(record.ttl <= MAX_TTL for record in records)
    if answer.origin in ("synthesized", "filtered"):
        assert not whole.flags & wire.AD, "nobody vouches for what was made here"
    if answer.origin == "synthesized" and query.type == wire.AAAA:
        _check_addresses(whole, view, upstream[wire.A])


def _check_addresses(whole: wire.Message, view: View, a: Answer | None) -> None:
    assert a is not None
    real = {r.rdata for r in wire.parse(a.message).answer if r.type == wire.A and r.cls == wire.IN}
    made = [IPv6Address(record.rdata) for record in whole.answer if record.type == wire.AAAA and record.cls == wire.IN]
    # One that upstream put among the A records stays what it is; all others stand for one of these.
    for address in made:
        for rule in view.pref64:
            v4 = extract(rule.prefix, address)
            if v4 is not None:
                _check_embedded(rule, v4, view, real)
    assert any(extract(rule.prefix, address) is not None for address in made for rule in view.pref64)


def _check_embedded(rule: Pref64, v4: IPv4Address, view: View, real: set[bytes]) -> None:
    assert v4.packed in real, "an address that nobody gave"
    assert not any(v4 in network for network in view.policy.exclude_ipv4)
    assert not rule.ipv4 or any(v4 in network for network in rule.ipv4)
    assert not (is_wkp(rule.prefix) and non_global(v4))
