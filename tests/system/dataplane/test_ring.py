# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Reading a real BPF ring buffer in place."""

from __future__ import annotations

import select
from collections.abc import Iterator

import pytest

from tests.system.dataplane.injector import Injector, injector
from tests.unit.log.events import block
from v6native.dataplane.log_events import LogEvent, LogKind, parse
from v6native.dataplane.ring import RINGBUF, RingBuffer

# A record of 56 bytes with its header.
STRIDE = 64


@pytest.fixture
def filled() -> Iterator[tuple[Injector, RingBuffer]]:
    with injector(size=4096) as source:
        ring = RingBuffer(source.ring)
        yield source, ring
        ring.close()


def events(ring: RingBuffer, start: int, most: int = 1000) -> tuple[list[LogEvent], int]:
    records, position = ring.read(start, most)
    return list(parse(records)), position


def test_what_goes_in_comes_out(filled: tuple[Injector, RingBuffer]) -> None:
    source, ring = filled
    assert source.ring.type == RINGBUF
    assert events(ring, ring.position) == ([], 0)
    told = [block(n, kind=LogKind.BLOCK_TAKEN) for n in range(5)]
    assert all(source.put(event) for event in told)
    assert events(ring, 0) == (told, 5 * STRIDE)
    assert events(ring, 0, most=2) == (told[:2], 2 * STRIDE)
    assert events(ring, 2 * STRIDE) == (told[2:], 5 * STRIDE)


def test_what_is_not_given_back_is_there_for_the_next_reader(filled: tuple[Injector, RingBuffer]) -> None:
    source, ring = filled
    told = [block(n) for n in range(3)]
    assert all(source.put(event) for event in told)
    ring.read(0, 1000)
    ring.release(STRIDE)
    second = RingBuffer(source.ring)
    assert second.position == STRIDE
    assert events(second, second.position) == (told[1:], 3 * STRIDE)
    second.close()


def test_a_full_ring_refuses_and_keeps_what_it_has(filled: tuple[Injector, RingBuffer]) -> None:
    source, ring = filled
    told = [block(n) for n in range(4096 // STRIDE + 10)]
    taken = [event for event in told if source.put(event)]
    assert 0 < len(taken) < len(told)
    found, position = events(ring, 0)
    assert found == taken
    ring.release(position)
    assert source.put(told[-1])
    assert events(ring, position)[0] == [told[-1]]


def test_round_and_round(filled: tuple[Injector, RingBuffer]) -> None:
    """Records that lie across the end of the buffer are whole."""
    source, ring = filled
    at = 0
    for n in range(500):
        assert source.put(block(n))
        found, at = events(ring, at)
        assert found == [block(n)]
        ring.release(at)
    assert at == 500 * STRIDE


def test_discarded_and_unknown_records_are_stepped_over(filled: tuple[Injector, RingBuffer]) -> None:
    source, ring = filled
    source.put_discarded()
    source.put_bytes(b"\xff" * 56)
    assert source.put(block(1))
    assert events(ring, 0) == ([block(1)], 3 * STRIDE)


def test_it_wakes_whoever_waits(filled: tuple[Injector, RingBuffer]) -> None:
    source, ring = filled
    poll = select.poll()
    poll.register(ring.fd, select.POLLIN)
    assert poll.poll(0) == []
    assert source.put(block(1))
    assert poll.poll(1000)
    ring.release(ring.read(0, 10)[1])
    assert poll.poll(0) == []
