# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Messages as dnspython makes and reads them, beside ours: compression, EDNS, damage, and names in text."""

from __future__ import annotations

import contextlib

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.dns_records import NAMES, OLD_RECORDS, QUESTIONS, RECORDS, SECTIONS, TTLS
from v6native.dns64 import wire
from v6native.dns64.answer import build
from v6native.dns64.query import MAX_UDP, parse_query, respond
from v6native.dns64.wire import Record, WireError, Writer, name_from_text, parse

Entries = list[tuple[int, Record]]
ENTRIES = st.lists(st.tuples(SECTIONS, RECORDS), max_size=12).map(lambda entries: sorted(entries, key=lambda e: e[0]))


def _message(question: bytes, entries: Entries, edns: bool = False) -> bytes:
    """Written by dnspython, which compresses all that may be, without regard to case."""
    name, kind = dns.name.from_wire(question, 0)[0], dns.rdatatype.RdataType(int.from_bytes(question[-4:-2], "big"))
    message = dns.message.make_response(dns.message.make_query(name, kind))
    if edns:
        message.use_edns(0, payload=1400, options=[dns.edns.GenericOption(dns.edns.OptionType(10), bytes(8))])
    for section, record in entries:
        owner, _ = dns.name.from_wire(record.name, 0)
        rdata = dns.rdata.from_wire(
            dns.rdataclass.IN, dns.rdatatype.RdataType(record.type), record.rdata, 0, len(record.rdata)
        )
        message.sections[section + 1].append(dns.rrset.from_rdata(owner, record.ttl, rdata))
    return message.to_wire(max_size=65535)


def _lowered(records: tuple[Record, ...] | list[Record]) -> list[tuple[bytes, int, int, int, bytes]]:
    return [(r.name.lower(), r.type, r.cls, r.ttl, r.rdata.lower()) for r in records]


@given(QUESTIONS, ENTRIES, st.booleans())
def test_all_of_what_dnspython_compresses_we_read(question: bytes, entries: Entries, edns: bool) -> None:
    octets = _message(question, entries, edns)
    own = parse(octets)
    assert own.asked == question[:-4].lower() + question[-4:] and own.end == len(octets)
    assert (own.opt is not None) is edns and own.rcode == 0
    for number, section in enumerate((own.answer, own.authority, own.additional)):
        assert _lowered(section) == _lowered([record for n, record in entries if n == number])


@given(QUESTIONS, st.lists(RECORDS | OLD_RECORDS, max_size=12))
def test_what_we_write_we_read(question: bytes, records: list[Record]) -> None:
    writer = Writer(question)
    assert all([writer.add(0, record) for record in records])
    octets, _ = writer.finish(wire.QR)
    assert list(parse(octets).answer) == records
    assert len(octets) <= wire.HEADER + len(question) + sum(len(r.name) + 10 + len(r.rdata) for r in records)


@given(QUESTIONS, ENTRIES)
def test_what_we_read_we_write_again(question: bytes, entries: Entries) -> None:
    first = parse(_message(question, entries))
    writer = Writer(first.question)
    for number, section in enumerate((first.answer, first.authority, first.additional)):
        for record in section:
            assert writer.add(number, record)
    octets, offsets = writer.finish(first.flags)
    again = parse(octets)
    assert again[2:6] == first[2:6] and again.ttl_offsets == offsets
    dns.message.from_wire(octets)


@given(st.data(), QUESTIONS, ENTRIES)
def test_of_damaged_messages_both_read_the_same_or_one_refuses(
    data: st.DataObject, question: bytes, entries: Entries
) -> None:
    octets = bytearray(_message(question, entries))
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(12, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        own = parse(bytes(octets))
        theirs = dns.message.from_wire(bytes(octets), one_rr_per_rrset=True, ignore_trailing=True)
    except (WireError, dns.exception.DNSException, ValueError):
        return
    for ours, other in zip((own.answer, own.authority, own.additional), theirs.sections[1:4], strict=True):
        # dnspython drops a record that was there before, and takes a TTL above 2^31 - 1 for 0 (RFC 2181 §8).
        named = {(r.name.lower(), r.type) for r in ours}
        assert {(r.name.to_wire().lower(), int(r.rdtype)) for r in other} <= named
        data_of = {(r.name.lower(), r.type, r.rdata.lower()) for r in ours}
        for rrset in other:
            for rdata in rrset:
                if rdata.rdclass == dns.rdataclass.IN and rrset.rdtype != dns.rdatatype.OPT:
                    key = (rrset.name.to_wire().lower(), int(rrset.rdtype), rdata.to_wire().lower())
                    assert key in data_of


@given(
    NAMES,
    st.sampled_from([1, 12, 15, 28, 64, 65, 255]),
    st.integers(0, 0xFFFF),
    st.sampled_from([0, 0, 1]),
    st.booleans(),
    st.booleans(),
    st.lists(st.tuples(st.integers(1, 65000), st.binary(max_size=40)), max_size=3),
)
def test_a_question_with_edns_is_read_as_it_was_meant(
    name: bytes, kind: int, payload: int, version: int, do: bool, cd: bool, options: list[tuple[int, bytes]]
) -> None:
    owner, _ = dns.name.from_wire(name, 0)
    message = dns.message.make_query(owner, dns.rdatatype.RdataType(kind))
    made = [dns.edns.GenericOption(dns.edns.OptionType(code), value) for code, value in options]
    message.use_edns(version, dns.flags.DO if do else 0, payload=payload, options=made)
    message.flags |= dns.flags.CD if cd else 0
    query = parse_query(message.to_wire())
    assert query is not None
    assert (query.id, query.name, query.type, query.do, query.cd) == (message.id, name.lower(), kind, do, cd)
    assert query.edns and query.limit == min(max(payload, 512), MAX_UDP)
    assert query.rcode == (wire.BADVERS if version else wire.NOERROR)


@given(QUESTIONS, ENTRIES, TTLS, st.integers(0, 2**31), st.booleans())
def test_an_answer_is_what_dnspython_reads(question: bytes, entries: Entries, ttl: int, age: int, edns: bool) -> None:
    sections = [[record for n, record in entries if n == number] for number in range(3)]
    answer = build(question[:-4].lower() + question[-4:], 0, sections, 1000, ttl, "upstream")
    asked = dns.message.make_query(
        dns.name.from_wire(question, 0)[0],
        dns.rdatatype.RdataType(int.from_bytes(question[-4:-2], "big")),
        use_edns=0 if edns else -1,
    )
    query = parse_query(asked.to_wire())
    assert query is not None
    out = respond(query, answer, 1000 + age, 65535)
    theirs = dns.message.from_wire(out, one_rr_per_rrset=True)
    assert asked.is_response(theirs) and theirs.edns == (0 if edns else -1)
    # In the client's own spelling, which is_response does not look at.
    assert theirs.question[0].name.to_wire() == question[:-4]
    for section, found in zip(sections, theirs.sections[1:4], strict=True):
        left = sorted(max(0, record.ttl - age) for record in section)
        # One that differs from another by case alone is one for dnspython.
        assert {rrset.ttl for rrset in found} <= set(left) and len(found) <= len(left)
        assert bool(found) is bool(left)


@given(st.lists(st.text(alphabet="abcXYZ019-_", min_size=1, max_size=70), max_size=6), st.booleans())
def test_names_in_text_are_what_dnspython_makes_of_them(labels: list[str], dot: bool) -> None:
    text = ".".join(labels) + ("." if dot and labels else "")
    theirs: bytes | None = None
    with contextlib.suppress(dns.exception.DNSException):
        theirs = dns.name.from_text(text or ".").to_wire().lower()
    try:
        own: bytes | None = name_from_text(text)
    except WireError:
        own = None
    assert own == theirs
    if own is not None:
        assert list(wire.suffixes(own))[-1] == b"\0" and wire.name_length(own) == len(own)
