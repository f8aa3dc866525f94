# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Octets to records and back (RFC 1035 §4.1); tests/properties holds the codec against dnspython."""

from __future__ import annotations

import pytest

from v6native.dns64 import wire
from v6native.dns64.wire import Record, WireError, Writer, name_from_text, parse, read_name

WWW = b"\x03www\x07example\x00"
QUESTION = WWW + b"\x00\x1c\x00\x01"
HEADER = bytes(12)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"\xc0\x0c", "lead back"),  # to itself
        (b"\x01a\xc0\x0c", "lead back"),  # to its own beginning
        (b"\xc0\x20" + bytes(30), "lead back"),  # forward
        (b"\xc0\x00", "lead back"),  # into the header
        (b"\xc0", "beyond"),
        (b"\x40a", "does not exist"),
        (b"\x80a", "does not exist"),
        (b"\x05abc", "beyond"),
        (b"\x03abc", "beyond"),
        ((b"\x3f" + b"a" * 63) * 4 + b"\x00", "255"),
    ],
)
def test_a_bad_name_is_refused(octets: bytes, why: str) -> None:
    with pytest.raises(WireError, match=why):
        read_name(HEADER + octets, 12)


def test_a_name_of_255_octets_and_one_made_of_pointers_are_read() -> None:
    longest = (b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"b" * 61 + b"\x00"
    assert read_name(HEADER + longest, 12) == (longest, 12 + 255)
    chained = HEADER + b"\x01c\x00" + b"\x01b\xc0\x0c" + b"\x01a\xc0\x0f"
    assert read_name(chained, 19) == (b"\x01a\x01b\x01c\x00", 23)


def test_a_chain_of_pointers_ends() -> None:
    msg = bytearray(HEADER + b"\x00")
    for target in range(200):
        msg += (0xC000 | (12 if not target else 13 + 2 * (target - 1))).to_bytes(2, "big")
    with pytest.raises(WireError):
        read_name(bytes(msg), len(msg) - 2)


def _answer(*records: bytes) -> bytes:
    """A message with these records in its answer section."""
    return b"\x00\x00\x80\x00\x00\x01" + len(records).to_bytes(2, "big") + bytes(4) + QUESTION + b"".join(records)


TTL_AT = len(_answer()) + 6
"""Of the first record, whose name is a pointer."""


@pytest.mark.parametrize(
    ("octets", "behind"),
    [
        # A name of the TTL's octets 01 61 00: counted down, it would be another name, or none.
        (_answer(b"\xc0\x0c\x00\x05\x00\x01\x00\x01\x61\x00\x00\x02" + (0xC000 | TTL_AT + 1).to_bytes(2, "big")), b""),
        (
            _answer(
                b"\xc0\x0c\x00\x01\x00\x01\x00\x01\x61\x00\x00\x04" + bytes(4),
                (0xC000 | TTL_AT + 1).to_bytes(2, "big") + b"\x00\x01\x00\x01" + bytes(4) + b"\x00\x04" + bytes(4),
            ),
            b"",
        ),
        # The length of the rdata, 4, as that of a label: it reaches to what follows the message and is cut off.
        (
            _answer(b"\x00\x00\x05\x00\x01" + bytes(4) + b"\x00\x04\x01a" + (0xC000 | TTL_AT + 4).to_bytes(2, "big")),
            b"\x00",
        ),
    ],
    ids=["own TTL", "another's TTL", "past the end"],
)
def test_a_name_of_octets_that_will_change_is_refused(octets: bytes, behind: bytes) -> None:
    with pytest.raises(WireError):
        parse(octets + behind)


def test_a_pointer_may_lead_into_rdata() -> None:
    """Some servers compress to a name that they wrote there, such as a signer's."""
    unknown = b"\xc0\x0c\xff\x00\x00\x01" + bytes(4) + b"\x00\x05\x03abc\x00"
    named = (0xC000 | TTL_AT + 6).to_bytes(2, "big") + b"\x00\x01\x00\x01" + bytes(4) + b"\x00\x04" + bytes(4)
    assert parse(_answer(unknown, named)).answer[1].name == b"\x03abc\x00"


def test_what_is_written_is_compressed_and_reads_the_same() -> None:
    records = [
        Record(WWW, wire.CNAME, wire.IN, 500, b"\x03web" + WWW[4:]),
        Record(b"\x03web" + WWW[4:], wire.AAAA, wire.IN, 1000, bytes(16)),
        Record(WWW[4:], wire.SOA, wire.IN, 60, b"\x02ns" + WWW[4:] + b"\x04root" + WWW[4:] + bytes(20)),
        Record(WWW, 33, wire.IN, 60, bytes(6) + WWW),
    ]
    writer = Writer(QUESTION)
    for section, record in zip((0, 0, 1, 2), records, strict=True):
        assert writer.add(section, record)
    octets, offsets = writer.finish(wire.QR)
    message = parse(octets)
    assert [*message.answer, *message.authority, *message.additional] == records
    assert message.ttl_offsets == offsets and message.question == QUESTION and message.end == len(octets)
    assert [int.from_bytes(octets[offset : offset + 4], "big") for offset in offsets] == [500, 1000, 60, 60]
    # The target of SRV must not be compressed (RFC 2782); the name is there in full twice then.
    assert octets.count(WWW) == 2 and octets.count(b"\x07example\x00") == 2


def test_names_past_the_reach_of_pointers_are_written_in_full() -> None:
    writer = Writer(QUESTION)
    filler = Record(WWW, 16, wire.IN, 1, b"\xffa" * 127)
    while len(writer.finish(0)[0]) < 0x4000:
        writer.add(0, filler)
    late = Record(b"\x04late" + WWW, wire.A, wire.IN, 1, bytes(4))
    writer.add(0, late)
    writer.add(0, late)
    assert parse(writer.finish(0)[0]).answer[-2:] == (late, late)


def test_what_does_not_fit_into_a_message_is_refused_and_leaves_it_whole() -> None:
    writer = Writer(QUESTION)
    record = Record(b"\x05other\x00", wire.AAAA, wire.IN, 1, bytes(16))
    added = sum(writer.add(0, record) for _ in range(3000))
    octets, offsets = writer.finish(0)
    assert len(octets) <= 65535 < len(octets) + 28
    assert len(parse(octets).answer) == added == len(offsets)


@pytest.mark.parametrize(
    "octets",
    [
        b"\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00" + QUESTION * 2,
        b"\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00" + WWW + b"\x00\x01\x00\x01\x00\x00\x00\x01\x00\x05hello",
        b"\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00" + b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00",
        b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02" + b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00" * 2,
        b"\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"
        + WWW
        + b"\x00\x05\x00\x01\x00\x00\x00\x01\x00\x04\x01a\x00\x00",
        bytes(11),
        b"\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff" + bytes(100),
    ],
    ids=[
        "two questions",
        "A of 5 octets",
        "OPT in the answer",
        "two OPT",
        "rdata longer than its name",
        "short",
        "counts",
    ],
)
def test_a_bad_message_is_refused(octets: bytes) -> None:
    with pytest.raises(WireError):
        parse(octets)


def test_the_type_of_a_question_is_not_lower_cased() -> None:
    message = parse(b"\x00\x00\x00\x00\x00\x01" + bytes(6) + WWW.upper() + b"\x00\x41\x00\x01")
    assert message.asked == WWW + b"\x00\x41\x00\x01"


@pytest.mark.parametrize("text", ["a..b", "a" * 64, ".".join(["a" * 60] * 5), "bücher.example", ".a"])
def test_a_bad_name_in_text_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        name_from_text(text)


def test_names_in_text() -> None:
    assert name_from_text("WWW.Example") == name_from_text("www.example.") == WWW
    assert name_from_text(".") == b"\x00"
    assert list(wire.suffixes(WWW)) == [WWW, WWW[4:], b"\x00"]
