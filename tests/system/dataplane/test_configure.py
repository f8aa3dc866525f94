# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A reload beside running flows: what drains, what ends at once, what makes way (issue: reload drops no session)."""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import IPv4Address

import pytest

from tests.packets.books import audit
from tests.packets.harness import PHONE, POOL, SERVER, Bench
from tests.system.dataplane.conftest import Open
from tests.system.dataplane.flows import CONFIG, answered_to, nat64, open_flow, send, syn4, syn6, udp4, udp6
from v6native.config.model import Proto, Timeouts
from v6native.dataplane import ending
from v6native.dataplane.door import TcpState
from v6native.dataplane.kernel import KernelDataPlane
from v6native.dataplane.shared import grace_period
from v6native.desired.dataplane import StaticEntry
from v6native.errors import DataPlaneError

WEB = StaticEntry(Proto.TCP, POOL, 80, PHONE, 8080)
DNS = StaticEntry(Proto.UDP, POOL, 53, PHONE, 5353)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come to be within 10 s"
        time.sleep(0.02)


@pytest.fixture
def plane(open_plane: Open) -> KernelDataPlane:
    plane = open_plane()
    plane.configure(CONFIG)
    return plane


def test_sessions_on_a_removed_pool_address_go_on(plane: KernelDataPlane) -> None:
    port = open_flow(plane, 5000)
    plane.configure(nat64(pool=[("203.0.113.9", 1024, 65535)]))
    assert send(plane, udp4(port)) == "TRANSLATED_4TO6"
    assert send(plane, udp6(5000)) == "TRANSLATED_6TO4"
    assert send(plane, udp6(5001)) == "TRANSLATED_6TO4"
    assert {str(e.address4) for e in plane.bib()} == {str(POOL), "203.0.113.9"}


@pytest.mark.parametrize(
    ("pool", "own4", "goes_on"),
    [
        ([("192.0.2.9", 1024, 65535)], ["192.0.2.9"], False),
        ([("192.0.2.9", 1024, 65535)], ["192.0.2.9", str(POOL)], True),
        ([], [], True),
    ],
    ids=["replaced", "still-there", "gone-for-now"],
)
def test_sessions_on_a_shared_address(
    open_plane: Open, pool: list[tuple[str, int, int]], own4: list[str], goes_on: bool
) -> None:
    """They end when the uplink has another address in its place: no answer would come, and the mapping would live on."""
    plane = open_plane()
    plane.configure(nat64(shared=True, own4=[str(POOL)]))
    port = open_flow(plane, 5000)
    plane.configure(nat64(shared=True, pool=pool, own4=own4))
    assert send(plane, udp4(port)) == ("TRANSLATED_4TO6" if goes_on else "NOT_POOL4")
    if not goes_on:
        open_flow(plane, 5000)
        assert {str(e.address4) for e in plane.bib()} == {"192.0.2.9"}


def test_sessions_of_a_source_no_longer_allowed_end_at_once(plane: KernelDataPlane) -> None:
    port = open_flow(plane, 5000)
    assert send(plane, syn6(5001)) == "TRANSLATED_6TO4"
    tcp = next(e.port4 for e in plane.bib() if e.port6 == 5001)
    assert send(plane, syn4(tcp)) == "TRANSLATED_4TO6"
    assert TcpState.ESTABLISHED in {s.state for s in plane.sessions()}
    plane.configure(nat64(sources=["2001:db8:1::/48"]))
    assert (list(plane.sessions()), list(plane.bib())) == ([], [])
    assert send(plane, udp4(port)) == "NO_BIB_UDP"
    assert send(plane, udp6(5000)) == "SOURCE_NOT_ALLOWED"
    until(lambda: plane.totals().sessions == 0 and plane.totals().bib == 0)
    plane.configure(CONFIG)
    for source_port in range(5000, 5050):
        open_flow(plane, source_port)
    assert plane.totals().sessions == len(list(plane.sessions())) == 50
    assert len({e.port4 for e in plane.bib()}) == 50


def test_ending_by_choice(plane: KernelDataPlane) -> None:
    ports = {p: open_flow(plane, p) for p in range(5000, 5010)}
    assert plane.end_sessions(lambda entry: entry.port6 < 5005) == 5
    assert sorted(s.port6 for s in plane.sessions()) == [5005, 5006, 5007, 5008, 5009]
    assert send(plane, udp4(ports[5000])) == "NO_BIB_UDP"
    assert answered_to(plane, udp4(ports[5009])) == (str(PHONE), 5009)
    until(lambda: plane.totals().sessions == 5)


def test_a_static_entry_for_a_host_that_talks(open_plane: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its packets go on coming while the entry is made: none opens another that would outlive it, or end it."""
    plane = open_plane()
    plane.configure(nat64(timeout=Timeouts(udp=1)))
    open_flow(plane, 5353)

    def meanwhile() -> None:
        assert send(plane, udp6(5353)) == "TRANSLATED_6TO4"
        grace_period()

    monkeypatch.setattr(ending, "grace_period", meanwhile)
    plane.configure(nat64(timeout=Timeouts(udp=1), static=[DNS]))
    until(lambda: plane.totals().bib == 1)
    assert Bench(plane).nat64(udp6(5353)).packet[20:22] == (53).to_bytes(2, "big")
    assert answered_to(plane, udp4(53)) == (str(PHONE), 5353)
    assert audit(plane.generation()) == []


def test_filtering_that_begins_knows_to_whom_the_hosts_speak(open_plane: Open) -> None:
    """By a reload, and by another size of the table, into which the sessions are brought."""
    plane = open_plane()
    plane.configure(CONFIG)
    port = open_flow(plane, 5000)
    for settings in (nat64(address_dependent=True), nat64(address_dependent=True, sessions=2048)):
        plane.configure(settings)
        assert send(plane, udp4(port, 54)) == "TRANSLATED_4TO6"
        assert send(plane, udp4(port, 53, "198.51.100.99")) == "FILTERED"
        assert audit(plane.generation()) == []


def test_sessions_to_a_destination_that_is_closed_end(plane: KernelDataPlane) -> None:
    port = open_flow(plane, 5000)
    plane.configure(nat64(static=[DNS]))
    assert send(plane, udp4(53)) == "TRANSLATED_4TO6", "from outside to a static entry, which stays open"
    closed = nat64(static=[DNS], refused4=["198.51.0.0/16"], open4=["198.51.1.0/24"])
    plane.configure(closed)
    until(lambda: plane.totals().sessions == 1)
    assert send(plane, udp6(5000)) == "DESTINATION_REFUSED"
    assert send(plane, udp4(port)) == "NO_BIB_UDP"
    assert send(plane, udp4(53)) == "TRANSLATED_4TO6"
    plane.configure(nat64(static=[DNS], refused4=["198.51.0.0/16"], open4=[f"{SERVER}/32"]))
    open_flow(plane, 5000)
    plane.configure(nat64(static=[DNS], refused4=["198.50.0.0/16"]))
    assert plane.totals().sessions == 2


def test_sessions_that_expire_while_their_entry_is_ended(open_plane: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    plane = open_plane()
    plane.configure(nat64(timeout=Timeouts(udp=1)))
    for port in range(5000, 5010):
        open_flow(plane, port)

    def longer_than_the_sessions() -> None:
        grace_period()
        until(lambda: plane.totals().sessions == 0)

    monkeypatch.setattr(ending, "grace_period", longer_than_the_sessions)
    assert plane.end_sessions(lambda entry: True) == 10
    until(lambda: plane.totals().bib == 0)
    assert audit(plane.generation()) == []


def test_static_entries_come_and_go(plane: KernelDataPlane) -> None:
    assert send(plane, syn4(80)) == "SYN_STORED"
    plane.configure(nat64(static=[WEB, DNS]))
    assert plane.pending(nat64(static=[WEB, DNS])) == ()
    assert send(plane, syn4(80)) == "TRANSLATED_4TO6"
    assert answered_to(plane, udp4(53)) == (str(PHONE), 5353)
    assert {(e.proto, e.port4, e.port6, e.sessions) for e in plane.bib() if e.static} == {
        (Proto.TCP, 80, 8080, 1),
        (Proto.UDP, 53, 5353, 1),
    }
    plane.configure(nat64(static=[DNS]))
    assert send(plane, syn4(80)) == "SYN_STORED"
    assert [s.proto for s in plane.sessions()] == [Proto.UDP]
    until(lambda: plane.totals().sessions == 1)
    plane.configure(nat64(static=[WEB, DNS]))
    assert send(plane, syn4(80)) == "TRANSLATED_4TO6"
    assert plane.totals().bib == 2


def test_a_slot_waits_for_the_sessions_of_its_last_owner(plane: KernelDataPlane) -> None:
    """Removed and added again before the sweep: the old session's end must not count against the new entry."""
    for _round in range(20):
        plane.configure(nat64(static=[WEB]))
        assert send(plane, syn4(80)) == "TRANSLATED_4TO6"
        plane.configure(CONFIG)
    plane.configure(nat64(static=[WEB]))
    assert send(plane, syn4(80)) == "TRANSLATED_4TO6"
    until(lambda: plane.totals().sessions == 1)
    assert [(e.port4, e.sessions) for e in plane.bib()] == [(80, 1)]


def test_a_static_entry_displaces_a_flow(plane: KernelDataPlane) -> None:
    port = open_flow(plane, 5353)
    other = open_flow(plane, 6000)
    plane.configure(nat64(static=[DNS, StaticEntry(Proto.UDP, POOL, other, PHONE, 7000)]))
    assert answered_to(plane, udp4(53)) == (str(PHONE), 5353)
    assert send(plane, udp4(port)) == "NO_BIB_UDP"
    assert answered_to(plane, udp4(other)) == (str(PHONE), 7000)
    assert send(plane, udp6(5353)) == "TRANSLATED_6TO4"
    # Both directions are one session: the two flows that made way are collected.
    assert [(s.port4, s.bytes_6to4 > 0) for s in plane.sessions() if s.port6 == 5353] == [(53, True)]
    until(lambda: plane.totals().sessions == 2)


def test_a_dynamic_entry_never_takes_a_static_ones_port(plane: KernelDataPlane) -> None:
    plane.configure(
        nat64(pool=[(POOL, 2000, 2003)], static=[StaticEntry(Proto.UDP, POOL, p, PHONE, p) for p in (2000, 2001, 2002)])
    )
    assert open_flow(plane, 5001) == 2003
    assert send(plane, udp6(5002)) == "POOL4_EXHAUSTED"


def test_too_much_changes_nothing(plane: KernelDataPlane) -> None:
    before = dict(plane.generation().maps["nat64"]["sources"].items())
    many = [StaticEntry(Proto.TCP, IPv4Address("203.0.113.1"), p, PHONE, p) for p in range(1, 1026)]
    with pytest.raises(DataPlaneError, match="1025 static BIB entries"):
        plane.configure(nat64(static=many, sources=["2001:db8:7::/48"]))
    assert dict(plane.generation().maps["nat64"]["sources"].items()) == before
    plane.configure(nat64(static=many[:1024]))
    assert plane.totals().bib == 1024


def test_the_smallest_table_is_full(plane: KernelDataPlane) -> None:
    plane.configure(nat64(sessions=16))
    for source_port in range(5000, 5016):
        open_flow(plane, source_port)
    assert send(plane, udp6(6000)) == "TABLE_FULL"
    assert plane.totals().sessions == plane.totals().max_sessions == 16
