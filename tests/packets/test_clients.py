# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What one client gets (RFC 6888 §3): port blocks, limits, pools by source and by mark; and nothing of what others use."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from scapy.layers.inet import IP, TCP, UDP

from tests.packets.build import assert_checksums, tcp4, tcp6, udp4, udp6
from tests.packets.harness import PHONE, POOL, Bench, Outcome, nat64_settings
from v6native.config.model import PortRange, Proto
from v6native.dataplane import abi
from v6native.dataplane.shared import SharedArray
from v6native.desired.dataplane import Identity, Limits, PoolGroup, PoolRange

HOLD_DOWN = 120
OTHER = "2001:db8:64:2::5"
ADDRESS_UNREACHABLE = b"\x01\x03"
POOL2 = IPv4Address("203.0.113.2")


def port_of(out: Outcome) -> int:
    packet = IP(out.packet)
    return int((packet[TCP] if TCP in packet else packet[UDP]).sport)


def blocks(bench: Bench) -> list[abi.PortBlock]:
    with SharedArray(bench.plane.generation().maps["nat64"]["blocks"], abi.PortBlock) as table:
        return [block for _index, block in table.walk(0, table.length) if block.owner]


def clients(bench: Bench) -> list[abi.Client]:
    with SharedArray(bench.plane.generation().maps["nat64"]["clients"], abi.Client) as table:
        return [client for _index, client in table.walk(0, table.length) if client.flags & abi.CLIENT_IN_USE]


def assert_refused(out: Outcome, reason: str) -> None:
    """RFC 6888 REQ-11 with RFC 6146 §3.5.1.1: destination unreachable, address unreachable."""
    assert (out.reason, out.packet[40:42]) == (reason, ADDRESS_UNREACHABLE)
    assert_checksums(out.packet)


def test_a_client_gets_its_ports_from_one_block(bench: Bench) -> None:
    bench.configure(nat64_settings(port_block=64))
    ports = [port_of(bench.nat64(tcp6(sport=1000 + n))) for n in range(64)]
    assert len(set(ports)) == 64 and max(ports) - min(ports) == 63
    assert min(ports) % 64 == 0
    (block,) = blocks(bench)
    assert (block.first, block.last, block.refs, list(block.used)) == (min(ports), max(ports), 64, [64, 0, 0])


def test_the_block_serves_all_protocols_and_the_next_one_follows(bench: Bench) -> None:
    bench.configure(nat64_settings(port_block=16))
    tcp = {port_of(bench.nat64(tcp6(sport=1000 + n))) // 16 for n in range(16)}
    udp = {port_of(bench.nat64(udp6(sport=1000 + n))) // 16 for n in range(16)}
    assert tcp == udp and len(tcp) == 1
    assert port_of(bench.nat64(tcp6(sport=2000))) // 16 not in tcp
    assert len(blocks(bench)) == 2 and len({bytes(b.address) for b in blocks(bench)}) == 1


def test_clients_have_blocks_of_their_own(bench: Bench) -> None:
    """A /64 is one client: two hosts in it share, another /64 does not."""
    bench.configure(nat64_settings(port_block=256))
    mine = {port_of(bench.nat64(tcp6(src=f"2001:db8:64:1::{n:x}"))) >> 8 for n in range(1, 20)}
    other = port_of(bench.nat64(tcp6(src=OTHER))) >> 8
    assert len(mine) == 1 and other not in mine
    assert [c.ports[0] for c in clients(bench)] == [19, 1]


def test_how_many_bits_are_one_client_is_configured(bench: Bench) -> None:
    bench.configure(nat64_settings(client_prefix=128))
    bench.nat64(tcp6(src="2001:db8:64:1::1"))
    bench.nat64(tcp6(src="2001:db8:64:1::2"))
    assert {(bytes(c.address)[-1], c.len) for c in clients(bench)} == {(1, 128), (2, 128)}


def test_a_tunnel_client_is_one_client_with_both_of_its_addresses(bench: Bench) -> None:
    own, clat = "2001:db8:64:a::2", "2001:db8:64:a:64::6440:2"
    who = tuple(Identity(IPv6Network(a), IPv6Address(own)) for a in (own, clat))
    bench.configure(nat64_settings(identities=who, limits=Limits(ports=2)))
    assert bench.nat64(udp6(src=own)).reason == bench.nat64(udp6(src=clat)).reason == "TRANSLATED_6TO4"
    assert_refused(bench.nat64(udp6(src=own, sport=7777)), "CLIENT_PORTS")
    assert bench.nat64(udp6(src="2001:db8:64:a::3")).reason == "TRANSLATED_6TO4", "others are not touched"
    assert {(str(IPv6Address(bytes(c.address))), c.len) for c in clients(bench)} == {
        (own, 128),
        ("2001:db8:64:a::", 64),
    }


def test_the_limit_of_ports_counts_each_protocol(bench: Bench) -> None:
    bench.configure(nat64_settings(limits=Limits(ports=3)))
    for n in range(3):
        assert bench.nat64(tcp6(sport=1000 + n)).reason == "TRANSLATED_6TO4"
    assert_refused(bench.nat64(tcp6(sport=1003)), "CLIENT_PORTS")
    assert bench.nat64(udp6(sport=1003)).reason == "TRANSLATED_6TO4"
    assert bench.nat64(tcp6(sport=1000, dport=8080)).reason == "TRANSLATED_6TO4", "no new port, no limit"
    bench.advance(1000)
    bench.sweep()
    assert bench.nat64(tcp6(sport=1003)).reason == "TRANSLATED_6TO4", "ports that ended are given back"


def test_the_limit_of_sessions(bench: Bench) -> None:
    bench.configure(nat64_settings(limits=Limits(sessions=8)))
    for n in range(8):
        assert bench.nat64(udp6(dport=1 + n)).reason == "TRANSLATED_6TO4"
    assert_refused(bench.nat64(udp6(dport=100)), "CLIENT_SESSIONS")
    assert bench.nat64(udp6(dport=1)).reason == "TRANSLATED_6TO4", "those that are there go on"
    assert bench.nat64(udp6(src=OTHER, dport=100)).reason == "TRANSLATED_6TO4"
    assert sorted(c.sessions for c in clients(bench)) == [1, 8]
    bench.advance(1000)
    bench.sweep()
    assert [c.sessions for c in clients(bench)] == [0, 0], "and the count comes back to zero"


def test_a_flood_from_outside_leaves_a_client_a_share_of_its_sessions(bench: Bench) -> None:
    bench.configure(nat64_settings(limits=Limits(sessions=8)))
    port = port_of(bench.nat64(udp6()))
    reasons = [bench.nat64(udp4(src=f"198.51.100.{n}", dport=port)).reason for n in range(1, 10)]
    assert reasons.count("TRANSLATED_4TO6") == 5 and reasons[5:] == ["CLIENT_SESSIONS"] * 4
    assert bench.nat64(udp6(dport=4242)).reason == "TRANSLATED_6TO4"


def test_the_limit_of_new_sessions_a_second(bench: Bench) -> None:
    bench.configure(nat64_settings(limits=Limits(rate=4)))
    bench.advance(1 - (bench.now() % 1) + 0.1)
    for n in range(4):
        assert bench.nat64(udp6(dport=1 + n)).reason == "TRANSLATED_6TO4"
    assert_refused(bench.nat64(udp6(dport=100)), "CLIENT_RATE")
    assert bench.nat64(udp6(src=OTHER, dport=100)).reason == "TRANSLATED_6TO4"
    bench.advance(1)
    assert bench.nat64(udp6(dport=100)).reason == "TRANSLATED_6TO4"


def test_one_client_cannot_take_what_others_use(bench: Bench) -> None:
    """It takes all that its limit allows, then the others still get theirs."""
    bench.configure(nat64_settings(pool=((POOL, 40000, 41023),), port_block=64, limits=Limits(ports=256)))
    greedy = [bench.nat64(udp6(sport=1 + n)).reason for n in range(400)]
    assert greedy == ["TRANSLATED_6TO4"] * 256 + ["CLIENT_PORTS"] * 144
    for host in range(2, 5):
        for n in range(64):
            assert bench.nat64(udp6(src=f"2001:db8:64:{host:x}::1", sport=1 + n)).reason == "TRANSLATED_6TO4"


def test_a_block_is_held_down_before_another_client_gets_it(bench: Bench) -> None:
    """RFC 6888 REQ-8: 120 s after its last mapping ended."""
    bench.configure(nat64_settings(pool=((POOL, 40000, 40015),), port_block=16))
    assert bench.nat64(udp6()).reason == "TRANSLATED_6TO4"
    bench.advance(301)
    bench.sweep()
    assert bench.bib() == [] and len(blocks(bench)) == 1
    assert_refused(bench.nat64(udp6(src=OTHER)), "POOL4_EXHAUSTED")
    assert bench.nat64(udp6()).reason == "TRANSLATED_6TO4", "its own client may use it"
    bench.advance(301)
    bench.sweep()
    bench.advance(HOLD_DOWN - 2)
    bench.sweep()
    assert_refused(bench.nat64(udp6(src=OTHER)), "POOL4_EXHAUSTED")
    bench.advance(3)
    bench.sweep()
    assert blocks(bench) == [] and clients(bench) == []
    assert bench.nat64(udp6(src=OTHER)).reason == "TRANSLATED_6TO4"


def test_blocks_can_be_off(bench: Bench) -> None:
    bench.configure(nat64_settings(port_block=0))
    ports = {port_of(bench.nat64(tcp6(sport=1000 + n))) for n in range(64)}
    assert len(ports) == 64 and max(ports) - min(ports) > 1024
    assert blocks(bench) == []


def test_a_block_is_cut_to_its_range(bench: Bench) -> None:
    bench.configure(nat64_settings(pool=((POOL, 40010, 40100),), port_block=64))
    ports = {port_of(bench.nat64(tcp6(sport=1 + n))) for n in range(91)}
    assert ports == set(range(40010, 40101))
    assert bench.nat64(tcp6(sport=5000)).reason == "POOL4_EXHAUSTED"
    assert sorted((b.first, b.last) for b in blocks(bench)) == [(40010, 40063), (40064, 40100)]


def test_ranges_for_one_protocol(bench: Bench) -> None:
    pool = (
        PoolRange(POOL, PortRange(20000, 20999), False, frozenset({Proto.TCP})),
        PoolRange(POOL, PortRange(30000, 30999), False, frozenset({Proto.UDP, Proto.ICMP})),
    )
    bench.configure(replace(nat64_settings(), pool=pool))
    assert 20000 <= port_of(bench.nat64(tcp6())) <= 20999
    assert 30000 <= port_of(bench.nat64(udp6())) <= 30999


def test_pools_by_source_and_by_mark(bench: Bench) -> None:
    second, third = POOL2, IPv4Address("203.0.113.3")
    pool = (
        PoolRange(POOL, PortRange(1024, 65535), False),
        PoolRange(second, PortRange(1024, 65535), False, group=1),
        PoolRange(third, PortRange(1024, 65535), False, group=2),
    )
    settings = replace(
        nat64_settings(),
        pool=pool,
        groups=(PoolGroup(), PoolGroup(), PoolGroup(0x10, 0xF0)),
        identities=(Identity(IPv6Network("2001:db8:64:2::/64"), group=1),),
    )
    bench.configure(settings)
    assert IP(bench.nat64(udp6(sport=1)).packet).src == str(POOL)
    assert IP(bench.nat64(udp6(src=OTHER, sport=1)).packet).src == str(second)
    assert IP(bench.nat64(udp6(sport=2), mark=0x1F).packet).src == str(third)
    assert IP(bench.nat64(udp6(src=OTHER, sport=2), mark=0x10).packet).src == str(third), "the mark comes first"
    assert IP(bench.nat64(udp6(sport=1), mark=0x10).packet).src == str(POOL), "a binding stays (RFC 4787 REQ-1)"
    assert IP(bench.nat64(udp6(sport=3), mark=0x20).packet).src == str(POOL)


@pytest.mark.parametrize("shared", [False, True])
def test_a_block_of_a_range_that_was_removed_takes_nothing_new(bench: Bench, shared: bool) -> None:
    bench.configure(nat64_settings(shared=shared))
    old = port_of(bench.nat64(tcp6(sport=1)))
    bench.configure(nat64_settings(pool=(("203.0.113.2", 1024, 65535),), shared=shared, own4=[str(POOL)]))
    assert IP(bench.nat64(tcp6(sport=2)).packet).src == "203.0.113.2"
    assert port_of(bench.nat64(tcp6(sport=1))) == old, "what was there goes on"


def test_a_block_of_a_range_that_serves_others_now_takes_nothing_new(bench: Bench) -> None:
    """Two pools change places, or a range takes one protocol only: a client's block of before is not of its pool any more."""
    one, two = PoolRange(POOL, PortRange(1024, 65535), False), PoolRange(POOL2, PortRange(1024, 65535), False, group=1)
    before = replace(nat64_settings(), pool=(one, two), groups=(PoolGroup(), PoolGroup(0x10, 0xF0)))
    for after in ((replace(one, group=1), replace(two, group=0)), (replace(one, protos=frozenset({Proto.UDP})), two)):
        bench.reset()
        bench.configure(before)
        old = port_of(bench.nat64(tcp6(sport=1)))
        bench.configure(replace(before, pool=after))
        new = bench.nat64(tcp6(sport=2))
        assert new.reason == "POOL4_EXHAUSTED" or IP(new.packet).src == str(POOL2)
        assert port_of(bench.nat64(tcp6(sport=1))) == old, "what was there goes on"


def test_another_size_of_blocks_ends_the_sessions(bench: Bench) -> None:
    bench.configure(nat64_settings(port_block=64))
    bench.nat64(tcp6())
    bench.configure(nat64_settings(port_block=128))
    assert bench.bib() == []
    assert bench.nat64(tcp4(5000, "A")).reason == "NO_BIB_TCP"
    bench.nat64(tcp6("S"))
    assert sorted(b.last - b.first + 1 for b in blocks(bench)) == [64, 128]


def test_one_socket_is_one_port_under_each_pref64(bench: Bench) -> None:
    bench.configure(nat64_settings())
    assert bench.nat64(udp6()).reason == "TRANSLATED_6TO4"
    assert [c.ports[1] for c in clients(bench)] == [1]
    assert bench.bib()[0].address6 == PHONE
