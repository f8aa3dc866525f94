# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What is kept of names and of the query log is bounded, whatever is asked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Network
from pathlib import Path

import dns.message
import pytest

from v6native.address import embed
from v6native.dns64 import wire
from v6native.dns64.answer import Answer, build
from v6native.dns64.loop import Loop
from v6native.dns64.query import parse_query
from v6native.dns64.querylog import QueryLog
from v6native.dns64.rules import Policy, View
from v6native.dns64.settings import Pref64
from v6native.dns64.stats import Stats
from v6native.dns64.topnames import ADDRESSES, MARKS, TopNames, clients, embedded

PREF64 = IPv6Network("2001:db8:64:64::/96")
OTHER = IPv6Network("2001:db8:65::/96")
POPULAR = wire.name_from_text("www.popular.com")


def view(prefix: IPv6Network) -> View:
    return View((Pref64(prefix),), (), Policy((), (), (), frozenset()))


def synthesized(number: int) -> Answer:
    """With so many addresses."""
    records = [
        wire.Record(POPULAR, wire.AAAA, wire.IN, 60, embed(PREF64, IPv4Address("198.51.100.0") + i).packed)
        for i in range(number)
    ]
    question = POPULAR + wire.AAAA.to_bytes(2, "big") + wire.IN.to_bytes(2, "big")
    return build(question, wire.NOERROR, (records,), 0, 60, "synthesized")


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


def test_domains_are_bounded_and_the_popular_one_stays(loop: Loop) -> None:
    names = TopNames(loop, domains=50)
    names.use(True)
    answer, of = synthesized(1), [0]
    for turn in range(40):
        for i in range(100):
            names.cell(wire.name_from_text(f"x{turn * 100 + i}.com"), answer, view(PREF64), 1, of)[0] += 1
        names.cell(POPULAR, answer, view(PREF64), 1, of)[0] += 1000
        names._each_second()
        names.document()
        names._each_second()
        assert len(names._domains) <= 50
    (first, *_) = names.document()["domains"]  # type: ignore[misc]
    assert (first["domain"], first["queries"]) == ("popular.com", 40_000)
    assert of == [44_000] and names.skipped == 0


def test_too_many_names_at_once_are_skipped_and_told(loop: Loop) -> None:
    names = TopNames(loop)
    names.use(True)
    of = [0]
    cells = [names.cell(wire.name_from_text(f"x{i}.com"), synthesized(1), view(PREF64), 1, of) for i in range(600)]
    assert sum(cell is of for cell in cells) == 100 == names.document()["skipped"]


def test_a_cell_goes_on_counting_after_a_look(loop: Loop) -> None:
    names = TopNames(loop)
    names.use(True)
    of = [0]
    cell = names.cell(POPULAR, synthesized(1), view(PREF64), 1, of)
    for turn in range(1, 4):
        cell[0] += 1
        names.fold()
        assert of == [turn]
    # Untouched for a second: nobody has it any more.
    names._each_second()
    assert names.cell(POPULAR, synthesized(1), view(PREF64), 1, of) is not cell


def test_of_many_addresses_some_are_kept(loop: Loop) -> None:
    answer = synthesized(2 * ADDRESSES)
    assert embedded(answer, view(PREF64)) == {IPv4Address("198.51.100.0") + i for i in range(2 * ADDRESSES)}
    assert embedded(answer, view(OTHER)) == set()
    names = TopNames(loop)
    names.use(True)
    names.cell(POPULAR, answer, view(PREF64), 1, [0])[0] += 1
    names.fold()
    names._some()
    assert len(names._domains["popular.com"].ipv4) == ADDRESSES


def test_a_second_of_names_is_worked_off_by_and_by(loop: Loop) -> None:
    """So that nobody waits for it to be answered."""
    names = TopNames(loop)
    names.use(True)
    for i in range(300):
        names.cell(wire.name_from_text(f"x{i}.com"), synthesized(1), view(PREF64), 1, [0])[0] += 1
    names.fold()
    assert not names._domains
    names._some()
    assert 0 < len(names._domains) <= 20
    until = time.monotonic() + 5
    while len(names._domains) < 300 and time.monotonic() < until:
        loop.turn(0.05)
    assert len(names._domains) == 300


@pytest.mark.parametrize("number", [0, 1, 2, 10, 100, 1000])
def test_clients_are_counted_to_some_per_cent(loop: Loop, number: int) -> None:
    names, marks = TopNames(loop), 0
    for client in range(number):
        marks |= names.mark(client)
    assert abs(clients(marks) - number) <= max(1, 0.15 * number)
    assert clients((1 << MARKS) - 1) > 10_000


@pytest.mark.parametrize(
    ("wire_name", "text"),
    [
        (b"\x00", "."),
        (b"\x03www\x07example\x00", "www.example"),
        (b"\x04a.b\xff\x07example\x00", "a\\046b\\255.example"),
    ],
)
def test_names_as_text(wire_name: bytes, text: str) -> None:
    assert wire.name_text(wire_name) == text


def test_lines_that_wait_for_the_disk_are_bounded(loop: Loop, tmp_path: Path) -> None:
    query = parse_query(dns.message.make_query("www.popular.com", "AAAA").to_wire())
    assert query is not None
    stats = Stats()
    log = QueryLog(loop, stats, tmp_path / "queries.json", clock=lambda: 1.0)
    for _ in range(20_000):
        log.note("udp", "2001:db8::1", query, synthesized(1), 0.001)
    log.close()
    written = (tmp_path / "queries.json").read_text().splitlines()
    assert len(written) + stats.event_cell("query-log-lost")[0] == 20_000 and 0 < len(written) < 20_000
    assert (tmp_path / "queries.json").stat().st_size <= 1 << 20
