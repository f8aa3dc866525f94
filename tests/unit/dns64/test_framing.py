# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The lengths of HTTP/2's frames, however they are cut on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v6native.dns64.framing import FrameLengths, FramingError


def frame(length: int) -> bytes:
    return length.to_bytes(3, "big") + bytes(6 + length)


@given(
    lengths=st.lists(st.integers(0, 300), max_size=6),
    pieces=st.lists(st.integers(1, 40), min_size=1),
    preface=st.sampled_from((0, 24)),
    bad=st.booleans(),
)
def test_a_frame_too_long_is_seen_and_no_other(lengths: list[int], pieces: list[int], preface: int, bad: bool) -> None:
    octets = bytes(preface) + b"".join(map(frame, lengths))
    octets += (FrameLengths.LONGEST + 1).to_bytes(3, "big") + bytes(6) if bad else b""
    watched = FrameLengths(preface)
    turn = 0
    while len(octets) > (1 if bad else 0):
        size = min(pieces[turn % len(pieces)], len(octets) - (1 if bad else 0))
        watched.feed(octets[:size])
        octets = octets[size:]
        turn += 1
    if bad:
        with pytest.raises(FramingError):
            watched.feed(octets)


def test_the_longest_that_is_allowed() -> None:
    FrameLengths().feed(frame(FrameLengths.LONGEST) * 2)
