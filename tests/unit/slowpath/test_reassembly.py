# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Reassembly: any order, duplicates, interleaved datagrams, overlaps, bounds, garbage (RFC 791, RFC 8200, RFC 5722)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.slowpath.packets import fragments4, fragments6, whole4, whole6
from v6native.packet import DSTOPTS, HOPOPTS, ICMP, ExtensionHeader, FragmentHeader, parse_ipv4, parse_ipv6
from v6native.slowpath.reassembly import Limits, Outcome, Reassembler

DATA = st.binary(min_size=17, max_size=3000)
SIZES = st.lists(st.integers(1, 60).map(lambda n: n * 8), min_size=1, max_size=8)


def feed(fragments: list[bytes], reassembler: Reassembler | None = None) -> list[bytes]:
    """What came out whole."""
    into = reassembler or Reassembler(Limits())
    return [out for fragment in fragments if isinstance(out := into.add(fragment, 0.0), bytes)]


@given(data=DATA, sizes=SIZES, order=st.randoms(use_true_random=False))
def test_any_order_gives_the_whole(data: bytes, sizes: list[int], order: object) -> None:
    for pieces, whole in (
        (fragments4(whole4(data), sizes), whole4(data).to_bytes()),
        (fragments6(whole6(data), sizes), whole6(data).to_bytes()),
    ):
        if len(pieces) > 1:
            order.shuffle(pieces)  # type: ignore[attr-defined]
            reassembler = Reassembler(Limits())
            assert feed(pieces, reassembler) == [whole]
            assert (len(reassembler), reassembler.bytes_held) == (0, 0)


@given(data=DATA, sizes=SIZES, order=st.randoms(use_true_random=False))
def test_duplicates_and_interleaved_datagrams(data: bytes, sizes: list[int], order: object) -> None:
    wholes = [whole4(data + bytes([n]) * 8, identification=n) for n in range(4)]
    pieces = [piece for whole in wholes for piece in fragments4(whole, sizes)]
    if all(len(fragments4(whole, sizes)) > 1 for whole in wholes):
        order.shuffle(pieces)  # type: ignore[attr-defined]
        # Doubled next to each other: one that comes after its datagram is whole begins a new one.
        reassembler = Reassembler(Limits())
        out = []
        for piece in pieces:
            first = reassembler.add(piece, 0.0)
            if isinstance(first, bytes):
                out.append(first)
            else:
                assert first is Outcome.WAITING
                assert reassembler.add(piece, 0.0) is Outcome.DUPLICATE
        assert sorted(out) == sorted(whole.to_bytes() for whole in wholes)


def test_last_first() -> None:
    data = bytes(range(100)) * 3
    assert feed(fragments4(whole4(data), [80, 80, 80])[::-1]) == [whole4(data).to_bytes()]


@pytest.mark.parametrize(("start", "length"), [(8, 16), (0, 8), (16, 24), (24, 64)])
def test_an_overlap_drops_the_datagram_and_what_follows(start: int, length: int) -> None:
    whole = whole4(bytes(96))
    first, second, third = fragments4(whole, [32, 32])
    bad = replace(whole, payload=b"\1" * length, fragment_offset=start, more_fragments=True).to_bytes()
    reassembler = Reassembler(Limits())
    assert reassembler.add(first, 0.0) is Outcome.WAITING
    assert reassembler.add(bad, 0.0) is Outcome.OVERLAP
    assert [reassembler.add(each, 1.0) for each in (first, second, third)] == [Outcome.OVERLAP] * 3
    assert feed(fragments4(replace(whole, identification=8), [32, 32]), reassembler), "others go on"


def test_two_ends_are_an_overlap() -> None:
    whole = whole6(bytes(96))
    pieces = fragments6(whole, [32, 32])
    end = replace(whole, payload=bytes(8), fragment=FragmentHeader(7, 72, False, whole.protocol)).to_bytes()
    reassembler = Reassembler(Limits())
    assert [reassembler.add(p, 0.0) for p in (pieces[0], pieces[2], end)][-1] is Outcome.OVERLAP
    early = replace(whole, payload=bytes(8), fragment=FragmentHeader(9, 8, False, whole.protocol)).to_bytes()
    late = replace(whole, payload=bytes(8), fragment=FragmentHeader(9, 40, True, whole.protocol)).to_bytes()
    assert [reassembler.add(p, 0.0) for p in (early, late)] == [Outcome.WAITING, Outcome.OVERLAP]
    assert [Reassembler(Limits()).add(p, 0.0) for p in (late, early)] == [Outcome.WAITING] * 2
    both = Reassembler(Limits())
    assert [both.add(p, 0.0) for p in (late, early)] == [Outcome.WAITING, Outcome.OVERLAP]


def test_keys_keep_datagrams_apart() -> None:
    """Same identification, other protocol or host: another datagram."""
    data = bytes(64)
    udp, icmp = whole4(data), replace(whole4(data), protocol=ICMP)
    assert feed([fragments4(udp, [32])[0], fragments4(icmp, [32])[1]]) == []
    assert feed([fragments4(udp, [32])[0], fragments4(whole4(data, source="192.0.2.2"), [32])[1]]) == []


def test_extension_headers_on_both_sides_of_the_fragment_header() -> None:
    hop, dst = ExtensionHeader(HOPOPTS, bytes([0, 0, 1, 4, 0, 0, 0, 0])), bytes([17, 0, 1, 4, 0, 0, 0, 0])
    before = replace(whole6(b""), extensions=(hop,))
    data = dst + bytes(range(64))
    pieces = fragments6(replace(before, protocol=DSTOPTS, payload=data), [40])
    (whole,) = feed(pieces)
    parsed = parse_ipv6(whole)
    assert [e.kind for e in parsed.extensions] == [HOPOPTS, DSTOPTS]
    assert parsed.protocol == 17 and parsed.payload == bytes(range(64)) and parsed.fragment is None


def test_congestion_experienced_by_one_is_the_wholes() -> None:
    first, second = fragments4(whole4(bytes(64)), [32])
    marked = replace(parse_ipv4(second), tos=3).to_bytes()
    (whole,) = feed([first, marked])
    assert parse_ipv4(whole).tos == 3


def test_too_long_is_dropped() -> None:
    whole = whole4(bytes(65504))
    pieces = fragments4(whole, [65504])
    last = replace(whole, payload=bytes(40), fragment_offset=65504, more_fragments=False).to_bytes()
    reassembler = Reassembler(Limits())
    assert reassembler.add(replace(whole, more_fragments=True).to_bytes(), 0.0) is Outcome.WAITING
    assert reassembler.add(last, 0.0) is Outcome.TOO_LONG
    assert pieces


def test_the_longest_datagrams() -> None:
    four, six = whole4(bytes(65515)), whole6(bytes(65535))
    assert feed(fragments4(four, [1480] * 60)) == [four.to_bytes()]
    assert feed(fragments6(six, [1232] * 60)) == [six.to_bytes()]


def test_each_family_has_its_time() -> None:
    reassembler = Reassembler(Limits())
    four, six = fragments4(whole4(bytes(64)), [32]), fragments6(whole6(bytes(64)), [32])
    reassembler.add(six[0], 0.0)
    reassembler.add(four[0], 0.0)
    reassembler.expire(29.9)
    assert len(reassembler) == 2
    reassembler.expire(30.0)
    assert (len(reassembler), reassembler.expired) == (1, 1)
    assert reassembler.add(six[1], 60.0) is Outcome.WAITING, "its first half is forgotten, swept or not"
    assert reassembler.expired == 2


def test_a_source_displaces_only_its_own() -> None:
    limits = Limits(total=1 << 20, per_source=20_000)
    reassembler = Reassembler(limits)
    quiet = fragments6(whole6(bytes(64), source="2001:db8:2::5"), [32])
    reassembler.add(quiet[0], 0.0)
    for number in range(200):
        # One /64 is one source, whatever the address.
        flood = whole6(bytes(1240), source=f"2001:db8:1::{number:x}")
        reassembler.add(fragments6(flood, [1232], identification=number)[0], 0.0)
    assert reassembler.bytes_held < 22_000
    assert reassembler.evicted > 150
    assert isinstance(reassembler.add(quiet[1], 0.0), bytes)


def test_memory_of_all_is_bounded() -> None:
    limits = Limits(total=50_000, per_source=20_000, datagrams=64)
    reassembler = Reassembler(limits)
    for number in range(500):
        flood = whole6(bytes(1240), source=f"2001:db8:{number:x}::5")
        reassembler.add(fragments6(flood, [1232], identification=number)[0], 0.0)
        assert reassembler.bytes_held <= 50_000 and len(reassembler) <= 64


@given(packets=st.lists(st.binary(max_size=200), max_size=20))
def test_garbage_never_raises(packets: list[bytes]) -> None:
    reassembler = Reassembler(Limits())
    for packet in packets:
        assert isinstance(reassembler.add(packet, 0.0), bytes | Outcome)


@given(data=DATA, sizes=SIZES, flips=st.lists(st.tuples(st.integers(0, 99), st.integers(0, 5000), st.integers(1, 255))))
def test_damaged_fragments_never_raise(data: bytes, sizes: list[int], flips: list[tuple[int, int, int]]) -> None:
    pieces = [bytearray(p) for p in fragments6(whole6(data), sizes) + fragments4(whole4(data), sizes)]
    for which, where, bits in flips:
        piece = pieces[which % len(pieces)]
        piece[where % len(piece)] ^= bits
    reassembler = Reassembler(Limits(total=10_000, per_source=5_000))
    for piece in pieces:
        reassembler.add(bytes(piece), 0.0)
        assert reassembler.bytes_held <= 10_000
    reassembler.expire(61.0)
    assert (len(reassembler), reassembler.bytes_held) == (0, 0)
