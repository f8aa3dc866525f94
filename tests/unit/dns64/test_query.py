# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Reading a client's question, and the form of its answer: flags, EDNS, truncation (RFC 1035 §4.1.1, RFC 6891)."""

from __future__ import annotations

from typing import Any

import dns.flags
import dns.message
import dns.rcode
import pytest

from v6native.dns64 import wire
from v6native.dns64.answer import Answer, build
from v6native.dns64.query import MAX_UDP, Query, key, key_for, parse_query, refuse, respond
from v6native.dns64.wire import Record, name_from_text

NAME = name_from_text("www.example")


def parsed(**options: Any) -> Query:
    query = parse_query(dns.message.make_query("WWW.example", "AAAA", id=77, **options).to_wire())
    assert query is not None
    return query


def test_a_plain_query() -> None:
    query = parsed()
    assert (query.id, query.name, query.type, query.cls, query.edns, query.do, query.limit, query.rcode) == (
        77, NAME, wire.AAAA, wire.IN, False, False, 512, 0,
    )  # fmt: skip
    assert query.question == b"\x03WWW\x07example\x00\x00\x1c\x00\x01"


@pytest.mark.parametrize(("payload", "limit"), [(0, 512), (512, 512), (1000, 1000), (1232, 1232), (4096, MAX_UDP)])
def test_the_size_that_fits(payload: int, limit: int) -> None:
    query = parsed(use_edns=0, payload=payload, want_dnssec=True)
    assert query.edns and query.do and query.limit == limit


def test_keys_tell_apart_what_upstream_would_answer_differently() -> None:
    plain, do = parsed(), parsed(want_dnssec=True)
    cd = parsed(flags=dns.flags.RD | dns.flags.CD)
    keys = {key(plain), key(do), key(cd), key(plain, wire.A), key(cd, wire.A)}
    assert len(keys) == 5
    assert key(cd, wire.A, cd=False) == key(plain, wire.A) == key_for(NAME, wire.A, False)
    assert key(do) == key_for(NAME, wire.AAAA, True)


@pytest.mark.parametrize(("authorities", "additional"), [(1, 0), (0, 4), (0, 5000), (5000, 0)])
def test_a_query_with_records_that_no_client_sends_is_not_read(
    authorities: int, additional: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names may share octets by pointers, so that a datagram of 4 kB would cost a tenth of a second to read."""
    record = b"\xc0\x0c" + bytes([255, 0, 0, 1, 0, 0, 0, 0, 0, 0])
    counts = authorities.to_bytes(2, "big") + additional.to_bytes(2, "big")
    octets = bytes(4) + b"\0\1\0\0" + counts + NAME + b"\0\x1c\0\1" + record * (authorities + additional)
    monkeypatch.setattr(wire, "parse", None)
    query = parse_query(octets)
    assert query is not None and query.rcode == wire.FORMERR


@pytest.mark.parametrize("kind", [249, 251, 252, 253, 254])
def test_transfers_and_the_like_are_not_implemented(kind: int) -> None:
    octets = bytes(5) + b"\x01" + bytes(6) + NAME + kind.to_bytes(2, "big") + b"\x00\x01"
    query = parse_query(octets)
    assert query is not None and query.rcode == wire.NOTIMP


@pytest.mark.parametrize(
    "octets",
    [
        bytes(12),  # no question
        bytes(5) + b"\x02" + bytes(6) + (NAME + b"\x00\x01\x00\x01") * 2,
        bytes(5) + b"\x01\x00\x01" + bytes(4) + NAME + b"\x00\x01\x00\x01" + bytes(11),  # an answer in it
        bytes(5) + b"\x01" + bytes(6) + b"\xc0\x0c\x00\x01\x00\x01",  # a name that is a pointer
        bytes(5) + b"\x01" + bytes(6) + NAME + b"\x00\x01\x00",
        bytes(5) + b"\x01" + bytes(6) + NAME + b"\x00\x01\x00\x01" + b"more",
        bytes(5) + b"\x01" + bytes(6) + NAME + b"\x00\x29\x00\x01",  # the type OPT
        bytes(2) + b"\x02\x00" + b"\x00\x01" + bytes(6) + NAME + b"\x00\x01\x00\x01",  # a question that was cut
    ],
)
def test_nonsense_is_a_format_error_that_can_be_sent(octets: bytes) -> None:
    query = parse_query(octets)
    assert query is not None and query.rcode == wire.FORMERR
    assert dns.message.from_wire(refuse(query, query.rcode)).rcode() == dns.rcode.FORMERR


@pytest.mark.parametrize("octets", [b"", bytes(11), bytes(2) + b"\x80" + bytes(30)])
def test_to_some_datagrams_nothing_may_be_said(octets: bytes) -> None:
    assert parse_query(octets) is None


def answer(count: int) -> Answer:
    question = NAME + b"\x00\x1c\x00\x01"
    records = [Record(NAME, wire.AAAA, wire.IN, 60, i.to_bytes(16, "big")) for i in range(count)]
    return build(question, 0, (records,), 1000, 60, "local")


def test_the_answer_is_the_clients() -> None:
    query = parsed(flags=dns.flags.RD | dns.flags.CD, use_edns=0)
    out = dns.message.from_wire(respond(query, answer(3), 1010, query.limit))
    assert out.id == 77 and out.question[0].name.to_text() == "WWW.example."
    assert dns.flags.to_text(out.flags) == "QR RD RA CD"
    assert out.edns == 0 and out.payload == MAX_UDP and not out.ednsflags & dns.flags.DO
    assert out.answer[0].ttl == 50 and len(out.answer[0]) == 3


@pytest.mark.parametrize("options", [{}, {"use_edns": 0, "payload": 512}], ids=["plain", "EDNS"])
@pytest.mark.parametrize("count", range(14, 19))
def test_the_limit_is_kept_to_the_octet(count: int, options: dict[str, int]) -> None:
    query = parsed(**options)
    whole = respond(query, answer(count), 1000, 65535)
    out = respond(query, answer(count), 1000, 512)
    assert len(out) <= 512
    if len(whole) <= 512:
        assert out == whole
    else:
        message = dns.message.from_wire(out)
        assert message.flags & dns.flags.TC and not message.answer


def test_a_refusal_says_its_code() -> None:
    query = parsed(use_edns=1)
    assert query.rcode == wire.BADVERS
    out = dns.message.from_wire(refuse(query, query.rcode))
    assert out.rcode() == dns.rcode.BADVERS and out.edns == 0
