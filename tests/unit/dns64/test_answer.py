# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""How long an upstream answer is kept, and how it ages (RFC 2308, RFC 2181 §8)."""

from __future__ import annotations

import dns.message
import dns.rrset
import pytest

from v6native.dns64 import wire
from v6native.dns64.answer import Answer, build, build_addresses, from_upstream
from v6native.dns64.wire import Record, parse

MAX, NEGATIVE, FAILURE = 86_400, 10_800, 5
SOA = "example. {ttl} IN SOA ns.example. root.example. 1 2 3 4 {minimum}"


def upstream(
    kind: str, answer: tuple[str, ...] = (), authority: tuple[str, ...] = (), rcode: int = 0, edns: int = -1
) -> Answer:
    message = dns.message.make_response(dns.message.make_query("www.example", kind))
    message.set_rcode(dns.rcode.Rcode(rcode))
    for section, texts in ((message.answer, answer), (message.authority, authority)):
        for text in texts:
            name, ttl, cls, rdtype, rdata = text.split(maxsplit=4)
            section.append(dns.rrset.from_text(name, int(ttl), cls, rdtype, rdata))
    if edns >= 0:
        message.use_edns(edns, payload=4096)
    raw = message.to_wire()
    return from_upstream(raw, parse(raw), 1000, MAX, NEGATIVE, FAILURE)


def kept(answer: Answer) -> int:
    return answer.expires - answer.born


def test_a_positive_answer_lives_as_long_as_its_smallest_ttl() -> None:
    answer = upstream("A", ("www.example. 300 IN CNAME web.example.", "web.example. 60 IN A 192.0.2.1"))
    assert kept(answer) == 60
    assert [record.ttl for record in parse(bytes(answer.aged(1045))).answer] == [255, 15]
    assert [record.ttl for record in parse(bytes(answer.aged(1100))).answer] == [200, 0]
    assert [record.ttl for record in parse(answer.message).answer] == [300, 60], "the original stays"


@pytest.mark.parametrize(
    ("ttl", "minimum", "rcode", "expected"),
    [(300, 60, 0, 60), (30, 600, 0, 30), (300, 60, 3, 60), (90_000, 90_000, 3, NEGATIVE), (0, 60, 0, 0)],
)
def test_a_negative_answer_lives_by_its_soa(ttl: int, minimum: int, rcode: int, expected: int) -> None:
    answer = upstream("AAAA", authority=(SOA.format(ttl=ttl, minimum=minimum),), rcode=rcode)
    assert kept(answer) == expected
    assert answer.remaining_soa_ttl(1010) == max(0, min(ttl, minimum) - 10)


def test_a_negative_answer_without_soa_is_not_kept() -> None:
    assert kept(upstream("AAAA")) == 0
    # A chain that leads to no data is negative, whatever TTL it has.
    assert kept(upstream("AAAA", ("www.example. 300 IN CNAME web.example.",))) == 0
    assert upstream("AAAA").soa_ttl is None


def test_an_error_is_kept_for_a_moment() -> None:
    answer = upstream("A", rcode=2)
    assert answer.failed and kept(answer) == FAILURE and answer.rcode == wire.SERVFAIL


@pytest.mark.parametrize(("ttl", "expected"), [(1_000_000, MAX), (0x80000000, 0), (0xFFFFFFFF, 0), (0, 0)])
def test_ttls_are_bounded(ttl: int, expected: int) -> None:
    raw = bytearray(upstream_octets())
    raw[-10:-6] = ttl.to_bytes(4, "big")
    answer = from_upstream(bytes(raw), parse(bytes(raw)), 1000, MAX, NEGATIVE, FAILURE)
    assert kept(answer) == expected
    assert parse(answer.message).answer[0].ttl == expected


def upstream_octets() -> bytes:
    message = dns.message.make_response(dns.message.make_query("www.example", "A"))
    message.answer.append(dns.rrset.from_text("www.example.", 60, "IN", "A", "192.0.2.1"))
    return message.to_wire()


def test_opt_is_not_kept_and_flags_are_not() -> None:
    answer = upstream("A", ("www.example. 60 IN A 192.0.2.1",), edns=0)
    message = parse(answer.message)
    assert message.opt is None and message.additional == () and message.end == len(answer.message)
    assert answer.message[:4] == bytes(4)


def test_opt_amid_the_additional_section_is_taken_out() -> None:
    octets = upstream_octets()
    opt = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"
    # The record behind OPT has a name of its own, and the last one points at that, across OPT.
    first = b"\x02ns\xc0\x0c" + b"\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x35"
    offset = len(octets) + len(opt)
    second = (0xC000 | offset).to_bytes(2, "big") + b"\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x36"
    raw = octets[:10] + b"\x00\x03" + octets[12:] + opt + first + second
    before = parse(raw)
    assert before.opt is not None and len(before.additional) == 2
    answer = from_upstream(raw, before, 1000, MAX, NEGATIVE, FAILURE)
    after = parse(answer.message)
    assert after.opt is None and after.additional == before.additional and after.answer == before.answer
    assert dns.message.from_wire(answer.message).additional


def test_an_extended_error_is_a_plain_one_to_clients() -> None:
    octets = upstream_octets()
    # BADVERS: the upper bits lie in OPT, and the header says 0.
    opt = b"\x00\x00\x29\x04\xd0\x01\x00\x00\x00\x00\x00"
    raw = octets[:10] + b"\x00\x01" + octets[12:] + opt
    answer = from_upstream(raw, parse(raw), 1000, MAX, NEGATIVE, FAILURE)
    assert answer.rcode == wire.SERVFAIL and answer.failed


def test_an_answer_built_here_is_true_for_its_smallest_ttl() -> None:
    question = b"\x03www\x07example\x00\x00\x1c\x00\x01"
    records = [Record(question[:-4], wire.AAAA, wire.IN, ttl, bytes(16)) for ttl in (60, 30)]
    assert kept(build(question, 0, (records,), 1000, 600, "local")) == 30
    assert kept(build(question, 0, (), 1000, 600, "local")) == 600


@pytest.mark.parametrize("count", [1, 3, 2400])
def test_addresses_alone_are_built_as_any_records(count: int) -> None:
    """2,400 are more than a message holds: those that fit are in both."""
    question = b"\x03www\x07example\x00\x00\x1c\x00\x01"
    addresses = [(900 - number % 7, number.to_bytes(16, "big")) for number in range(count)]
    records = [Record(question[:-4], wire.AAAA, wire.IN, ttl, rdata) for ttl, rdata in addresses]
    whole = build(question, wire.NOERROR, (records,), 1000, 5, "synthesized")
    quick = build_addresses(question, addresses, 1000)
    for name in Answer.__slots__:
        if name != "memo":
            assert getattr(quick, name) == getattr(whole, name), name
