# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the NAT64 tells of who has which ports (RFC 6888 §4): blocks, or bindings where there are none; no destination."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv6Address, IPv6Network

import pytest

from tests.packets.build import tcp6, udp6
from tests.packets.harness import POOL, SERVER, Bench, nat64_settings
from tests.packets.test_clients import HOLD_DOWN, OTHER, port_of
from tests.system.dataplane.injector import injector
from tests.unit.log.events import block
from v6native.config.model import PortRange, Proto
from v6native.dataplane import abi
from v6native.dataplane.log_events import ALL_PROTOS, LAYOUT, LOST, LogEvent, LogKind, parse
from v6native.dataplane.log_source import holdings
from v6native.dataplane.ring import RingBuffer
from v6native.desired.dataplane import Identity, StaticEntry


class Ring:
    """The events since the last look, with the bytes of their records."""

    def __init__(self, bench: Bench) -> None:
        self.ring = RingBuffer(bench.plane.generation().maps["nat64"]["log_events"])
        self.raw = b""
        self.events()

    def events(self) -> list[LogEvent]:
        records, position = self.ring.read(self.ring.position, 100_000)
        self.ring.release(position)
        self.raw = b"".join(records)
        return list(parse(records))


@pytest.fixture
def ring(bench: Bench) -> Iterator[Ring]:
    # The first settings may bring maps of another size, and another ring.
    bench.configure(nat64_settings())
    made = Ring(bench)
    yield made
    made.ring.close()


def network(event: LogEvent) -> str:
    return str(IPv6Network((event.client, event.client_len)))


def test_the_record_is_the_kernels() -> None:
    """The parser's layout, field by field (the struct itself is held against BTF in unit/dataplane/test_abi)."""
    values = (1, 2, bytes(range(16)), bytes(range(4)), 5, 6, 7, LogKind.BIB_CREATED, 9, 10)
    record = abi.LogEvent(*values)
    assert bytes(record) == LAYOUT.pack(*values)


def test_a_block_is_told_once_for_all_its_flows(bench: Bench, ring: Ring) -> None:
    bench.configure(nat64_settings(port_block=64, log=True))
    ports = [port_of(bench.nat64(tcp6(sport=1000 + n))) for n in range(20)]
    (taken,) = ring.events()
    assert (taken.kind, taken.proto, network(taken)) == (LogKind.BLOCK_TAKEN, ALL_PROTOS, "2001:db8:64:1::/64")
    assert (taken.address4, taken.first, taken.last) == (POOL.packed, ports[0] // 64 * 64, ports[0] // 64 * 64 + 63)
    assert taken.began_ns == taken.time_ns and abs(taken.time_ns / 1e9 - bench.now()) < 1
    assert SERVER.packed not in ring.raw, "destinations are not logged"
    assert set(holdings(bench.plane.generation())) == {taken.holding}


def test_a_block_is_given_back_when_nobody_used_it_for_a_while(bench: Bench, ring: Ring) -> None:
    bench.configure(nat64_settings(log=True))
    bench.nat64(udp6())
    bench.nat64(udp6(src=OTHER))
    taken = ring.events()
    assert [network(event) for event in taken] == ["2001:db8:64:1::/64", "2001:db8:64:2::/64"]
    bench.advance(301)
    bench.sweep()
    assert ring.events() == []
    bench.advance(HOLD_DOWN + 1)
    bench.sweep()
    back = ring.events()
    assert [event.kind for event in back] == [LogKind.BLOCK_GIVEN_BACK] * 2
    assert {event.holding for event in back} == {event.holding for event in taken}
    assert back[0].time_ns - back[0].began_ns >= 400 * 10**9
    assert list(holdings(bench.plane.generation())) == []


def test_a_tunnels_client_is_told_by_its_own_address(bench: Bench, ring: Ring) -> None:
    own, clat = "2001:db8:64:a::2", "2001:db8:64:a:64::6440:2"
    who = tuple(Identity(IPv6Network(a), IPv6Address(own)) for a in (own, clat))
    bench.configure(replace(nat64_settings(log=True), identities=who))
    bench.nat64(udp6(src=clat))
    (taken,) = ring.events()
    assert network(taken) == f"{own}/128"


def test_a_block_at_the_edge_of_the_pool_is_told_as_it_is(bench: Bench, ring: Ring) -> None:
    bench.configure(nat64_settings(pool=((POOL, 40010, 40020),), port_block=64, log=True))
    bench.nat64(udp6())
    (taken,) = ring.events()
    assert (taken.first, taken.last) == (40010, 40020)


def test_without_blocks_each_binding_is_told(bench: Bench, ring: Ring) -> None:
    bench.configure(nat64_settings(port_block=0, log=True))
    port = port_of(bench.nat64(udp6(sport=4000)))
    bench.nat64(udp6(sport=4000, dport=54))
    (created,) = ring.events()
    assert (created.kind, created.proto, network(created)) == (LogKind.BIB_CREATED, 1, "2001:db8:64:1::5/128")
    assert (created.address4, created.first, created.last, created.port6) == (POOL.packed, port, port, 4000)
    assert SERVER.packed not in ring.raw
    assert set(holdings(bench.plane.generation())) == {created.holding}
    bench.advance(301)
    bench.sweep()
    (deleted,) = ring.events()
    assert (deleted.kind, deleted.holding) == (LogKind.BIB_DELETED, created.holding)
    assert list(holdings(bench.plane.generation())) == []


def test_static_entries_are_not_told(bench: Bench, ring: Ring) -> None:
    """The file has them; nobody creates or deletes them."""
    web = StaticEntry(Proto.TCP, POOL, 80, IPv6Address("2001:db8:64:1::5"), 80)
    bench.configure(nat64_settings(static=(web,), log=True, port_block=0))
    bench.nat64(tcp6(sport=80))
    assert ring.events() == [] and list(holdings(bench.plane.generation())) == []


@pytest.mark.parametrize("port_block", [0, 256])
def test_nothing_is_told_where_nobody_shall_know(bench: Bench, ring: Ring, port_block: int) -> None:
    bench.configure(nat64_settings(port_block=port_block))
    bench.nat64(udp6())
    bench.advance(301 + HOLD_DOWN + 1)
    bench.sweep()
    bench.sweep()
    assert ring.events() == []


def test_a_full_ring_stops_no_packet_and_is_counted(bench: Bench, ring: Ring) -> None:
    bench.configure(nat64_settings(log=True))
    with injector(bench.plane.generation().maps["nat64"]["log_events"]) as source:
        source.fill(block(0))
    out = bench.nat64(udp6())
    assert (out.reason, out.noted) == ("TRANSLATED_6TO4", {LOST: 1})
    assert {event.kind for event in ring.events()} == {LogKind.BLOCK_TAKEN}
    assert bench.nat64(udp6(src=OTHER)).noted == {}
    (taken,) = ring.events()
    assert network(taken) == "2001:db8:64:2::/64"


def test_a_range_of_its_own_for_a_protocol(bench: Bench, ring: Ring) -> None:
    """Two ranges in one window of ports are never a client's at the same time."""
    settings = nat64_settings(log=True)
    (whole,) = settings.pool
    parts = (
        replace(whole, ports=PortRange(40000, 40015), protos=frozenset({Proto.TCP})),
        replace(whole, ports=PortRange(40016, 40063), protos=frozenset({Proto.UDP})),
    )
    bench.configure(replace(settings, pool=parts, port_block=16))
    bench.nat64(tcp6())
    bench.nat64(udp6(src=OTHER))
    tcp, udp = ring.events()
    assert (tcp.first, tcp.last) == (40000, 40015)
    assert udp.first >= 40016
