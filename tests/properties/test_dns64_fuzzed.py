# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The fuzz target without its fuzzer: every seed, and seeds with damage. `make fuzz` goes on from here for longer."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzz.case import Case
from tests.fuzz.corpus import cases
from tests.fuzz.target import exercise
from v6native.dns64 import wire

SEEDS = list(cases())


def test_the_seeds_reach_every_way_to_an_answer() -> None:
    assert {exercise(seed) for seed in SEEDS} == {
        "upstream", "synthesized", "filtered", "local", "blocked", f"rcode {wire.BADVERS}",
    }  # fmt: skip


@given(st.data(), st.sampled_from(SEEDS))
def test_a_damaged_case_ends_in_an_answer_that_holds(data: st.DataObject, seed: bytes) -> None:
    octets = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 6))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(octets)) | st.just(len(octets)))
    exercise(bytes(octets[:cut]))


@given(st.builds(Case, st.integers(0, 255), *[st.binary(max_size=100)] * 3))
# What upstream said reached past its end, and was cut there; an address of another class has any length.
@example(
    Case(
        0,
        b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x03www\x07example\x00\x00\x1c\x00\x01",
        b"\x81\x00\x00\x01\x00\xc0\x10\x00\x06\x00\x01\x00\x00\x01\x2c\x00\x20\x02ns\xc0\x28\x04root\xc0\x10"
        + bytes(22),
        b"",
    )
)
@example(
    Case(
        0,
        b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x03www\x07example\x00\x00\x1c\x00\x01",
        b"\x81\x00\x01\x00\x00\xc0\x0c\x00\x1c\x00\x03\x00\x00\x00\x05\x00\x01\x00",
        b"",
    )
)
def test_octets_end_in_an_answer_that_holds(case: Case) -> None:
    exercise(case.packed())
