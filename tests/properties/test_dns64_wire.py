# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The wire codec against dnspython, and against octets that nobody meant to be a message."""

from __future__ import annotations

import contextlib

import dns.exception
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.dns_records import QUESTIONS, RECORDS, SECTIONS
from v6native.dns64 import wire
from v6native.dns64.answer import from_upstream
from v6native.dns64.query import MAX_UDP, parse_query, refuse, respond
from v6native.dns64.wire import Record, WireError, Writer, parse


def _flat(section: list[dns.rrset.RRset]) -> list[tuple[bytes, int, int, bytes]]:
    return sorted((r.name.to_wire(), r.rdtype, r.ttl, rdata.to_wire()) for r in section for rdata in r)


@given(QUESTIONS, st.lists(st.tuples(SECTIONS, RECORDS), max_size=12))
def test_what_is_written_dnspython_reads_and_so_do_we(question: bytes, entries: list[tuple[int, Record]]) -> None:
    writer = Writer(question)
    entries = sorted(entries, key=lambda entry: entry[0])
    for section, record in entries:
        assert writer.add(section, record)
    octets, offsets = writer.finish(wire.QR)
    own = parse(octets)
    sections = (own.answer, own.authority, own.additional)
    assert [list(section) for section in sections] == [[r for s, r in entries if s == n] for n in range(3)]
    assert own.question == question and own.ttl_offsets == offsets
    assert [int.from_bytes(octets[o : o + 4], "big") for o in offsets] == [
        r.ttl for section in sections for r in section
    ]
    message = dns.message.from_wire(octets, one_rr_per_rrset=True)
    for ours, theirs in zip(sections, (message.answer, message.authority, message.additional), strict=True):
        # dnspython compares names without case, and so may drop a record that differs by case alone.
        flat = _flat(theirs)
        mine = sorted((r.name, r.type, r.ttl, r.rdata) for r in ours)
        assert [entry[:3] for entry in flat] == [entry[:3] for entry in mine]
        assert [entry[3].lower() for entry in flat] == [entry[3].lower() for entry in mine]


@given(st.binary(max_size=600))
def test_random_octets_only_parse_or_are_refused(octets: bytes) -> None:
    with contextlib.suppress(WireError):
        parse(octets)
    query = parse_query(octets)
    if query is not None:
        assert refuse(query, query.rcode or wire.REFUSED)[:2] == octets[:2]


@given(st.data(), QUESTIONS, st.lists(st.tuples(SECTIONS, RECORDS), min_size=1, max_size=8))
def test_a_damaged_answer_is_refused_or_can_be_passed_on(
    data: st.DataObject, question: bytes, entries: list[tuple[int, Record]]
) -> None:
    writer = Writer(question)
    for section, record in sorted(entries, key=lambda entry: entry[0]):
        writer.add(section, record)
    octets = bytearray(writer.finish(wire.QR)[0])
    for _ in range(data.draw(st.integers(1, 5))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    raw = bytes(octets[: data.draw(st.integers(0, len(octets)))])
    try:
        message = parse(raw)
    except WireError:
        return
    answer = from_upstream(raw, message, 0, 86_400, 10_800, 5)
    # What is kept reads again, for it is parsed later without a net.
    kept = parse(answer.message)
    for ours, theirs in zip(kept[3:6], message[3:6], strict=True):
        assert [r._replace(ttl=0) for r in ours] == [r._replace(ttl=0) for r in theirs]
    query = parse_query(bytes(4) + b"\x00\x01" + bytes(6) + message.question) if message.question else None
    if query is not None and not query.rcode:
        out = respond(query, answer, 3, MAX_UDP)
        assert len(out) <= MAX_UDP
        parse(out)


@given(st.binary(max_size=200), st.integers(0, 40))
def test_a_query_we_take_dnspython_takes_too(tail: bytes, kind: int) -> None:
    octets = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + tail[:100] + b"\x00" + kind.to_bytes(2, "big") + b"\x00\x01"
    query = parse_query(octets)
    if query is None or query.rcode:
        return
    try:
        theirs = dns.message.from_wire(octets)
    except dns.exception.DNSException as error:
        raise AssertionError(f"dnspython refuses it: {error}") from error
    assert theirs.question[0].name.to_wire().lower() == query.name
