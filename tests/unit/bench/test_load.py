# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The DNS load counts what it gets: right answers, wrong ones and those that never come; each question once, or in turn."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dns.message
import dns.rdatatype
import pytest

from bench import upstreams
from bench.generator import BenchFailed
from bench.load import Job, paced, run, saturate
from bench.questions import DUAL64, V4ONLY, fresh, mixed, stock

COUNT = 400


@contextmanager
def server(answer: Callable[[bytes, int], bytes | None]) -> Iterator[tuple[int, list[bytes]]]:
    """On ::1; `answer` gets a question and how many came before. The port, and what was asked."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
        udp.bind(("::1", 0))
        udp.settimeout(0.05)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    query, peer = udp.recvfrom(512)
                except TimeoutError:
                    continue
                asked.append(query)
                out = answer(query, len(asked) - 1)
                if out is not None:
                    udp.sendto(out, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield udp.getsockname()[1], asked
        finally:
            ended.set()
            thread.join()


def good(query: bytes, _number: int) -> bytes:
    return upstreams.answer(query)


def names(asked: list[bytes]) -> list[str]:
    return [str(dns.message.from_wire(query).question[0].name) for query in asked]


def test_each_question_is_asked_once_and_is_one() -> None:
    with server(good) as (port, asked):
        outcome = saturate(Job(port, 10, begin=7, count=COUNT, spin=False), stock(fresh(7, COUNT, DUAL64)))
    assert (outcome.answered, outcome.wrong, outcome.lost) == (COUNT, 0, 0)
    assert names(asked) == [f"n{number:08}.dual64.bench." for number in range(7, 7 + COUNT)]
    assert len({query[:2] for query in asked}) == COUNT


def test_names_are_asked_in_turn_until_the_time_is_over() -> None:
    with server(lambda query, _: upstreams.answer(query)[:7] + b"\1" + upstreams.answer(query)[8:]) as (port, asked):
        outcome = saturate(Job(port, 0.3, names=8), stock(mixed(8)))
    assert outcome.answered > 100 and not outcome.wrong and 0.3 <= outcome.seconds < 5
    # Reading all of thousands would take longer than asking them.
    asked = asked[:200]
    assert set(names(asked)) == {f"n{n:08}.{DUAL64 if n % 4 == 2 else V4ONLY}.bench." for n in range(8)}
    kinds = {dns.message.from_wire(query).question[0].rdtype for query in asked}
    assert kinds == {dns.rdatatype.A, dns.rdatatype.AAAA}


@pytest.mark.parametrize("load", [saturate, paced])
def test_wrong_answers_are_counted(load: Callable[..., object]) -> None:
    def bad(query: bytes, number: int) -> bytes:
        out = upstreams.answer(query)
        return out[:3] + b"\x82" + out[4:] if number % 10 == 0 else out

    with server(bad) as (port, _):
        outcome = load(Job(port, 0.5, count=COUNT, rate=800, spin=False), stock(fresh(0, COUNT, DUAL64)))
    assert outcome.wrong == COUNT // 10  # type: ignore[attr-defined]


def test_answers_that_never_come_are_lost_and_end_nothing() -> None:
    with server(lambda query, number: None if number % 100 == 50 else upstreams.answer(query)) as (port, _):
        outcome = saturate(Job(port, 1.5, count=10 * COUNT, spin=False), stock(fresh(0, COUNT, DUAL64)))
    assert outcome.answered == COUNT - COUNT // 100 and outcome.lost == COUNT // 100


def test_latency_is_from_sending_to_answer() -> None:
    with server(good) as (port, _):
        outcome = paced(Job(port, 0.5, rate=400), stock(fresh(0, COUNT, DUAL64)))
    assert outcome.answered == 200
    assert 0 < outcome.microseconds[500] <= outcome.microseconds[990] <= outcome.microseconds[999] < 1e6


def test_a_server_that_fails_is_no_measurement() -> None:
    with (
        server(lambda query, _: upstreams.answer(query)[:3] + b"\x82\0\1\0\0\0\0\0\0") as (port, _),
        pytest.raises(BenchFailed),
    ):
        run(Job(port, 0.2, names=4), None)


def test_lies_are_none_that_may_be_taken() -> None:
    query = stock(fresh(0, 1, DUAL64)).octets
    for turn in range(4):
        lie = upstreams.lies(query, turn)
        end = query.index(b"\0", 12) + 5
        same = lie[:2] == query[:2] and lie[12:end] == query[12:end] and len(lie) >= len(upstreams.answer(query))
        assert not same
