# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Every row of RFC 7915's ICMP tables (§4.2, §5.2), through the NAT64 and through the CLAT.

A row is: type, code and second word in; type, code and second word out, or None for "silently drop".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6ExtHdrFragment
from scapy.packet import Raw

from tests.packets.build import assert_checksums, echo4, echo6, icmp4, icmp6, ip4, ip6, server6, udp4, udp6, wire
from tests.packets.harness import (
    CLIENT4,
    CLIENT6,
    PHONE,
    POOL,
    SERVER,
    Action,
    Bench,
    Outcome,
    nat64_settings,
    siit_settings,
)

Header = tuple[int, int, int]
ROUTER4, ROUTER6 = "198.18.0.2", "2001:db8:2::fe"


def pointer4(offset: int) -> int:
    return offset << 24


ERRORS_4TO6: list[tuple[Header, Header | None]] = [
    *(((3, code, 0), (1, 0, 0)) for code in (0, 1, 5, 6, 7, 8, 11, 12)),
    ((3, 2, 0), (4, 1, 6)),
    ((3, 3, 0), (1, 4, 0)),
    ((3, 4, 1400), (2, 0, 1420)),
    ((3, 4, 1000), (2, 0, 1280)),  # never below the IPv6 minimum
    *(((3, code, 0), (1, 1, 0)) for code in (9, 10, 13, 15)),
    *(((3, code, 0), None) for code in (14, 16, 255)),
    *(((type_, 0, 0), None) for type_ in (4, 5, 6)),
    ((11, 0, 0), (3, 0, 0)),
    ((11, 1, 0), (3, 1, 0)),
    *(
        ((12, code, pointer4(old)), None if new is None else (4, 0, new))
        for code in (0, 2)
        for old, new in [
            (0, 0), (1, 1), (2, 4), (3, 4), (4, None), (5, None), (6, None), (7, None), (8, 7), (9, 6), (10, None),
            (11, None), *((n, 8) for n in range(12, 16)), *((n, 24) for n in range(16, 20)), (20, None), (255, None),
        ]
    ),
    ((12, 1, 0), None),
    ((12, 3, 0), None),
]  # fmt: skip

ERRORS_6TO4: list[tuple[Header, Header | None]] = [
    *(((1, code, 0), (3, 1, 0)) for code in (0, 2, 3)),
    ((1, 1, 0), (3, 10, 0)),
    ((1, 4, 0), (3, 3, 0)),
    *(((1, code, 0), None) for code in (5, 6, 7, 255)),
    ((2, 0, 1500), (3, 4, 1480)),
    ((2, 0, 1280), (3, 4, 1260)),
    ((3, 0, 0), (11, 0, 0)),
    ((3, 1, 0), (11, 1, 0)),
    *(
        ((4, 0, old), None if new is None else (12, 0, pointer4(new)))
        for old, new in [
            (0, 0), (1, 1), (2, None), (3, None), (4, 2), (5, 2), (6, 9), (7, 8),
            *((n, 12) for n in range(8, 24)), *((n, 16) for n in range(24, 40)), (40, None), (1 << 24, None),
        ]
    ),
    ((4, 1, 6), (3, 2, 0)),
    ((4, 2, 0), None),
    ((5, 0, 0), None),
    ((100, 0, 0), None),
]  # fmt: skip

QUERIES_4TO6 = [(8, 128), (0, 129), *((type_, None) for type_ in (9, 10, 13, 14, 15, 16, 17, 18, 40, 255))]
QUERIES_6TO4 = [(128, 8), (129, 0), *((type_, None) for type_ in (130, 131, 132, *range(133, 138), 143, 200, 255))]


@dataclass(frozen=True, slots=True)
class Path:
    """A translator with one flow through it, so that an error can quote a packet of that flow."""

    run: Callable[[bytes], Outcome]
    host4: str  # the host behind the translator as IPv4 sees it
    host6: str
    port4: int
    port6: int


@pytest.fixture(params=["nat64", "siit"])
def path(request: pytest.FixtureRequest, bench: Bench) -> Path:
    if request.param == "siit":
        bench.configure(siit=siit_settings())
        return Path(bench.siit, str(CLIENT4), str(CLIENT6), 4000, 4000)
    bench.configure(nat64_settings())
    bench.nat64(udp6(sport=4000))
    return Path(bench.nat64, str(POOL), str(PHONE), bench.bib()[0].port4, 4000)


@pytest.mark.parametrize(("given", "expected"), ERRORS_4TO6)
def test_error_4to6(path: Path, given: Header, expected: Header | None) -> None:
    quoted = wire(ip4(src=path.host4, dst=SERVER, ttl=1) / UDP(sport=path.port4, dport=53) / Raw(bytes(40)))
    out = path.run(wire(ip4(src=ROUTER4, dst=path.host4) / icmp4(*given, quoted)))
    if expected is None:
        assert (out.action, out.reason) == (Action.SHOT, "UNKNOWN_ICMP")
        return
    assert (out.action, out.reason) == (Action.OK, "TRANSLATED_4TO6")
    assert_checksums(out.packet)
    message = out.packet[40:]
    assert (message[0], message[1], int.from_bytes(message[4:8], "big")) == expected
    inside = wire(ip6(src=path.host6, dst=server6(), hlim=1) / UDP(sport=path.port6, dport=53) / Raw(bytes(40)))
    assert message[8:] == inside
    assert out.packet[8:40] == wire(ip6(src=f"2001:db8:64:64::{ROUTER4}", dst=path.host6))[8:40]


@pytest.mark.parametrize(("given", "expected"), ERRORS_6TO4)
def test_error_6to4(path: Path, given: Header, expected: Header | None) -> None:
    quoted = wire(ip6(src=server6(), dst=path.host6, hlim=1) / UDP(sport=53, dport=path.port6) / Raw(bytes(40)))
    out = path.run(wire(ip6(src=path.host6, dst=server6()) / icmp6(*given, quoted)))
    if expected is None:
        assert (out.action, out.reason) == (Action.SHOT, "UNKNOWN_ICMP")
        return
    assert (out.action, out.reason) == (Action.OK, "TRANSLATED_6TO4")
    assert_checksums(out.packet)
    message = out.packet[20:]
    assert (message[0], message[1], int.from_bytes(message[4:8], "big")) == expected
    inside = wire(ip4(src=SERVER, dst=path.host4, ttl=1) / UDP(sport=53, dport=path.port4) / Raw(bytes(40)))
    # A quote of up to 1260 bytes has no DF (RFC 7915 §5.1); its identification is free.
    assert message[8:12] == inside[:4] and message[14:16] == b"\0\0" and message[16:18] == inside[8:10]
    assert message[20:] == inside[12:]
    assert out.packet[12:20] == wire(ip4(src=path.host4, dst=SERVER))[12:20]


@pytest.mark.parametrize(("given", "expected"), QUERIES_4TO6)
def test_query_4to6(bench: Bench, given: int, expected: int | None) -> None:
    bench.configure(siit=siit_settings())
    out = bench.siit(wire(ip4(src=CLIENT4, dst=SERVER) / echo4(given)))
    if expected is None:
        assert (out.action, out.reason) == (Action.SHOT, "UNKNOWN_ICMP")
        return
    assert out.reason == "TRANSLATED_4TO6"
    assert out.packet[40:] == wire(ip6(src=CLIENT6, dst=server6()) / echo6(expected))[40:]


@pytest.mark.parametrize(("given", "expected"), QUERIES_6TO4)
def test_query_6to4(bench: Bench, given: int, expected: int | None) -> None:
    bench.configure(siit=siit_settings())
    out = bench.siit(wire(ip6(src=server6(), dst=CLIENT6) / echo6(given)))
    if expected is None:
        assert (out.action, out.reason) == (Action.SHOT, "UNKNOWN_ICMP")
        return
    assert out.reason == "TRANSLATED_6TO4"
    assert out.packet[20:] == wire(ip4(src=SERVER, dst=CLIENT4) / echo4(expected))[20:]


@pytest.mark.parametrize(
    ("total", "mtu"), [(65535, 32020), (17914, 8186), (4352, 2022), (1500, 1512), (1492, 1280), (60, 1280)]
)
def test_router_without_mtu_gets_a_plateau(bench: Bench, total: int, mtu: int) -> None:
    """RFC 1191 §7: the greatest plateau below the quoted Total Length, plus 20, and 1280 where that is less."""
    bench.configure(siit=siit_settings())
    quoted = bytearray(wire(ip4(src=CLIENT4, dst=SERVER) / UDP(sport=1, dport=2) / Raw(bytes(8))))
    quoted[2:4] = total.to_bytes(2, "big")
    out = bench.siit(wire(ip4(src=ROUTER4, dst=CLIENT4) / icmp4(3, 4, 0, bytes(quoted))))
    assert out.reason == "TRANSLATED_4TO6"
    assert int.from_bytes(out.packet[44:48], "big") == mtu


@pytest.mark.parametrize("code", [0, 9])
def test_echo_keeps_its_code(bench: Bench, code: int) -> None:
    """RFC 7915 §4.2, §5.2 adjust the type alone; some probes set a code."""
    bench.configure(siit=siit_settings())
    there = bench.siit(wire(ip4(src=CLIENT4, dst=SERVER) / icmp4(8, code, 7 << 16 | 1, bytes(8))))
    assert there.packet[40:42] == bytes([128, code])
    back = bench.siit(wire(ip6(src=server6(), dst=CLIENT6) / icmp6(129, code, 7 << 16 | 1, bytes(8))))
    assert back.packet[20:22] == bytes([0, code])
    assert_checksums(there.packet)
    assert_checksums(back.packet)


@pytest.mark.parametrize(("said", "mtu"), [(1400, 1420), (1492, 1500), (9000, 1500)])
def test_fragmentation_needed_says_no_more_than_our_own_links(bench: Bench, said: int, mtu: int) -> None:
    """RFC 7915 §4.2: the least of that MTU + 20, the next IPv6 link's, and the next IPv4 link's + 20."""
    bench.configure(siit=replace(siit_settings(), mtu4=1490, mtu6=1500))
    quoted = wire(ip4(src=CLIENT4, dst=SERVER) / UDP(sport=1, dport=2) / Raw(bytes(8)))
    out = bench.siit(wire(ip4(src=ROUTER4, dst=CLIENT4) / icmp4(3, 4, said, quoted)))
    assert int.from_bytes(out.packet[44:48], "big") == mtu


@pytest.mark.parametrize(("said", "mtu"), [(1400, 1380), (1500, 1480), (1515, 1490), (9000, 1490)])
def test_too_big_says_no_more_than_our_own_links(bench: Bench, said: int, mtu: int) -> None:
    """RFC 7915 §5.2: the least of that MTU - 20, the next IPv4 link's, and the next IPv6 link's - 20."""
    bench.configure(siit=replace(siit_settings(), mtu4=1490, mtu6=1520))
    quoted = wire(ip6(src=server6(), dst=CLIENT6) / UDP(sport=53, dport=1) / Raw(bytes(40)))
    out = bench.siit(wire(ip6(src=CLIENT6, dst=server6()) / icmp6(2, 0, said, quoted)))
    assert int.from_bytes(out.packet[24:28], "big") == mtu


def test_too_big_about_a_fragment_counts_the_fragment_header(bench: Bench) -> None:
    """RFC 7915 §5.2: the packet in error had a Fragment Header, which IPv4 does not need."""
    bench.configure(siit=siit_settings())
    fragment = IPv6ExtHdrFragment(m=1, id=9, nh=17)
    quoted = bytes(ip6(src=server6(), dst=CLIENT6) / fragment / UDP(sport=53, dport=1, len=2000) / Raw(bytes(40)))
    out = bench.siit(wire(ip6(src=CLIENT6, dst=server6()) / icmp6(2, 0, 1400, quoted)))
    assert out.reason == "TRANSLATED_6TO4"
    assert int.from_bytes(out.packet[24:28], "big") == 1400 - 20 - 8


def test_error_of_an_ipv6_router_gets_our_address(bench: Bench) -> None:
    """RFC 6791: a router of the IPv6 network has no IPv4 address; the translator lends its own."""
    bench.configure(siit=siit_settings())
    quoted = wire(ip6(src=CLIENT6, dst=server6(), hlim=1) / UDP(sport=1, dport=2) / Raw(bytes(8)))
    out = bench.siit(wire(ip6(src=ROUTER6, dst=CLIENT6) / icmp6(3, 0, 0, quoted)))
    assert out.reason == "TRANSLATED_6TO4"
    assert out.packet[12:16] == bytes([192, 0, 2, 1])
    assert_checksums(out.packet)


@pytest.mark.parametrize("path", ["siit"], indirect=True)
def test_error_about_an_error_is_dropped(path: Path) -> None:
    quoted = wire(ip4(src=path.host4, dst=SERVER) / icmp4(3, 3, 0, bytes(28)))
    out = path.run(wire(ip4(src=ROUTER4, dst=path.host4) / icmp4(11, 0, 0, quoted)))
    assert (out.action, out.reason) == (Action.SHOT, "QUOTE_IS_ERROR")


def test_error_with_a_wrong_checksum_is_dropped(path: Path) -> None:
    quoted = wire(ip4(src=path.host4, dst=SERVER) / UDP(sport=path.port4, dport=53) / Raw(bytes(40)))
    packet = bytearray(wire(ip4(src=ROUTER4, dst=path.host4) / icmp4(11, 0, 0, quoted)))
    packet[-1] ^= 1
    out = path.run(bytes(packet))
    assert (out.action, out.reason) == (Action.SHOT, "BAD_CHECKSUM")


def test_error_of_no_session_makes_no_state(bench: Bench) -> None:
    """RFC 6146 §3.5: ICMP errors never make or refresh state."""
    bench.configure(nat64_settings())
    quoted = wire(ip4(src=POOL, dst=SERVER) / UDP(sport=4000, dport=53) / Raw(bytes(8)))
    out = bench.nat64(wire(ip4(src=ROUTER4, dst=POOL) / icmp4(11, 0, 0, quoted)))
    assert (out.action, out.reason) == (Action.SHOT, "NO_SESSION_ERROR")
    assert bench.sessions() == [] and bench.bib() == []


def test_udp_without_checksum_gets_one(bench: Bench) -> None:
    """RFC 7915 §4.5, every length up to a full packet, odd ones too."""
    bench.configure(siit=siit_settings())
    for size in (0, 1, 2, 3, 127, 128, 129, 255, 512, 1000, 1399, 1400):
        packet = bytearray(
            wire(ip4(src=CLIENT4, dst=SERVER) / UDP(sport=5, dport=6) / Raw(bytes(n % 251 for n in range(size))))
        )
        packet[26:28] = b"\0\0"
        out = bench.siit(bytes(packet))
        assert out.reason == "TRANSLATED_4TO6", size
        assert out.packet[46:48] != b"\0\0"
        assert_checksums(out.packet)


def test_a_udp_checksum_that_comes_to_zero_is_all_ones(bench: Bench) -> None:
    """RFC 768: zero would say that there is none."""
    bench.configure(siit=siit_settings())

    def checksum(data: bytes) -> bytes:
        packet = bytearray(wire(ip4(src=CLIENT4, dst=SERVER) / UDP(sport=5, dport=6) / Raw(data)))
        packet[26:28] = b"\0\0"
        return bench.siit(bytes(packet)).packet[46:48]

    assert checksum(checksum(b"\0\0")) == b"\xff\xff"


def test_udp_over_ipv6_without_checksum_is_dropped(bench: Bench) -> None:
    bench.configure(nat64_settings())
    packet = bytearray(udp6())
    packet[46:48] = b"\0\0"
    assert bench.nat64(bytes(packet)).reason == "UDP_NO_CHECKSUM"


def test_udp4_reply_without_checksum_through_nat64(bench: Bench) -> None:
    bench.configure(nat64_settings())
    bench.nat64(udp6(sport=4000))
    packet = bytearray(udp4(dport=bench.bib()[0].port4))
    packet[26:28] = b"\0\0"
    out = bench.nat64(bytes(packet))
    assert out.reason == "TRANSLATED_4TO6"
    assert_checksums(out.packet)
