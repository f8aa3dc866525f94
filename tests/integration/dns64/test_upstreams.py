# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Upstream servers that are dead, slow, lying or broken: answers keep coming, and quickly."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import pytest

from tests.integration.dns64.scripted import (
    LOOPBACK,
    Running,
    Script,
    Upstream,
    addresses,
    dns64,
    eventually,
    free_port,
    packed,
    reply,
    settings_for,
    zone,
)
from v6native.dns64.settings import Timing, UpstreamServer, Zone

# Seconds: far above what is needed, since the machine may be busy; far below waiting for a bad server.
QUICK = 0.9
MANY = "|".join(f"198.51.100.{i}" for i in range(1, 201))
GOOD = zone({("many.example.", "A"): [f"many.example. 1000 IN A {MANY}"]})


def answering(address: str) -> Script:
    """Every A question is answered with this address, every other with no data."""

    def script(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
        question = query.question[0]
        records = [f"{question.name} 100 IN A {address}"] if question.rdtype == 1 else []
        return [(0, packed(reply(query, *records, soa="example."), query, tcp))]

    return script


def silent(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
    return []


def late(seconds: float, script: Script) -> Script:
    return lambda query, tcp: [(seconds, out) for _, out in script(query, tcp)]


def octets(make: Callable[[bytes], bytes], script: Script) -> Script:
    """Changes the octets of each answer."""
    return lambda query, tcp: [(delay, make(out)) for delay, out in script(query, tcp)]


def failing(rcode: int) -> Script:
    return lambda query, tcp: [(0, packed(reply(query, rcode=rcode), query, tcp))]


@contextmanager
def two(first: Script, second: Script, **changes: Any) -> Iterator[tuple[Upstream, Upstream, Running]]:
    with Upstream(first) as one, Upstream(second) as other, dns64(one, other, **changes) as server:
        yield one, other, server


def timed(server: Running, name: str) -> tuple[list[str], float]:
    before = time.monotonic()
    return addresses(server.ask(name, "A"), "A"), time.monotonic() - before


@pytest.mark.parametrize("bad", [silent, late(2.0, answering("192.0.2.66"))], ids=["dead", "slow"])
def test_a_bad_server_costs_nobody_time(bad: Script) -> None:
    with two(bad, answering("192.0.2.1")) as (one, _, server):
        for i in range(20):
            found, seconds = timed(server, f"n{i}.example")
            assert found == ["192.0.2.1"]
            # The first question is a race; later ones know.
            assert seconds < QUICK, f"question {i}"
        assert len(one.asked) < 15


def test_a_server_that_falls_silent_is_left_alone_and_found_again() -> None:
    with two(answering("192.0.2.1"), late(0.03, answering("192.0.2.2"))) as (one, _, server):
        assert eventually(lambda: timed(server, f"{time.monotonic_ns()}.example")[0] == ["192.0.2.1"], "the faster one")
        one.script = silent
        state = server.server.resolver.upstreams.servers[0]

        def falls_asleep() -> bool:
            found, seconds = timed(server, f"{time.monotonic_ns()}.example")
            assert found == ["192.0.2.2"] and seconds < QUICK
            return bool(state.asleep_until)

        eventually(falls_asleep, "the silent server sleeps")
        asked = len(one.asked)
        for i in range(10):
            assert timed(server, f"asleep{i}.example")[1] < QUICK
        assert len(one.asked) <= asked + 2
        one.script = answering("192.0.2.1")
        eventually(lambda: timed(server, f"{time.monotonic_ns()}.example")[0] == ["192.0.2.1"], "it is used again")


def test_a_closed_port_is_known_at_once() -> None:
    with Upstream(answering("192.0.2.1")) as good:
        closed = replace(good.server, port=free_port())
        with dns64(good, upstreams=(closed, good.server)) as server:
            for i in range(5):
                found, seconds = timed(server, f"n{i}.example")
                assert found == ["192.0.2.1"] and seconds < QUICK


def test_a_restarted_lone_server_is_waited_for() -> None:
    port = free_port()
    with Upstream(answering("192.0.2.1"), port) as first:
        pass
    with dns64(first) as server, socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(dns.message.make_query("n.example", "A").to_wire(), (LOOPBACK, server.port))
        eventually(lambda: server.server.resolver.upstreams.servers[0].failed, "the first try was refused")
        with Upstream(answering("192.0.2.1"), port):
            assert addresses(dns.message.from_wire(client.recv(4096)), "A") == ["192.0.2.1"]


@pytest.mark.parametrize(
    "bad",
    [
        failing(2),
        failing(5),
        octets(lambda out: out[:-3], answering("192.0.2.66")),
        octets(
            lambda out: out[:2] + out[2:3] + b"\x80\x00\x01\x00\x01\x00\x00\x00\x00\xc0\x0c", answering("192.0.2.66")
        ),
    ],
    ids=["servfail", "refused", "short", "loop"],
)
def test_a_broken_answer_leads_to_the_other_server(bad: Script) -> None:
    with two(bad, late(0.05, answering("192.0.2.1"))) as (_, _, server):
        for i in range(5):
            found, seconds = timed(server, f"n{i}.example")
            assert found == ["192.0.2.1"] and seconds < QUICK


def test_an_error_of_all_is_passed_on_soon() -> None:
    with two(failing(2), failing(2)) as (_, _, server):
        before = time.monotonic()
        assert server.ask("n.example", "A").rcode() == dns.rcode.SERVFAIL
        assert time.monotonic() - before < QUICK
    with two(failing(2), silent) as (_, _, server):
        before = time.monotonic()
        assert server.ask("n.example", "A").rcode() == dns.rcode.SERVFAIL
        assert time.monotonic() - before < QUICK


def test_silence_of_all_ends_in_servfail_that_is_remembered() -> None:
    with Upstream(silent) as one, dns64(one) as server:
        before = time.monotonic()
        assert server.ask("n.example", "A").rcode() == dns.rcode.SERVFAIL
        assert 2.5 < time.monotonic() - before < 4.5
        asked = len(one.asked)
        assert server.ask("n.example", "A").rcode() == dns.rcode.SERVFAIL
        assert len(one.asked) == asked


def test_a_cut_answer_is_fetched_over_tcp() -> None:
    with Upstream(GOOD) as one, dns64(one) as server:
        assert len(addresses(server.ask("many.example", "A", tcp=True), "A")) == 200
        assert one.asked == ["many.example. A", "many.example. A tcp"]


def test_a_server_without_edns_is_asked_without_it() -> None:
    def old(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
        if query.edns < 0:
            return answering("192.0.2.1")(query, tcp)
        # Some leave the question out of it, too.
        return [(0, query.id.to_bytes(2, "big") + b"\x80\x01" + bytes(8))]

    with Upstream(old) as one, dns64(one) as server:
        for name in ("a.example", "b.example"):
            assert addresses(server.ask(name, "A"), "A") == ["192.0.2.1"]
        assert [query.edns for query in one.queries] == [0, -1, -1]


def test_forged_and_foreign_answers_are_not_taken() -> None:
    def lies(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
        other_id = reply(query, f"{query.question[0].name} 100 IN A 192.0.2.66")
        other_id.id ^= 1
        foreign = reply(dns.message.make_query("other.example", "A", id=query.id), "other.example. 100 IN A 192.0.2.66")
        no_answer = query.to_wire()
        truth = answering("192.0.2.1")(query, tcp)[0][1]
        return [(0, other_id.to_wire()), (0, foreign.to_wire()), (0, no_answer), (0, truth)]

    with Upstream(lies) as one, dns64(one) as server:
        assert addresses(server.ask("n.example", "A"), "A") == ["192.0.2.1"]
        assert server.event("upstream-stray") == 3


def test_ids_and_ports_are_hard_to_guess() -> None:
    with Upstream(answering("192.0.2.1")) as one, dns64(one) as server:
        for i in range(40):
            server.ask(f"n{i}.example", "A")
        assert len({query.id for query in one.queries}) > 35
        assert len(set(one.sources)) > 35


def test_questions_without_end_are_bounded_and_leave_nothing_behind() -> None:
    with Upstream(silent) as one:
        limits = replace(settings_for(one).limits, pending=50)
        timing = replace(settings_for(one).timing, query=1.0)
        with dns64(one, limits=limits, timing=timing) as server, socket.socket(type=socket.SOCK_DGRAM) as client:
            for i in range(200):
                client.sendto(dns.message.make_query(f"n{i}.example", "A").to_wire(), (LOOPBACK, server.port))
            eventually(lambda: server.event("overload") == 150, "what is too much is refused")
            eventually(lambda: server.server.resolver.jobs == 0, "all questions have ended")
            one.script = answering("192.0.2.1")
            assert eventually(lambda: timed(server, f"{time.monotonic_ns()}.example")[0], "it serves again")


def test_an_answer_past_its_time_where_nobody_answers() -> None:
    """RFC 8767 §5: better than an error, and only for so long as it may."""

    def short(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
        return [(0, packed(reply(query, f"{query.question[0].name} 1 IN A 192.0.2.1"), query, tcp))]

    with Upstream(short) as upstream, dns64(upstream, timing=Timing(query=0.5, stale=600)) as server:
        assert addresses(server.ask("n.example", "A"), "A") == ["192.0.2.1"]
        upstream.script = failing(dns.rcode.SERVFAIL)
        time.sleep(1.1)
        answer = server.ask("n.example", "A")
        assert addresses(answer, "A") == ["192.0.2.1"] and answer.answer[0].ttl == 30
        assert server.ask("m.example", "A").rcode() == dns.rcode.SERVFAIL
        assert server.event("stale") == 1


def test_a_domain_of_other_servers() -> None:
    with (
        Upstream(answering("192.0.2.1")) as rest,
        Upstream(answering("192.0.2.42")) as own,
        dns64(rest, zones=(Zone("dn42", (own.server,)),)) as server,
    ):
        assert addresses(server.ask("www.dn42", "A"), "A") == ["192.0.2.42"]
        assert addresses(server.ask("www.example", "A"), "A") == ["192.0.2.1"]
        assert (own.asked, rest.asked) == (["www.dn42. A"], ["www.example. A"])
        numbers = server.server.document()["upstream_answered"]
        assert numbers == {f"{LOOPBACK}#{own.port}": 1, f"{LOOPBACK}#{rest.port}": 1}
        # Other servers from a reload on, and what the first ones said is forgotten.
        changed = replace(server.server.settings, zones=())
        server.do(lambda: server.server.reload(changed))
        assert addresses(server.ask("www.dn42", "A"), "A") == ["192.0.2.1"]


def unvalidated(upstream: Upstream) -> UpstreamServer:
    return replace(upstream.server, trust_ad=False)


def lowered(out: bytes) -> bytes:
    """The question in lower case, as some servers give it back."""
    return out[:12] + out[12:].replace(out[12 : out.index(b"\0", 12)], out[12 : out.index(b"\0", 12)].lower(), 1)


def test_names_are_asked_in_a_case_that_is_hard_to_guess() -> None:
    name = "a-name-with-many-letters.example"
    with Upstream(answering("192.0.2.1")) as upstream, dns64(upstream, upstreams=(unvalidated(upstream),)) as server:
        answer = server.ask(name, "A")
        assert addresses(answer, "A") == ["192.0.2.1"]
        assert answer.answer[0].name.to_text() == f"{name}.", "as the client spelled it"
        (asked,) = upstream.asked
        assert asked.lower() == f"{name}. a" and asked != f"{name}. A", "one of 2^28 it may be"
        assert addresses(server.ask(name.upper(), "A"), "A") == ["192.0.2.1"] and len(upstream.asked) == 1


def test_an_answer_in_another_case_is_asked_for_over_tcp() -> None:
    """Off-path forgers cannot know it; some servers do not keep it, and are asked in lower case from then on."""

    def forged_over_udp(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
        return (answering("192.0.2.1") if tcp else octets(lowered, answering("192.0.2.66")))(query, tcp)

    with Upstream(forged_over_udp) as upstream, dns64(upstream, upstreams=(unvalidated(upstream),)) as server:
        for i in range(2):
            assert addresses(server.ask(f"name{i}.example", "A"), "A") == ["192.0.2.1"]
        assert server.event("upstream-respelled") == 2
        upstream.script = octets(lowered, answering("192.0.2.2"))
        assert addresses(server.ask("name2.example", "A"), "A") == ["192.0.2.2"]
        upstream.asked.clear()
        assert addresses(server.ask("name3.example", "A"), "A") == ["192.0.2.2"]
        assert upstream.asked == ["name3.example. A"]
