# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What is asked upstream, when, and what clients get meanwhile: fetched ahead, past its time (RFC 8767), by domain."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Network
from typing import Any, cast

import dns.message
import dns.rcode
import dns.rrset
import pytest

from v6native.dns64 import wire
from v6native.dns64.answer import STALE_TTL, Answer
from v6native.dns64.attempt import Reply
from v6native.dns64.loop import Loop, Timer
from v6native.dns64.query import Query, parse_query
from v6native.dns64.resolver import Resolver
from v6native.dns64.rules import Policy, View
from v6native.dns64.settings import Limits, Pref64, Timing
from v6native.dns64.special import LocalRecords
from v6native.dns64.stats import Stats
from v6native.dns64.upstream import Upstreams

VIEW = View((Pref64(IPv6Network("2001:db8:64:64::/96")),), (), Policy())
TIMING = Timing(stale=1000)


class Clock:
    """A loop that the test turns."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[tuple[float, Timer]] = []

    def later(self, seconds: float, action: Callable[[], None]) -> Timer:
        timer = Timer(action)
        self.timers.append((self.now + seconds, timer))
        return timer

    def call(self, action: Callable[..., None], *arguments: Any) -> None:
        action(*arguments)

    def turn(self, seconds: float) -> None:
        self.now += seconds
        due = [entry for entry in self.timers if entry[0] <= self.now]
        self.timers = [entry for entry in self.timers if entry[0] > self.now]
        for _, timer in due:
            if timer.action is not None:
                timer.action()


class Server:
    """Upstream; a question waits here until the test answers it."""

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, Callable[[Reply | None, bool], None]]] = []

    def ask(self, key: bytes, answered: Callable[[Reply | None, bool], None]) -> None:
        self.asked.append((key, answered))

    def answer(self, *addresses: str, ttl: int = 100, rcode: int = 0) -> None:
        key, answered = self.asked.pop(0)
        kind = int.from_bytes(key[-5:-3], "big")
        query = dns.message.make_query(wire_text(key), kind)
        reply = dns.message.make_response(query)
        reply.set_rcode(dns.rcode.Rcode(rcode))
        if addresses:
            reply.answer.append(dns.rrset.from_text(wire_text(key), ttl, "IN", kind, *addresses))
        raw = reply.to_wire()
        answered(Reply(raw, wire.parse(raw)), False)

    def fail(self) -> None:
        self.asked.pop(0)[1](None, False)


def wire_text(key: bytes) -> str:
    labels, at = [], 0
    while key[at]:
        labels.append(key[at + 1 : at + 1 + key[at]].decode())
        at += key[at] + 1
    return ".".join(labels) + "."


class Bench:
    def __init__(self, timing: Timing = TIMING) -> None:
        self.clock, self.server, self.stats = Clock(), Server(), Stats()
        upstreams = cast(Upstreams, self.server)
        local = LocalRecords(())
        self.resolver = Resolver(cast(Loop, self.clock), self.stats, upstreams, local, timing, Limits())

    def ask(self, name: str = "v4only.example", kind: str = "A") -> list[Answer]:
        """The answer, as soon as it is there."""
        query = parse_query(dns.message.make_query(name, kind).to_wire())
        assert isinstance(query, Query)
        got: list[Answer] = []
        self.resolver.answer(query, VIEW, got.append)
        return got

    def event(self, name: str) -> int:
        return self.stats.event_cell(name)[0]


def addresses(answer: Answer, now: float) -> list[tuple[str, int]]:
    message = wire.parse(bytes(answer.aged(int(now))))
    return [(str(IPv4Address(record.rdata)), record.ttl) for record in message.answer]


@pytest.fixture
def bench() -> Bench:
    """One that knows an A record for 100 s."""
    made = Bench()
    got = made.ask()
    made.server.answer("192.0.2.1")
    assert addresses(got[0], made.clock.now) == [("192.0.2.1", 100)]
    return made


def test_what_is_asked_for_is_fetched_before_it_ends(bench: Bench) -> None:
    bench.clock.turn(89)
    assert bench.ask() and bench.server.asked == []
    bench.clock.turn(1)
    assert addresses(bench.ask()[0], bench.clock.now) == [("192.0.2.1", 10)], "nobody waits for it"
    assert bench.ask() and len(bench.server.asked) == 1, "once"
    bench.server.answer("192.0.2.2")
    assert addresses(bench.ask()[0], bench.clock.now) == [("192.0.2.2", 100)]
    assert bench.event("prefetch") == 1


def test_a_fetch_ahead_that_fails_leaves_what_is_true(bench: Bench) -> None:
    bench.clock.turn(95)
    bench.ask()
    bench.server.fail()
    assert addresses(bench.ask()[0], bench.clock.now) == [("192.0.2.1", 5)]


def test_short_ones_are_not_fetched_ahead() -> None:
    bench = Bench()
    bench.ask()
    bench.server.answer("192.0.2.1", ttl=9)
    bench.clock.turn(8)
    assert bench.ask() and bench.server.asked == []


def test_past_its_time_is_better_than_a_failure(bench: Bench) -> None:
    bench.clock.turn(150)
    got = bench.ask()
    assert got == []
    bench.server.fail()
    assert addresses(got[0], bench.clock.now) == [("192.0.2.1", STALE_TTL)]
    assert bench.ask() and bench.server.asked == [], "upstream has a rest"
    bench.clock.turn(STALE_TTL)
    again = bench.ask()
    bench.server.answer("192.0.2.3")
    assert addresses(again[0], bench.clock.now) == [("192.0.2.3", 100)], "upstream is back"
    assert bench.event("stale") == 1


def test_not_for_ever(bench: Bench) -> None:
    """However often it stood in meanwhile."""
    bench.clock.turn(100)
    for _ in range(TIMING.stale // STALE_TTL + 1):
        got = bench.ask()
        bench.server.fail()
        assert got[0].rcode == wire.NOERROR
        bench.clock.turn(STALE_TTL)
    got = bench.ask()
    bench.server.fail()
    assert got[0].rcode == wire.SERVFAIL


def test_nor_where_it_is_switched_off() -> None:
    bench = Bench(Timing(stale=0))
    bench.ask()
    bench.server.answer("192.0.2.1")
    bench.clock.turn(101)
    got = bench.ask()
    bench.server.fail()
    assert got[0].rcode == wire.SERVFAIL


def test_a_slow_upstream_is_not_waited_for(bench: Bench) -> None:
    bench.clock.turn(150)
    got = bench.ask()
    bench.clock.turn(TIMING.stale_after + 0.1)
    assert addresses(got[0], bench.clock.now) == [("192.0.2.1", STALE_TTL)]
    bench.server.answer("192.0.2.4")
    assert len(got) == 1, "answered once"
    assert addresses(bench.ask()[0], bench.clock.now) == [("192.0.2.4", 100)]


def test_nobody_there_is_no_failure(bench: Bench) -> None:
    """NXDOMAIN is an answer, and what it replaces is gone."""
    bench.clock.turn(150)
    got = bench.ask()
    bench.server.answer(rcode=wire.NXDOMAIN)
    assert got[0].rcode == wire.NXDOMAIN
    later = bench.ask()
    bench.server.fail()
    assert later[0].rcode == wire.SERVFAIL


def test_synthesis_from_what_is_past_its_time() -> None:
    bench = Bench()
    bench.ask(kind="AAAA")
    bench.server.answer()
    bench.server.answer("192.0.2.1")
    bench.clock.turn(500)
    got = bench.ask(kind="AAAA")
    bench.server.fail()
    bench.server.fail()
    (record,) = wire.parse(bytes(got[0].aged(int(bench.clock.now)))).answer
    assert record.type == wire.AAAA and record.rdata[-4:] == bytes([192, 0, 2, 1]) and record.ttl <= STALE_TTL


def test_domains_that_others_are_asked_about(bench: Bench) -> None:
    inner, outer = Server(), Server()
    bench.resolver.zones = {
        wire.name_from_text("dn42"): cast(Upstreams, outer),
        wire.name_from_text("lab.dn42"): cast(Upstreams, inner),
    }
    for name in ("www.dn42", "dn42", "x.lab.dn42", "notdn42", "www.example"):
        bench.ask(name)
    assert [wire_text(key) for key, _ in outer.asked] == ["www.dn42.", "dn42."]
    assert [wire_text(key) for key, _ in inner.asked] == ["x.lab.dn42."]
    assert [wire_text(key) for key, _ in bench.server.asked] == ["notdn42.", "www.example."]
