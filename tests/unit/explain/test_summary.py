# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A packet in one line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP
from scapy.packet import Raw

from tests.packets.build import echo4, icmp4, icmp6, ip4, ip6, tcp4, tcp6, udp4, udp6, wire
from v6native.explain.summary import hexdump, summary


def line(packet: bytes) -> str:
    return str(summary(packet, quoted=True))


def test_what_each_kind_of_packet_says() -> None:
    assert line(tcp6("SA", sport=5, dport=6)) == (
        "[2001:db8:64:1::5]:5 → [2001:db8:64:64::c633:6450]:6 TCP SA, 60 bytes, hop limit 63"
    )
    assert line(udp4(7, sport=8)) == "198.51.100.80:8 → 203.0.113.1:7 UDP, 76 bytes, TTL 61, DF set"
    assert line(wire(ip4(flags="") / echo4(8, 9))) == (
        "198.51.100.80 → 203.0.113.1 ICMP echo request identifier 9, 76 bytes, TTL 61, DF clear"
    )
    assert line(bytes(ip6(nh=132) / Raw(bytes(4)))).endswith("SCTP, 44 bytes, hop limit 63")
    assert line(bytes(ip6(nh=99) / Raw(b""))).endswith("protocol 99, 40 bytes, hop limit 63")


def test_errors_say_about_what() -> None:
    assert line(wire(ip6() / icmp6(2, 0, 1300, udp6(sport=5)[:48]))) == (
        "2001:db8:64:1::5 → 2001:db8:64:64::c633:6450 ICMPv6 packet too big, MTU 1300, 96 bytes, hop limit 63, "
        "about [2001:db8:64:1::5]:5 → [2001:db8:64:64::c633:6450]:53 UDP"
    )
    told = line(wire(ip4() / icmp4(3, 4, 1400, tcp4(5)[:28])))
    assert "fragmentation needed, MTU 1400" in told and told.endswith("about 198.51.100.80:80 → 203.0.113.1:5 TCP")
    assert "type 5 code 9" in line(wire(ip4() / icmp4(5, 9)))


def test_fragments() -> None:
    first = IP(src="192.0.2.1", dst="192.0.2.2", proto=17, flags="MF") / Raw(bytes(16))
    assert line(bytes(first)).endswith("DF clear, fragment at 0")
    last = IP(src="192.0.2.1", dst="192.0.2.2", proto=17, frag=185) / Raw(bytes(16))
    assert line(bytes(last)) == "192.0.2.1 → 192.0.2.2 UDP, 36 bytes, TTL 64, DF clear, last fragment, at 1480"


def test_a_dump_has_sixteen_bytes_a_line() -> None:
    assert hexdump(bytes(range(20))) == "0001 0203 0405 0607 0809 0a0b 0c0d 0e0f\n1011 1213"


@given(st.binary(max_size=100))
def test_any_bytes_are_told_or_not(data: bytes) -> None:
    for quoted in (False, True):
        told = summary(data, quoted=quoted)
        assert told is None or str(told)
