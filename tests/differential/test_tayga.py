# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Everything stateless against TAYGA: the same packets to both, the same packets out, but for what is listed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv6Address
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP, IPOption_LSRR, IPOption_NOP
from scapy.layers.inet6 import IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrRouting
from scapy.packet import Packet, Raw

from tests.conventions.test_docs import rows
from tests.conventions.tree import ROOT
from tests.differential.differences import NAMES, Case, explain
from tests.differential.native import Native
from tests.differential.tayga import Tayga, tayga
from tests.packets.build import clat4, clat6, echo4, echo6, icmp4, icmp6, ip4, ip6, server6, wire
from tests.packets.harness import CLIENT4, CLIENT6, NODE4, NODE6, PREF64, SERVER, Bench, siit_settings
from tests.properties.shapes import PORT, Ends, error, plain, repaired
from v6native.packet import parse_ipv4
from v6native.slowpath.fragment import cut

pytestmark = [pytest.mark.root, pytest.mark.timeout(1800)]

TABLE = ROOT / "docs/rfc-compliance/tayga.md"
LINK = 1500


@dataclass(slots=True)
class Both:
    """Either translator, told the same; `seen` are the differences that showed up."""

    native: Native
    peer: Tayga
    seen: set[str] = field(default_factory=set)

    def compare(self, *packets: bytes) -> set[str]:
        made, theirs = self.native.translate(*packets), self.peer.translate(*packets)
        found = explain(Case(list(packets), made.packets, theirs, made.verdicts))
        self.seen |= found
        return found


# A TAYGA of its own for each test: it remembers small MTUs, and clears DF for those hosts from then on.
@pytest.fixture
def both(loaded_bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    loaded_bench.reset()
    mappings = ((CLIENT4, CLIENT6),)
    told = siit_settings(eam=tuple((f"{v4}/32", f"{v6}/128") for v4, v6 in mappings))
    loaded_bench.configure(siit=replace(told, mtu4=LINK, mtu6=LINK))
    with tayga(tmp_path_factory.mktemp("tayga"), mappings, PREF64, NODE4, NODE6) as peer:
        yield Both(Native(loaded_bench), peer)


def turned(a: Any, b: Any) -> st.SearchStrategy[Ends]:
    return st.builds(lambda turn, p, q: Ends(*((b, a) if turn else (a, b)), p, q, p), st.booleans(), PORT, PORT)


ENDS = st.one_of(turned(CLIENT4, SERVER), turned(CLIENT6, IPv6Address(server6())))


@st.composite
def cases(draw: st.DrawFn) -> bytes:
    """As they come from a kernel: the hop limit is not used up, the size is the link's."""
    ends = draw(ENDS)
    packet = bytearray(plain(draw, ends) if draw(st.booleans()) else error(draw, ends, ends.turned))
    packet[7 if ends.six else 8] = draw(st.sampled_from([64, 2, 250]))
    return repaired(bytes(packet))


@settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture]
)
@given(st.lists(cases().filter(lambda packet: len(packet) <= LINK), min_size=1, max_size=8))
def test_the_same_packets_come_out(both: Both, packets: list[bytes]) -> None:
    for packet in packets:
        both.compare(packet)


DATA = bytes(range(64))


def in_fragments4(packet: bytes, size: int) -> list[bytes]:
    whole = parse_ipv4(packet)
    pieces = range(0, len(whole.payload), size)
    return [
        replace(
            whole,
            payload=whole.payload[at : at + size],
            fragment_offset=at,
            more_fragments=at + size < len(whole.payload),
            dont_fragment=False,
            identification=0x1234,
        ).to_bytes()
        for at in pieces
    ]


def other4(protocol: int, data: bytes) -> bytes:
    return bytes(ip4(src=CLIENT4, dst=SERVER, proto=protocol) / Raw(data))


BIG4 = wire(ip4(src=CLIENT4, dst=SERVER, flags=0, id=0x4321) / UDP(sport=1, dport=2) / Raw(bytes(1400)))
SAME: dict[str, list[bytes]] = {
    "tcp 4to6": [clat4(TCP(sport=1, dport=2, flags="S"), tos=0xB8)],
    "tcp 6to4": [clat6(TCP(sport=1, dport=2, flags="SA") / Raw(bytes(1400)), tc=0xB8)],
    "udp 4to6": [clat4(UDP(sport=1, dport=2) / Raw(DATA))],
    "udp 6to4, large": [clat6(UDP(sport=1, dport=2) / Raw(bytes(1300)))],
    "echo 4to6": [clat4(echo4(8))],
    "echo 6to4, large": [clat6(echo6(129, data=bytes(1300)))],
    "another transport": [other4(132, DATA)],
    "options": [clat4(UDP(sport=1, dport=2), options=[IPOption_NOP()] * 4)],
    "without DF, too large": [BIG4],
    "echo without DF, too large": [wire(ip4(src=CLIENT4, dst=SERVER, flags=0, id=0x4321) / echo4(8, data=bytes(1400)))],
    "fragments 4to6": in_fragments4(BIG4, 800),
    "fragments 6to4": cut(clat6(UDP(sport=1, dport=2) / Raw(bytes(2000))), 0x1234),
    "time exceeded 4to6": [
        wire(ip4(src="198.18.0.1", dst=CLIENT4) / icmp4(11, 0, 0, clat4(UDP(sport=1, dport=2), ttl=1)))
    ],
    "fragmentation needed": [wire(ip4(src="198.18.0.1", dst=CLIENT4) / icmp4(3, 4, 1400, BIG4[:28]))],
    "router without MTU": [wire(ip4(src="198.18.0.1", dst=CLIENT4) / icmp4(3, 4, 0, BIG4[:28]))],
}


@pytest.mark.parametrize("name", SAME)
def test_the_usual_is_the_same(both: Both, name: str) -> None:
    """Nothing but the hop, and DF where sizes leave it open."""
    assert both.compare(*SAME[name]) <= {"hops", "df-below-1261"}


def quote4(payload: Packet, **fields: Any) -> bytes:
    return wire(ip4(src=CLIENT4, dst=SERVER, **fields) / payload)


def error4(type_: int, code: int, rest: int, quote: bytes) -> bytes:
    return wire(ip4(src="198.18.0.1", dst=CLIENT4) / icmp4(type_, code, rest, quote))


def error6(type_: int, code: int, rest: int, quote: bytes) -> bytes:
    return wire(ip6(src=server6(), dst=CLIENT6) / icmp6(type_, code, rest, quote))


def broken(packet: bytes) -> bytes:
    """With a wrong checksum, by another last byte."""
    return packet[:-1] + bytes([packet[-1] ^ 1])


def without_checksum(packet: bytes, at: int) -> bytes:
    return packet[:at] + b"\0\0" + packet[at + 2 :]


SMALL = UDP(sport=1, dport=2) / Raw(DATA)
SENT6 = wire(ip6(src=CLIENT6, dst=server6()) / SMALL)
CASES: dict[str, list[bytes]] = {
    "hops": [clat4(SMALL)],
    "df-below-1261": [clat6(SMALL)],
    "protocol-numbers": [other4(60, DATA)],
    "igmp": [other4(2, DATA)],
    "source-route": [clat4(SMALL, options=[IPOption_LSRR(pointer=4, routers=["198.51.100.9"])])],
    "segments-left": [clat6(IPv6ExtHdrRouting(segleft=1, addresses=["2001:db8::1"]) / SMALL)],
    "headers-in-fragments": [clat6(IPv6ExtHdrFragment(m=1, id=5) / IPv6ExtHdrDestOpt() / SMALL)],
    "malformed": [clat4(TCP(sport=1, dport=2, dataofs=4))],
    "unmapped": [wire(ip4(src="192.0.2.77", dst=SERVER) / SMALL)],
    "tiny-mtu": [error6(2, 0, 60, SENT6)],
    "address-unreachable": [error6(1, 3, 0, SENT6)],
    "fragment-quoted": [
        error6(
            3,
            1,
            0,
            bytes(ip6(src=CLIENT6, dst=server6(), nh=44) / IPv6ExtHdrFragment(offset=9, id=9, nh=58) / Raw(DATA)),
        )
    ],
    "quoted-reply": [error4(11, 0, 0, quote4(echo4(0)))],
    "short-quote": [error4(11, 0, 0, quote4(TCP(sport=1, dport=2))[:28])],
    "parameter-problem": [error4(12, 0, 8 << 24, quote4(SMALL))],
    "icmp-checksum": [broken(clat4(echo4(8)))],
    "udp-no-checksum": [without_checksum(clat4(SMALL), 26)],
    "odd-fragments": [bytes(IP(src=str(CLIENT4), dst=str(SERVER), flags="MF", id=7, proto=99) / Raw(bytes(43)))],
    "headers-behind-atomic": [clat6(IPv6ExtHdrFragment(m=0, id=5) / IPv6ExtHdrDestOpt() / SMALL)],
    "extended-errors": [error4(11, 0, 32 << 16, quote4(SMALL).ljust(128, b"\0") + b"\x20\0\0\0\0\4\1\1")],
    "fragment-in-quote": [error4(11, 0, 0, in_fragments4(other4(132, DATA * 20), 800)[0][:28])],
    "fragment-mtu": [
        error6(2, 0, 1400, bytes(ip6(src=CLIENT6, dst=server6()) / IPv6ExtHdrFragment(m=1, id=9) / SMALL))
    ],
    "options-and-fragments": [
        wire(
            ip4(src=CLIENT4, dst=SERVER, flags=0, id=3, options=[IPOption_NOP()] * 4)
            / UDP(sport=1, dport=2)
            / Raw(bytes(1400))
        )
    ],
    "own-hop": [clat4(SMALL, ttl=1)],
}


@pytest.mark.parametrize("name", NAMES)
def test_a_listed_difference_still_is_one(both: Both, name: str) -> None:
    if name == "own-hop":
        made, theirs = both.native.translate(*CASES[name]), both.peer.translate(*CASES[name])
        assert [p[0] >> 4 for p in made.packets] == [6]
        assert [(p[0] >> 4, p[20], p[21]) for p in theirs] == [(4, 11, 0)]
        return
    assert name in both.compare(*CASES[name]), f"{name} is no difference any more: take its row away"


def test_the_table_lists_them() -> None:
    assert tuple(row[0].strip("`") for row in rows(TABLE, 4)) == NAMES
