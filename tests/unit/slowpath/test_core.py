# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Frames in, frames out: to which translator, in which fragments, at which rate."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.slowpath.packets import ETHERNET4, ETHERNET6, fragments4, fragments6, whole4, whole6
from v6native.packet import HOPOPTS, ExtensionHeader, FragmentHeader, parse_ipv6
from v6native.slowpath.core import CLAT, UP, SlowPath
from v6native.slowpath.fragment import cut
from v6native.slowpath.limiter import Limiter, Rates
from v6native.slowpath.reassembly import Limits, Outcome, Reassembler


def to(who: int, ethernet: bytes) -> bytes:
    return ethernet[:5] + bytes([who]) + ethernet[6:]


def path(rates: Rates | None = None) -> SlowPath:
    return SlowPath(0.0, lambda: 0x1234, rates=rates)


def test_the_whole_goes_back_to_whom_the_fragments_came_from() -> None:
    core = path()
    first, second = fragments4(whole4(bytes(64)), [32])
    assert core.handle(to(CLAT, ETHERNET4) + first, 0.0) == []
    assert core.handle(to(CLAT, ETHERNET4) + second, 0.0) == [to(CLAT, ETHERNET4) + whole4(bytes(64)).to_bytes()]
    assert core.stats()["reassembled"] == 1 and core.stats()["datagrams_held"] == 0


def test_what_goes_up_the_stack_is_cut() -> None:
    core = path()
    whole = whole6(bytes(range(256)) * 12)
    head = to(UP, ETHERNET6[:3] + b"\x12\x34" + ETHERNET6[5:])
    frames = core.handle(head + whole.to_bytes(), 0.0)
    assert len(frames) == 3
    assert all(frame[:14] == head and len(frame) <= 14 + 1280 for frame in frames)
    assert {parse_ipv6(f[14:]).fragment.identification for f in frames} == {0x1234}  # type: ignore[union-attr]


@given(data=st.binary(min_size=1, max_size=9000), extended=st.booleans())
def test_what_is_cut_reassembles(data: bytes, extended: bool) -> None:
    whole = whole6(data)
    if extended:
        whole = replace(whole, extensions=(ExtensionHeader(HOPOPTS, bytes([0, 0, 1, 4, 0, 0, 0, 0])),))
    pieces = cut(whole.to_bytes(), 99)
    assert all(len(piece) <= 1280 for piece in pieces)
    if len(pieces) == 1:
        assert pieces == [whole.to_bytes()]
        return
    reassembler = Reassembler(Limits())
    assert [out for piece in pieces if isinstance(out := reassembler.add(piece, 0.0), bytes)] == [whole.to_bytes()]


def test_a_fragment_is_not_cut_again_but_an_atomic_one_is() -> None:
    whole = replace(whole6(bytes(2000)), fragment=FragmentHeader(1, 0, True, 17))
    assert cut(whole.to_bytes(), 99) == []
    assert len(cut(replace(whole, fragment=FragmentHeader(1, 0, False, 17)).to_bytes(), 99)) == 2
    assert cut(b"", 99) == []


def test_a_flooding_source_is_limited_and_others_are_not() -> None:
    core = path(Rates(total=1000, total_burst=1000, per_source=10, per_source_burst=10))
    for number in range(100):
        core.handle(to(CLAT, ETHERNET4) + fragments4(whole4(bytes(64), number), [32])[0], 0.0)
    assert core.counters["over_rate"] == 90
    others = fragments4(whole4(bytes(64), source="192.0.2.99"), [32])
    assert [len(core.handle(to(CLAT, ETHERNET4) + f, 0.0)) for f in others] == [0, 1]


def test_tokens_come_back_with_time() -> None:
    limiter = Limiter(Rates(total=100, total_burst=4, per_source=10, per_source_burst=2, sources=2), 0.0)
    assert [limiter.allow(b"a", 0.0) for _ in range(3)] == [True, True, False]
    assert [limiter.allow(b"b", 0.0) for _ in range(2)] == [True, True]
    assert not limiter.allow(b"c", 0.0), "all together"
    assert limiter.allow(b"b", 0.1)


def test_tokens_never_grow_past_the_burst() -> None:
    limiter = Limiter(Rates(per_source=10, per_source_burst=2), 0.0)
    assert [limiter.allow(b"a", 1e6) for _ in range(3)] == [True, True, False]
    assert not limiter.allow(b"a", 0.0), "a clock that goes back gives nothing"


def test_what_is_not_for_us_is_counted() -> None:
    core = path()
    first = fragments6(whole6(bytes(64)), [32])[0]
    assert core.handle(to(9, ETHERNET6) + first, 0.0) == []
    assert core.handle(b"", 0.0) == []
    assert core.handle(to(UP, ETHERNET4) + whole4(bytes(64)).to_bytes(), 0.0) == []
    assert core.handle(ETHERNET6 + whole6(bytes(64)).to_bytes(), 0.0) == []
    assert core.handle(ETHERNET4 + whole6(bytes(64)).to_bytes(), 0.0) == []
    names = ("unknown_translator", "not_ip", "not_ipv6", Outcome.NOT_A_FRAGMENT, Outcome.MALFORMED)
    assert [core.counters[name] for name in names] == [1, 1, 1, 1, 1]


@given(frame=st.binary(max_size=120), who=st.integers(0, 3), kind=st.sampled_from([ETHERNET4, ETHERNET6]))
def test_garbage_never_raises(frame: bytes, who: int, kind: bytes) -> None:
    core = path()
    core.handle(frame, 0.0)
    core.handle(to(who, kind) + frame, 0.0)
    core.tick(1.0)
