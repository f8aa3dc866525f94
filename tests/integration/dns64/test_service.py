# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The DNS64 as its clients see it, over real sockets, with a scripted upstream behind."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network
from typing import Any

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from tests.integration.dns64.scripted import (
    DEADLINE,
    LOOPBACK,
    Running,
    Upstream,
    addresses,
    dns64,
    eventually,
    packed,
    reply,
    settings_for,
    zone,
)
from v6native.dns64.settings import Limits, Listen, Pref64, Timing, View

MANY = "|".join(f"198.51.100.{i}" for i in range(1, 201))
RECORDS = {
    ("v4only.example.", "A"): ["v4only.example. 1000 IN A 198.51.100.80"],
    ("dual.example.", "A"): ["dual.example. 1000 IN A 198.51.100.81"],
    ("dual.example.", "AAAA"): ["dual.example. 1000 IN AAAA 2001:db8:80::80"],
    ("many.example.", "A"): [f"many.example. 1000 IN A {MANY}"],
    ("www.example.", "A"): [
        "www.example. 500 IN CNAME web.example.",
        "web.example. 1000 IN A 198.51.100.80",
    ],
    ("www.example.", "AAAA"): ["www.example. 500 IN CNAME web.example."],
    ("v4only.example.", "HTTPS"): ["v4only.example. 300 IN HTTPS 1 . alpn=h2 ipv4hint=198.51.100.80"],
    ("short.example.", "A"): ["short.example. 0 IN A 198.51.100.80"],
}


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(zone(RECORDS)) as made:
        yield made


@pytest.fixture
def server(upstream: Upstream) -> Iterator[Running]:
    with dns64(upstream) as made:
        yield made


@pytest.mark.parametrize("tcp", [False, True])
def test_an_ipv4_only_name_gets_an_address_under_the_pref64(server: Running, tcp: bool) -> None:
    answer = server.ask("v4only.example", "AAAA", tcp)
    assert addresses(answer) == ["2001:db8:64:64::c633:6450"]
    # The SOA of the negative answer has 300, its MINIMUM 60 (RFC 6147 §5.1.7, RFC 2308 §5).
    assert answer.answer[0].ttl <= 60
    assert answer.flags & dns.flags.RA and answer.flags & dns.flags.RD and not answer.flags & dns.flags.AA


def test_real_records_pass(server: Running) -> None:
    assert addresses(server.ask("dual.example", "AAAA")) == ["2001:db8:80::80"]
    assert addresses(server.ask("v4only.example", "A"), "A") == ["198.51.100.80"]
    https = server.ask("v4only.example", "HTTPS").answer[0][0].to_text()
    assert https == '1 . alpn="h2" ipv4hint="198.51.100.80"'
    assert server.ask("nothing.example", "AAAA").rcode() == dns.rcode.NXDOMAIN


def test_the_chain_comes_with_the_synthesized_record(server: Running) -> None:
    answer = server.ask("www.example", "AAAA")
    assert [found.to_text() for found in answer.answer] == [
        "www.example. 500 IN CNAME web.example.",
        # The negative AAAA answer had a chain and no SOA: 600 s at most.
        "web.example. 600 IN AAAA 2001:db8:64:64::c633:6450",
    ]


def test_the_clients_spelling_comes_back(server: Running) -> None:
    for _ in range(2):
        answer = server.ask("V4only.EXAMPLE", "AAAA")
        assert answer.question[0].name.to_text() == "V4only.EXAMPLE."
        assert answer.answer[0].name.to_text() == "V4only.EXAMPLE."


def test_what_is_cached_is_not_asked_again(server: Running, upstream: Upstream) -> None:
    for _ in range(5):
        server.ask("v4only.example", "AAAA")
        server.ask("v4only.example", "A")
    assert upstream.asked == ["v4only.example. AAAA", "v4only.example. A"]


def test_ttls_count_down(server: Running) -> None:
    first = server.ask("dual.example", "AAAA").answer[0].ttl
    assert first == 1000
    assert eventually(lambda: server.ask("dual.example", "AAAA").answer[0].ttl < first, "a smaller TTL")


def test_a_ttl_of_zero_is_asked_each_time_and_answered(server: Running, upstream: Upstream) -> None:
    for _ in range(2):
        assert addresses(server.ask("short.example", "AAAA")) == ["2001:db8:64:64::c633:6450"]
    assert upstream.asked.count("short.example. A") == 2


def test_many_addresses_are_cut_over_udp_and_whole_over_tcp(server: Running) -> None:
    cut = server.ask("many.example", "AAAA", use_edns=0, payload=4096)
    assert cut.flags & dns.flags.TC and not cut.answer and cut.edns == 0
    assert len(addresses(server.ask("many.example", "AAAA", tcp=True))) == 200


def test_the_size_that_the_client_takes_is_honoured(upstream: Upstream, server: Running) -> None:
    thirty = "|".join(f"198.51.100.{i}" for i in range(1, 31))
    upstream.script = zone({("thirty.example.", "A"): [f"thirty.example. 100 IN A {thirty}"]})
    assert server.ask("thirty.example", "AAAA").flags & dns.flags.TC
    whole = server.ask("thirty.example", "AAAA", use_edns=0, payload=1232)
    assert len(addresses(whole)) == 30 and not whole.flags & dns.flags.TC


def test_only_those_who_may_ask_are_answered(upstream: Upstream) -> None:
    with dns64(upstream, allow=(ip_network("2001:db8::/32"),)) as server:
        for tcp in (False, True):
            answer = server.ask("v4only.example", "AAAA", tcp)
            assert answer.rcode() == dns.rcode.REFUSED and not answer.answer
    assert upstream.asked == []


def test_views_give_other_prefixes_or_none(upstream: Upstream) -> None:
    other = IPv6Network("64:ff9b:1::/48")
    views = (
        View((ip_network("127.0.0.0/29"),), (Pref64(other), Pref64(IPv6Network("2001:db8:1::/96")))),
        View((ip_network("127.0.0.9/32"),), ()),
    )
    with dns64(upstream, views=views) as server:

        def ask(source: str) -> list[str]:
            query = dns.message.make_query("v4only.example", "AAAA")
            return addresses(dns.query.udp(query, LOOPBACK, DEADLINE, server.port, source=source))

        for _ in range(2):
            assert ask("127.0.0.1") == ["64:ff9b:1:c633:64:5000::", "2001:db8:1::c633:6450"]
            assert ask("127.0.0.9") == []
            assert ask("127.0.0.77") == ["2001:db8:64:64::c633:6450"]
    assert upstream.asked == ["v4only.example. AAAA", "v4only.example. A"]


def test_waiting_clients_share_one_upstream_question(upstream: Upstream, server: Running) -> None:
    gate = threading.Event()
    plain = zone(RECORDS)

    def slow(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
        assert gate.wait(DEADLINE)
        return plain(query, tcp)

    upstream.script = slow
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(20)]
        for identifier, client in enumerate(clients):
            client.settimeout(DEADLINE)
            query = dns.message.make_query("v4only.example", "A", id=identifier)
            client.sendto(query.to_wire(), (LOOPBACK, server.port))
        eventually(lambda: server.event("coalesced") == 19, "all clients wait for one question")
        gate.set()
        answers = [dns.message.from_wire(client.recv(4096)) for client in clients]
    assert [answer.id for answer in answers] == list(range(20))
    assert upstream.asked == ["v4only.example. A"]


def test_answers_over_one_tcp_connection_come_as_they_are_ready(upstream: Upstream, server: Running) -> None:
    plain = zone(RECORDS)

    def slow_for_dual(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
        delay = 0.5 if b"\x04dual" in query.to_wire() else 0
        return [(delay, out) for _, out in plain(query, tcp)]

    upstream.script = slow_for_dual
    queries = [dns.message.make_query(name, "A", id=i) for i, name in enumerate(("dual.example", "v4only.example"))]
    with socket.create_connection((LOOPBACK, server.port), DEADLINE) as client:
        client.sendall(b"".join(len(q.to_wire()).to_bytes(2, "big") + q.to_wire() for q in queries))
        # Ended already: the answers come nevertheless.
        client.shutdown(socket.SHUT_WR)
        stream = client.makefile("rb")
        got = [dns.message.from_wire(stream.read(int.from_bytes(stream.read(2), "big"))).id for _ in queries]
        assert got == [1, 0]
        assert stream.read() == b""


def test_hundreds_of_questions_in_one_pipeline(server: Running) -> None:
    queries = [dns.message.make_query(f"{i}.example", "A", id=i).to_wire() for i in range(300)]
    with socket.create_connection((LOOPBACK, server.port), DEADLINE) as client:
        client.sendall(b"".join(len(query).to_bytes(2, "big") + query for query in queries))
        client.shutdown(socket.SHUT_WR)
        stream = client.makefile("rb")
        got = {dns.message.from_wire(stream.read(int.from_bytes(stream.read(2), "big"))).id for _ in queries}
    assert got == set(range(300))


def test_silent_and_surplus_tcp_connections_are_closed(upstream: Upstream) -> None:
    limits, timing = Limits(tcp_connections=3), replace(settings_for(upstream).timing, tcp_idle=0.5)
    with dns64(upstream, limits=limits, timing=timing) as server, ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection((LOOPBACK, server.port), DEADLINE)) for _ in range(4)]
        assert clients[0].recv(1) == b"", "the oldest gives way to the fourth"
        clients[3].sendall(b"\x00\x20half a que")
        for client in clients[1:]:
            assert client.recv(1) == b"", "half a question does not keep a connection open"
        assert server.ask("v4only.example", "A", tcp=True).answer


def test_a_client_that_fetches_nothing_does_not_grow_memory(upstream: Upstream) -> None:
    with dns64(upstream, timing=Timing(tcp_idle=30)) as server:
        server.ask("many.example", "AAAA", tcp=True)
        query = dns.message.make_query("many.example", "AAAA").to_wire()
        with socket.create_connection((LOOPBACK, server.port), DEADLINE) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            wanted = 5000
            pending = (len(query).to_bytes(2, "big") + query) * wanted
            stuck = time.monotonic() + 0.5
            while pending and time.monotonic() < stuck:
                try:
                    pending = pending[client.send(pending) :]
                    stuck = time.monotonic() + 0.5
                except BlockingIOError:
                    threading.Event().wait(0.02)
            seen: list[Any] = [0]
            # What the socket's buffer holds comes first; more questions than these wait unread.
            while seen[-1] == 0 and time.monotonic() < stuck + DEADLINE:
                server.do(lambda: seen.append(server.server.document()["tcp_unsent"]))
                threading.Event().wait(0.02)
            assert 0 < seen[-1] < 1 << 20
        # The others are served as ever.
        assert server.ask("v4only.example", "A").answer


def test_garbage_is_answered_with_formerr_or_not_at_all(server: Running) -> None:
    query = dns.message.make_query("v4only.example", "AAAA").to_wire()
    assert server.raw(query[:20])[3] & 0xF == dns.rcode.FORMERR
    assert server.raw(query + b"junk")[3] & 0xF == dns.rcode.FORMERR
    for silent in (b"", b"x", query[:11], query[:2] + b"\x81\x80" + query[4:]):
        with pytest.raises(TimeoutError):
            server.raw(silent, 0.1)
    assert server.event("not-a-query") == 4
    assert server.raw(query[:2] + b"\x28\x00" + query[4:])[3] & 0xF == dns.rcode.NOTIMP
    assert server.ask("v4only.example", "AAAA").answer


@pytest.fixture
def patient(upstream: Upstream) -> Iterator[Running]:
    """Whatever one client asks."""
    with dns64(upstream, limits=Limits(client_per_second=0)) as made:
        yield made


def test_damaged_datagrams_by_the_thousand_change_nothing(patient: Running, rng: random.Random) -> None:
    server = patient
    good = dns.message.make_query("v4only.example", "AAAA", use_edns=0).to_wire()
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        for number in range(5000):
            if number % 50 == 0:
                # Answered in between, and so as many as the socket's buffer holds.
                assert addresses(server.ask("v4only.example", "AAAA")) == ["2001:db8:64:64::c633:6450"]
            damaged = bytearray(good if rng.random() < 0.8 else rng.randbytes(rng.randrange(600)))
            for _ in range(rng.randrange(1, 4)):
                if damaged:
                    damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            client.sendto(
                damaged[: rng.randrange(len(damaged) + 1)] if rng.random() < 0.3 else damaged, (LOOPBACK, server.port)
            )
    assert server.loop.errors == 0


def test_without_rd_only_what_is_known_is_answered(server: Running) -> None:
    assert server.ask("v4only.example", "A", flags=0).rcode() == dns.rcode.REFUSED
    server.ask("v4only.example", "A")
    assert server.ask("v4only.example", "A", flags=0).answer


def test_edns_of_an_unknown_version_is_refused(server: Running) -> None:
    answer = server.ask("v4only.example", "A", use_edns=1)
    assert answer.rcode() == dns.rcode.BADVERS


def test_a_validating_client_gets_the_truth(server: Running, upstream: Upstream) -> None:
    validating = server.ask("v4only.example", "AAAA", want_dnssec=True, flags=dns.flags.RD | dns.flags.CD)
    assert not validating.answer and validating.flags & dns.flags.CD
    assert upstream.queries[-1].flags & dns.flags.CD and upstream.queries[-1].ednsflags & dns.flags.DO
    understanding = server.ask("v4only.example", "AAAA", want_dnssec=True)
    assert addresses(understanding) and not understanding.flags & dns.flags.AD


def test_checking_disabled_alone_is_no_reason_to_use_unchecked_data(server: Running, upstream: Upstream) -> None:
    assert addresses(server.ask("v4only.example", "AAAA", flags=dns.flags.RD | dns.flags.CD))
    asked = [(str(q.question[0]).split()[-1], bool(q.flags & dns.flags.CD)) for q in upstream.queries]
    assert asked == [("AAAA", True), ("AAAA", False), ("A", False)]


def test_ad_passes_from_a_trusted_upstream_only_to_who_asks_for_it(upstream: Upstream) -> None:
    plain = zone(RECORDS)

    def authentic(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
        return [(0, out[:3] + bytes([out[3] | 0x20]) + out[4:]) for _, out in plain(query, tcp)]

    upstream.script = authentic
    with dns64(upstream) as server:
        assert server.ask("dual.example", "AAAA", flags=dns.flags.RD | dns.flags.AD).flags & dns.flags.AD
        assert not server.ask("dual.example", "AAAA", flags=dns.flags.RD).flags & dns.flags.AD
        assert server.ask("dual.example", "AAAA", want_dnssec=True).flags & dns.flags.AD
        assert server.ask("v4only.example", "AAAA", want_dnssec=True).flags & dns.flags.AD
        assert not server.ask("v4only.example", "AAAA", flags=dns.flags.RD | dns.flags.AD).flags & dns.flags.AD
    with dns64(upstream, upstreams=(replace(upstream.server, trust_ad=False),)) as server:
        assert not server.ask("dual.example", "AAAA", want_dnssec=True).flags & dns.flags.AD


def test_a_deaf_aaaa_still_leads_to_an_address(upstream: Upstream, server: Running) -> None:
    plain = zone(RECORDS)
    upstream.script = lambda query, tcp: [] if query.question[0].rdtype == 28 else plain(query, tcp)
    before = time.monotonic()
    answer = server.ask("v4only.example", "AAAA")
    assert addresses(answer) == ["2001:db8:64:64::c633:6450"] and answer.answer[0].ttl == 600
    # The A was fetched meanwhile, and the failure is remembered.
    assert time.monotonic() - before < 4
    before = time.monotonic()
    server.ask("v4only.example", "AAAA")
    assert time.monotonic() - before < 1.5


def test_servfail_of_aaaa_and_of_both(upstream: Upstream, server: Running) -> None:
    plain = zone(RECORDS)

    def script(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
        if query.question[0].rdtype == 28 or b"\x06broken" in query.to_wire():
            return [(0, packed(reply(query, rcode=2), query, tcp))]
        return plain(query, tcp)

    upstream.script = script
    assert addresses(server.ask("v4only.example", "AAAA")) == ["2001:db8:64:64::c633:6450"]
    assert server.ask("broken.example", "AAAA").rcode() == dns.rcode.SERVFAIL


def test_reload_changes_prefixes_at_once_and_keeps_the_cache(upstream: Upstream, server: Running) -> None:
    server.ask("v4only.example", "AAAA")
    changed = replace(server.server.settings, pref64=(Pref64(IPv6Network("2001:db8:99::/96")),))
    server.do(lambda: server.server.reload(changed))
    assert addresses(server.ask("v4only.example", "AAAA")) == ["2001:db8:99::c633:6450"]
    assert len(upstream.asked) == 2


def test_an_address_that_is_not_there_yet_can_be_listened_on(upstream: Upstream) -> None:
    base = settings_for(upstream).listen
    absent = (Listen(IPv4Address("192.0.2.99"), base[0].port), Listen(IPv6Address("2001:db8:99::1"), base[0].port))
    with dns64(upstream, listen=base + absent) as server:
        assert server.ask("v4only.example", "A").answer
        # And one that is no longer wanted is left.
        server.do(lambda: server.server.reload(replace(server.server.settings, listen=base)))
        assert server.server.document()["listen"] == [f"{LOOPBACK}#{base[0].port}"]
        assert server.ask("v4only.example", "A").answer


def test_reload_that_cannot_listen_changes_nothing(upstream: Upstream, server: Running) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind((LOOPBACK, 0))
        listen = (
            *server.server.settings.listen,
            replace(server.server.settings.listen[0], port=taken.getsockname()[1]),
        )
        errors: list[OSError] = []

        def attempt() -> None:
            try:
                server.server.reload(replace(server.server.settings, listen=listen, pref64=()))
            except OSError as error:
                errors.append(error)

        server.do(attempt)
        assert "UDP" in str(errors[0]) and LOOPBACK in str(errors[0])
    assert addresses(server.ask("v4only.example", "AAAA")) == ["2001:db8:64:64::c633:6450"]
