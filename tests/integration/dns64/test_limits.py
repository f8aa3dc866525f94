# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What one client may ask in a second, and that its excess is nobody else's."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from tests.integration.dns64.scripted import DEADLINE, Running, Upstream, addresses, dns64, zone
from tests.integration.dns64.test_service import RECORDS
from v6native.dns64.clients import Access, Clients
from v6native.dns64.settings import Limits, Pref64, View

MOST = 20
QUERY = dns.message.make_query("v4only.example", "AAAA").to_wire()


@pytest.fixture
def server() -> Iterator[Running]:
    with Upstream(zone(RECORDS)) as upstream, dns64(upstream, limits=Limits(client_per_second=MOST)) as made:
        yield made


def answers(server: Running, source: str, count: int) -> list[dns.message.Message]:
    """Those that come to `count` questions sent at once from that address."""
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind((source, 0))
        udp.settimeout(0.5)
        for _ in range(count):
            udp.sendto(QUERY, ("127.0.0.1", server.port))
        found = []
        try:
            while True:
                found.append(dns.message.from_wire(udp.recv(4096)))
        except TimeoutError:
            return found


def test_too_many_are_told_to_come_by_tcp_or_nothing(server: Running) -> None:
    server.ask("v4only.example", "AAAA")
    count = 10 * MOST
    got = answers(server, "127.0.0.2", count)
    told = [answer for answer in got if answer.flags & dns.flags.TC]
    whole = [answer for answer in got if addresses(answer)]
    # They may have come in two seconds.
    assert MOST <= len(whole) <= 2 * MOST and len(told) + len(whole) == len(got)
    assert (count - 2 * MOST) // 2 - 1 <= len(told) <= (count - MOST) // 2 + 1
    assert all(not answer.answer for answer in told)
    assert server.event("client-limited") == count - len(whole)
    assert addresses(server.ask("v4only.example", "AAAA")), "another client"


def test_by_tcp_too_many_are_refused(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), DEADLINE, ("127.0.0.3", 0)) as client:
        for _ in range(5 * MOST):
            client.sendall(len(QUERY).to_bytes(2, "big") + QUERY)
        rcodes = []
        while len(rcodes) < 5 * MOST:
            answer, _ = dns.query.receive_tcp(client, expiration=None)
            rcodes.append(answer.rcode())
    assert MOST <= rcodes.count(dns.rcode.NOERROR) <= 2 * MOST
    assert rcodes.count(dns.rcode.REFUSED) == 5 * MOST - rcodes.count(dns.rcode.NOERROR)


def test_without_a_limit_all_are_answered() -> None:
    with Upstream(zone(RECORDS)) as upstream, dns64(upstream, limits=Limits(client_per_second=0)) as server:
        server.ask("v4only.example", "AAAA")
        assert len(answers(server, "127.0.0.2", 100)) == 100


def test_who_is_one_client() -> None:
    """A /64 is; an address with a prefix of its own in the file; an IPv4 address."""
    clients = Clients(hash)
    everybody, one = Access(None), Access(None)
    allowed = [("2001:db8:a::7/128", one), ("2001:db8::/32", everybody), ("192.0.2.0/24", everybody)]
    clients.use([(ip_network(network), access) for network, access in allowed], 1)

    def same(a: str, b: str) -> bool:
        return clients.admit(a).asked is clients.admit(b).asked

    assert same("2001:db8:a::1", "2001:db8:a::2") and not same("2001:db8:a::1", "2001:db8:b::1")
    assert not same("2001:db8:a::1", "2001:db8:a::7") and clients.admit("2001:db8:a::7").access is one
    assert not same("192.0.2.1", "192.0.2.2")
    for n in range(40_000):
        clients.admit(str(ip_address("2001:db8:c::") + (n << 64)))
    assert len(clients.known) <= 16384, "memory is bounded"
    assert [clients.over(clients.admit("192.0.2.1")) for _ in range(3)] == [False, True, True]
    clients.next_second()
    assert not clients.over(clients.admit("192.0.2.1"))


def test_a_view_has_a_limit_of_its_own() -> None:
    view = View((ip_network("127.0.0.2/32"),), (Pref64(ip_network("2001:db8:65::/96")),))  # type: ignore[arg-type]
    with (
        Upstream(zone(RECORDS)) as upstream,
        dns64(upstream, views=(view,), limits=Limits(client_per_second=MOST)) as made,
    ):
        made.ask("v4only.example", "AAAA")
        got = [addresses(answer) for answer in answers(made, "127.0.0.2", MOST)]
        assert got == [["2001:db8:65::c633:6450"]] * MOST
