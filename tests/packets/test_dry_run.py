# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A dry run tells what the live program then does, at every limit too, and changes no table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from scapy.layers.inet import UDP
from scapy.packet import Raw

from tests.packets.build import clat4, clat6, echo4, echo6, icmp6, ip4, ip6, tcp4, tcp6, udp4, udp6, wire
from tests.packets.dry import same
from tests.packets.harness import (
    CLAT96,
    CLIENT6,
    PHONE,
    POOL,
    PREF64,
    SERVER,
    Bench,
    Outcome,
    nat64_settings,
    siit_settings,
)
from tests.packets.tables import changed, snapshot
from v6native.address import embed
from v6native.config.model import PortRange, Proto
from v6native.dataplane import abi
from v6native.dataplane.look import Fate
from v6native.desired.dataplane import Limits, StaticEntry
from v6native.errors import DataPlaneError

FRAG, HAIRPIN = 0x80000000, 0x18000000
HAIRPIN6 = embed(PREF64, POOL)


@pytest.fixture(autouse=True)
def _resting_sweep(bench: Bench) -> None:
    """The sweep would write between two looks at the tables."""
    bench.advance(1)


def port_of(out: Outcome) -> int:
    return int.from_bytes(out.packet[20:22], "big")


def many(packet: bytes, *numbers: range) -> Iterator[bytes]:
    """The packet with other numbers in its 16-bit words: source port, destination port, last of the source's address.

    The checksum stays as it is: nobody looks at it here.
    """
    places = (40, 42, 22) if packet[0] >> 4 == 6 else (20, 22, 14)
    for values in zip(*numbers, strict=True):
        changed = bytearray(packet)
        for place, value in zip(places, values, strict=False):
            changed[place : place + 2] = value.to_bytes(2, "big")
        yield bytes(changed)


def fragment6(offset: int, more: bool, data: bytes, protocol: int = 17, identification: int = 9) -> bytes:
    header = bytes([protocol, 0]) + (offset | more).to_bytes(2, "big") + identification.to_bytes(4, "big")
    return bytes(ip6(nh=44) / Raw(header + data))


def opened(bench: Bench, packet: bytes) -> int:
    """The pool's port of a flow that this packet opens."""
    out = bench.nat64(packet)
    assert out.reason == "TRANSLATED_6TO4"
    return port_of(out)


def packets(bench: Bench) -> Iterator[tuple[str, bytes, int]]:
    """Program, packet and mark; every kind of packet, with what is there before it in the tables."""
    udp, tcp = opened(bench, udp6(sport=5000)), opened(bench, tcp6("S", sport=5001))
    bench.nat64(tcp4(tcp, "SA"))
    bench.nat64(udp6(sport=5002, dst=HAIRPIN6, dport=udp))
    bench.nat64(wire(ip6() / echo6(identifier=77)))
    bench.nat64(fragment6(0, True, bytes.fromhex("13880035010000aa") + bytes(64)))
    bench.nat64(tcp4(30000, "S"))
    yield from (("nat64", packet, 0) for packet in (udp6(sport=5000), udp6(sport=6000), udp6(sport=5000, dport=99)))
    yield from (("nat64", tcp6(flags, sport=port), 0) for flags in ("A", "F", "R", "S") for port in (5001, 6001))
    yield from (("nat64", tcp4(port, flags), 0) for flags in ("S", "SA", "A", "FA", "R") for port in (tcp, 1, 30000))
    yield from (("nat64", udp4(port), 0) for port in (udp, udp + 1, 1))
    yield "nat64", udp4(udp, sport=999), 0
    yield "nat64", udp4(udp, src="10.0.0.1"), 0
    yield "nat64", wire(ip6() / echo6(identifier=77)), 0
    yield "nat64", wire(ip6() / echo6(identifier=78)), 0
    yield "nat64", wire(ip4() / echo4(identifier=78)), 0
    yield "nat64", udp6(sport=5002, dst=HAIRPIN6, dport=udp), 0
    yield "nat64", udp6(sport=5003, dst=HAIRPIN6, dport=udp), 0
    yield "nat64", udp6(sport=5003, dst=HAIRPIN6, dport=1), 0
    yield "nat64", udp4(udp, sport=udp, src=POOL), HAIRPIN
    yield "nat64", fragment6(0, True, bytes.fromhex("17700035010000aa") + bytes(64), identification=10), 0
    yield "nat64", fragment6(72, False, bytes(30)), 0
    yield "nat64", fragment6(72, False, bytes(30), identification=11), 0
    yield "nat64", fragment6(0, True, b"\x80\0\0\0\0\7\0\1" + bytes(64), 58, 12), 0
    yield "nat64", udp4(udp, data=bytes(1400), flags=""), 0
    yield "nat64", udp4(udp, data=bytes(1400), flags=""), FRAG
    yield "nat64", udp6(src="2001:db8:9::1"), 0
    yield "nat64", udp6(src=embed(PREF64, SERVER)), 0
    yield "nat64", udp6(dst=embed(PREF64, IPv4Address("10.0.0.1"))), 0
    yield "nat64", udp6(dst="2001:db8::1"), 0
    yield "nat64", udp6(), 0x10000000
    yield "nat64", udp4(udp, dst="203.0.113.9"), 0
    yield "nat64", wire(ip6() / icmp6(1, 4, 0, udp4(udp)[:0] + udp6(src=embed(PREF64, SERVER), dst=PHONE, sport=53))), 0
    yield "nat64", wire(ip6() / icmp6(2, 0, 1300, udp6(sport=53, dport=5000, src=embed(PREF64, SERVER), dst=PHONE))), 0
    yield "nat64", bytes(ip6(nh=132) / Raw(bytes(16))), 0
    yield "nat64", udp6()[:44], 0
    yield "siit", clat4(UDP(sport=5, dport=6) / Raw(b"x")), 0
    yield "siit", clat6(UDP(sport=5, dport=6) / Raw(b"x")), 0
    yield "siit", clat4(UDP(sport=5, dport=6) / Raw(b"x")), 0x20000000
    yield "siit", udp6(), 0
    yield "siit", wire(ip6(src="2001:db8:9::1", dst=CLIENT6) / UDP() / Raw(b"x")), 0
    yield "steer_uplink", udp4(udp), 0
    yield "steer_lo", udp4(1), 0


def both(bench: Bench) -> None:
    static = StaticEntry(Proto.TCP, POOL, 443, PHONE, 443)
    bench.configure(nat64_settings(static=[static], refused4=["10.0.0.0/8"], shared=True), siit_settings())
    bench.advance(1)


def test_a_dry_run_tells_what_happens_then(bench: Bench) -> None:
    both(bench)
    seen = {next(iter(same(bench, packet, mark, program).counted), "") for program, packet, mark in packets(bench)}
    assert {
        "TRANSLATED_6TO4", "TRANSLATED_4TO6", "HAIRPINNED", "NO_SESSION_TCP", "NO_BIB_TCP", "SYN_STORED", "LOOP", "REFRAGMENT",
        "NO_BIB_UDP", "SOURCE_NOT_ALLOWED", "DESTINATION_REFUSED", "FRAGMENT_NO_FIRST", "SLOW_FRAGMENTED_ICMP", "BAD_SOURCE",
        "SOURCE_IN_PREF64", "NOT_PREF64", "NOT_POOL4", "UNKNOWN_PROTOCOL", "TRUNCATED", "NO_MAPPING", "STEERED",
    } <= seen  # fmt: skip


def test_a_dry_run_changes_no_table(bench: Bench) -> None:
    both(bench)
    tried = list(packets(bench))
    before = snapshot(bench)
    for _round in range(25):
        for program, packet, mark in tried:
            bench.plane.dry_run(program, packet, mark)
    assert changed(before, snapshot(bench)) == []
    for program, packet, mark in tried:
        same(bench, packet, mark, program)
    assert changed(before, snapshot(bench)), "the snapshot would show a change"


def test_expired_sessions_are_neither_found_nor_collected(bench: Bench) -> None:
    both(bench)
    opened(bench, udp6(sport=5000))
    tcp = opened(bench, tcp6("S", sport=5001))
    bench.nat64(tcp4(tcp, "SA"))
    for seconds in (400, 7100, 240):
        bench.advance(seconds)
        before = snapshot(bench)
        for packet in (udp6(sport=5000), tcp6("A", sport=5001), tcp4(tcp, "A")):
            bench.plane.dry_run("nat64", packet)
        assert changed(before, snapshot(bench)) == []
    same(bench, tcp6("A", sport=5001))
    same(bench, udp6(sport=5000))


def refused(bench: Bench, packet: bytes, reason: str, mark: int = 0) -> None:
    """Dry and live, and the dry run leaves the full table as it is."""
    before = snapshot(bench)
    dry = bench.plane.dry_run("nat64", packet, mark)
    assert dry.reason and dry.reason.name == reason
    assert changed(before, snapshot(bench)) == []
    assert same(bench, packet, mark).reason == reason


def fill_ports(bench: Bench) -> None:
    bench.configure(nat64_settings(limits=Limits(ports=3)))
    bench.flood(udp6(sport=1000 + n) for n in range(3))


def fill_sessions(bench: Bench) -> None:
    bench.configure(nat64_settings(limits=Limits(sessions=8)))
    bench.flood(udp6(dport=1000 + n) for n in range(8))


def fill_rate(bench: Bench) -> None:
    bench.configure(nat64_settings(limits=Limits(rate=4)))
    bench.flood(udp6(dport=1000 + n) for n in range(16))


def fill_pool(bench: Bench) -> None:
    bench.configure(nat64_settings(pool=[(POOL, 1024, 1039)], port_block=0))
    bench.flood(udp6(sport=1000 + n) for n in range(200))


def fill_blocks(bench: Bench) -> None:
    bench.configure(nat64_settings(pool=[(POOL, 1024, 1087)], port_block=32))
    bench.flood(udp6(src=f"2001:db8:64:{n:x}::5") for n in (7, 8))


def fill_own_blocks(bench: Bench) -> None:
    """Every port of the blocks that one client may have; the pool has more."""
    bench.configure(nat64_settings(port_block=16))
    bench.flood(many(udp6(), range(1000, 1040 + 16 * abi.MAX_CLIENT_BLOCKS)))


def fill_table(bench: Bench) -> None:
    bench.configure(nat64_settings(port_block=0))
    for port in (1, 2):
        bench.flood(many(udp6(dport=port), range(1000, 3048)))


def fill_clients(bench: Bench) -> None:
    bench.configure(nat64_settings(client_prefix=128))
    count = range(1, 1100)
    bench.flood(many(udp6(src="2001:db8:64:7::"), count, count, count))


@pytest.mark.parametrize(
    ("fill", "packet", "reason"),
    [
        (fill_ports, udp6(sport=9000), "CLIENT_PORTS"),
        (fill_sessions, udp6(dport=9000), "CLIENT_SESSIONS"),
        (fill_pool, udp6(sport=9000), "POOL4_EXHAUSTED"),
        (fill_blocks, udp6(), "POOL4_EXHAUSTED"),
        (fill_own_blocks, udp6(sport=9000), "POOL4_EXHAUSTED"),
        (fill_table, udp6(sport=9000), "TABLE_FULL"),
        (fill_table, udp6(sport=1000, dport=9000), "TABLE_FULL"),
        (fill_clients, udp6(), "TABLE_FULL"),
    ],
    ids=("ports", "sessions", "pool", "blocks", "own_blocks", "table", "table_of_known", "clients"),
)
def test_what_is_full(bench: Bench, fill: Callable[[Bench], None], packet: bytes, reason: str) -> None:
    fill(bench)
    bench.advance(1)
    refused(bench, packet, reason)


def test_room_again(bench: Bench) -> None:
    """From freed slots, and past expired sessions that nobody has collected."""
    fill_table(bench)
    bench.advance(400)
    assert same(bench, udp6(sport=1000, dport=1)).reason == "TRANSLATED_6TO4"
    bench.sweep()
    assert same(bench, udp6(sport=9000)).reason == "TRANSLATED_6TO4"


def test_the_rate_of_new_sessions(bench: Bench) -> None:
    """The second may turn between two looks: they agree at the second try then."""
    for _try in range(3):
        fill_rate(bench)
        dry, live = bench.plane.dry_run("nat64", udp6(dport=9000)), bench.nat64(udp6(dport=9000))
        if dry.reason and dry.reason.name == live.reason == "CLIENT_RATE":
            break
        bench.reset()
    else:
        pytest.fail("a dry run does not know the rate")


def test_what_the_table_of_syns_still_takes(bench: Bench) -> None:
    bench.configure(nat64_settings(address_dependent=True))
    bench.advance(1)
    port = opened(bench, tcp6("S", sport=5001))
    stranger = IPv4Address("198.51.100.99")
    assert same(bench, tcp4(port, "S", src=stranger)).reason == "SYN_STORED"
    bench.flood(many(tcp4(port, "S", src="198.51.100.98"), range(1, 5000)))
    refused(bench, tcp4(port, "S", src=stranger, sport=81), "FILTERED")
    assert same(bench, tcp4(port, "S", src=stranger)).reason == "SYN_STORED", "it is there already"
    dry = bench.plane.dry_run("nat64", tcp6("S", sport=5001, dst=embed(PREF64, stranger)))
    assert dry.answers_syn and dry.new_session


def test_a_look_tells_what_it_found(bench: Bench) -> None:
    bench.configure(nat64_settings(limits=Limits(100, 200, 300), port_block=64))
    bench.advance(1)
    new = bench.plane.dry_run("nat64", tcp6("S"))
    assert new.new_binding and new.new_binding.address4 == POOL and new.new_session
    assert (new.new_binding.ports, new.new_binding.new_block) == (PortRange(1024, 65535), 64)
    assert new.client and (new.client.network, new.client.sessions) == (IPv6Network("2001:db8:64:1::/64"), 0)
    port = opened(bench, tcp6("S"))
    old = bench.plane.dry_run("nat64", tcp6("S"))
    assert old.binding and old.session and not (old.new_binding or old.new_session)
    assert (old.binding.port4, old.session.remote4, old.session.remote_port) == (port, SERVER, 80)
    assert old.client and old.client.limits == Limits(100, 200, 300)
    assert (old.client.ports[Proto.TCP], old.client.sessions, old.client.blocks, old.client.most_blocks) == (
        1,
        1,
        1,
        32,
    )
    second = bench.plane.dry_run("nat64", tcp6("S", sport=9000))
    block = PortRange(port // 64 * 64, port // 64 * 64 + 63)
    assert second.new_binding and (second.new_binding.ports, second.new_binding.new_block) == (block, 0)
    back = bench.plane.dry_run("nat64", tcp4(port))
    assert back.session == old.session or (back.session and back.session.port4 == port)
    assert back.client and back.client.network == new.client.network
    stranger = bench.plane.dry_run("nat64", tcp4(port, "A", src="198.51.100.99"))
    assert stranger.binding and stranger.session is None and not stranger.new_session


def test_sessions_that_icmp_errors_are_about(bench: Bench) -> None:
    bench.configure(nat64_settings())
    bench.advance(1)
    port = opened(bench, udp6(sport=5000))
    quoted = udp6(sport=53, dport=5000, src=embed(PREF64, SERVER), dst=PHONE)
    out = bench.plane.dry_run("nat64", wire(ip6() / icmp6(1, 4, 0, quoted)))
    assert out.session and (out.session.port4, out.fate) == (port, Fate.STACK)
    back = bench.plane.dry_run("nat64", wire(ip4() / icmp6(3, 3, 0, udp4(53, sport=port, src=POOL, dst=SERVER))))
    assert back.session and back.session.port4 == port


def test_a_packet_that_the_kernel_cannot_try_is_refused_in_words(bench: Bench) -> None:
    bench.configure(nat64_settings())
    with pytest.raises(DataPlaneError, match="3400 bytes at most"):
        bench.plane.dry_run("nat64", udp6(data=bytes(5000)))


def test_the_copy_follows_the_running_programs(bench: Bench) -> None:
    """Another table size loads the programs anew, on other tables: a copy of the old ones would tell of those."""
    bench.configure(nat64_settings())
    assert bench.plane.dry_run("nat64", udp6(sport=5000)).new_session
    try:
        bench.configure(nat64_settings(sessions=8192))
        bench.nat64(udp6(sport=5000))
        assert bench.plane.dry_run("nat64", udp6(sport=5000)).session
    finally:
        bench.configure(nat64_settings())


def test_addresses_of_the_bench() -> None:
    assert CLIENT6 in CLAT96 and IPv6Address(HAIRPIN6) in PREF64
