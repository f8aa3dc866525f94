# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What a client gets in the reference translator: ports by blocks, limits, pools by source and by mark (RFC 6888 §3)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6

from tests.unit.translate.world import CLIENT6, POOL4, SERVER4, SERVER6, answered, make_nat64, make_rules, translated
from v6native.translate.clients import HOLD_DOWN, Identity, Limits
from v6native.translate.nat64 import Nat64
from v6native.translate.pool4 import PoolRange
from v6native.translate.rules import Rules

NEIGHBOR6, OTHER6 = "2001:db8:64:1::6", "2001:db8:64:2::5"
SMALL = (PoolRange(IPv4Address(POOL4), 2050, 2111),)


def rules(pool: tuple[PoolRange, ...] = SMALL, block: int = 16, **more: object) -> Rules:
    return replace(make_rules(pool), port_block=block, **more)  # type: ignore[arg-type]


def udp(sport: int, source: str = CLIENT6, dport: int = 53) -> bytes:
    return bytes(IPv6(src=source, dst=SERVER6) / UDP(sport=sport, dport=dport))


def port(nat64: Nat64, packet: bytes, now: float = 0, mark: int = 0) -> int:
    return int(IP(translated(nat64.translate(packet, now, mark=mark)))[UDP].sport)


def refusal(nat64: Nat64, packet: bytes, now: float = 0) -> tuple[int, int, str]:
    data, reason = answered(nat64.translate(packet, now))
    error = IPv6(data).payload
    return error.type, error.code, reason


def test_a_client_fills_its_block_before_it_gets_another() -> None:
    nat64 = make_nat64(rules())
    assert {port(nat64, udp(5000 + n)) for n in range(14)} == set(range(2050, 2064))
    assert port(nat64, udp(6000)) in range(2064, 2080)
    assert [(b.start, b.first, b.last) for b in nat64.clients.blocks] == [(2048, 2050, 2063), (2064, 2064, 2079)]


def test_a_block_has_one_client() -> None:
    """A /64 is a client, so the neighbour's ports are in the same block."""
    nat64 = make_nat64(rules())
    mine, neighbors, others = (port(nat64, udp(5000, source)) // 16 for source in (CLIENT6, NEIGHBOR6, OTHER6))
    assert mine == neighbors != others


def test_what_is_not_used_any_more_is_held_down() -> None:
    nat64 = make_nat64(rules((PoolRange(IPv4Address(POOL4), 2048, 2063),)))
    port(nat64, udp(5000))
    assert refusal(nat64, udp(5000, OTHER6), 1) == (1, 3, "POOL4_EXHAUSTED")
    gone = nat64.tables.sessions[0].deadline + 1
    nat64.expire(gone)
    assert refusal(nat64, udp(5000, OTHER6), gone + HOLD_DOWN - 1) == (1, 3, "POOL4_EXHAUSTED")
    assert port(nat64, udp(5000, OTHER6), gone + HOLD_DOWN) in range(2048, 2064)


def test_limits() -> None:
    nat64 = make_nat64(rules(limits=Limits(ports=2, sessions=3)))
    for n in range(2):
        port(nat64, udp(5000 + n))
    assert refusal(nat64, udp(5002)) == (1, 3, "CLIENT_PORTS")
    port(nat64, udp(5000, dport=54))
    assert refusal(nat64, udp(5000, dport=55)) == (1, 3, "CLIENT_SESSIONS")
    port(nat64, udp(5000, OTHER6))


def test_what_others_open_leaves_a_client_its_share() -> None:
    nat64 = make_nat64(rules(limits=Limits(sessions=4)))
    to = port(nat64, udp(5000))
    for n in (1, 2):
        translated(nat64.translate(bytes(IP(src=SERVER4, dst=POOL4) / UDP(sport=n, dport=to)), 0))
    data, reason = answered(nat64.translate(bytes(IP(src=SERVER4, dst=POOL4) / UDP(sport=3, dport=to)), 0))
    assert (reason, IP(data)[ICMP].type, IP(data)[ICMP].code) == ("CLIENT_SESSIONS", 3, 1)
    port(nat64, udp(5000, dport=54))


def test_the_rate_is_of_a_second_and_a_refused_flow_leaves_nothing() -> None:
    nat64 = make_nat64(rules(limits=Limits(rate=2)))
    for n in range(2):
        port(nat64, udp(5000 + n), 7.2)
    assert refusal(nat64, udp(5002), 7.9) == (1, 3, "CLIENT_RATE")
    assert len(nat64.tables.bindings) == 2
    port(nat64, udp(5002), 8.0)


@pytest.mark.parametrize(("source", "mark", "address"), [(CLIENT6, 0, 1), (OTHER6, 0, 2), (CLIENT6, 0x1F, 3)])
def test_pools_by_source_and_by_mark(source: str, mark: int, address: int) -> None:
    pool = tuple(PoolRange(IPv4Address(f"203.0.113.{n}"), 2048, 4095, group=n - 1) for n in (1, 2, 3))
    who = (Identity(IPv6Network("2001:db8:64:2::/64"), group=1),)
    nat64 = make_nat64(rules(pool, identities=who, marks=((0, 0), (0, 0), (0x10, 0xF0))))
    assert IP(translated(nat64.translate(udp(5000, source), 0, mark=mark))).src == f"203.0.113.{address}"


def test_a_range_serves_its_protocols() -> None:
    pool = (
        PoolRange(IPv4Address(POOL4), 2048, 2063, protocols=frozenset({6})),
        PoolRange(IPv4Address(POOL4), 4096, 4111),
    )
    nat64 = make_nat64(rules(pool))
    assert port(nat64, udp(5000)) in range(4096, 4112)
    tcp = bytes(IPv6(src=OTHER6, dst=SERVER6) / TCP(sport=5000, flags="S"))
    assert IP(translated(nat64.translate(tcp, 0)))[TCP].sport in {*range(2048, 2064), *range(4096, 4112)}


def test_a_device_of_a_tunnel_is_one_client() -> None:
    device = IPv6Address(CLIENT6)
    who = (Identity(IPv6Network(CLIENT6), device), Identity(IPv6Network(OTHER6), device))
    nat64 = make_nat64(rules(identities=who, limits=Limits(ports=2)))
    port(nat64, udp(5000))
    port(nat64, udp(5000, OTHER6))
    assert refusal(nat64, udp(5001, OTHER6))[2] == "CLIENT_PORTS"
    assert nat64.clients.blocks[0].client == IPv6Network(CLIENT6)
