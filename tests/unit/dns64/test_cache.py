# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The cache holds answers while they are true, within its bounds."""

from __future__ import annotations

import tracemalloc

from v6native.dns64.answer import Answer
from v6native.dns64.cache import Cache
from v6native.dns64.query import key_for
from v6native.dns64.wire import AAAA, A, name_from_text


def answer(seconds: int = 60, size: int = 100, now: int = 0) -> Answer:
    return Answer(bytes(size), (), 0, now, now + seconds, "upstream")


def key(number: int, kind: int = A) -> bytes:
    return key_for(name_from_text(f"n{number}.example"), kind, False)


def test_an_answer_is_there_until_it_expires() -> None:
    cache = Cache(10, 10_000)
    kept = answer(60)
    cache.put(key(1), kept, 0)
    assert cache.get(key(1), 59) is kept
    assert cache.get(key(1), 60) is None
    assert cache.get(key(2), 0) is None


def test_what_is_true_for_no_time_is_not_kept() -> None:
    cache = Cache(10, 10_000)
    cache.put(key(1), answer(60), 0)
    cache.put(key(1), answer(0), 0)
    assert cache.get(key(1), 0) is None and len(cache) == 0 and cache.bytes == 0


def test_the_bounds_hold_and_what_is_asked_for_stays() -> None:
    cache = Cache(100, 1 << 30)
    for number in range(1000):
        cache.put(key(number), answer(), 0)
        cache.get(key(7), 0)
        assert len(cache) <= 100
    assert cache.get(key(7), 0) is not None, "asked for all the time"
    assert cache.get(key(8), 0) is None, "never asked for again"
    assert cache.evicted == 900


def test_octets_are_bounded_and_counted_down() -> None:
    cache = Cache(1 << 30, 50_000)
    for number in range(500):
        cache.put(key(number), answer(size=number), 0)
        assert cache.bytes <= 50_000
    cache.put(key(1000), answer(size=65_535), 0)
    assert cache.bytes <= 50_000 and cache.get(key(1000), 0) is None, "larger than all of it"
    cache.clear()
    assert cache.bytes == 0 and len(cache) == 0


def test_even_when_everything_is_asked_for_something_gives_way() -> None:
    cache = Cache(50, 1 << 30)
    for number in range(200):
        cache.put(key(number), answer(), 0)
        for earlier in range(number + 1):
            cache.get(key(earlier), 0)
    assert len(cache) == 50


def test_a_smaller_bound_takes_effect() -> None:
    cache = Cache(100, 1 << 30)
    for number in range(100):
        cache.put(key(number), answer(), 0)
    cache.resize(10, 1 << 30, 0)
    assert len(cache) == 10


def test_the_count_of_octets_is_near_the_truth() -> None:
    cache = Cache(1 << 30, 1 << 30)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(5000):
        cache.put(key(number, AAAA if number % 2 else A), answer(size=100, now=1_000_000 + number), 0)
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert used < cache.bytes
