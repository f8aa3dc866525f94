# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""IP headers through the translators: RFC 7915 §4.1 and §5.1, fragments, options, extension headers."""

from __future__ import annotations

import pytest
from scapy.layers.inet import IP, TCP, UDP, IPOption_LSRR, IPOption_NOP, IPOption_RR, IPOption_SSRR
from scapy.layers.inet6 import (
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.packet import Raw

from tests.packets.build import (
    assert_checksums,
    clat4,
    clat6,
    echo4,
    echo6,
    icmp4,
    icmp6,
    ip4,
    ip6,
    server6,
    tcp6,
    udp6,
    wire,
)
from tests.packets.harness import (
    CLIENT4,
    CLIENT6,
    SERVER,
    Action,
    Bench,
    nat64_settings,
    siit_settings,
)

FRAG, FRAG_CLAT, REASSEMBLED = 0x80000000, 0x88000000, 0x08000000
NAT64_OUT, CLAT_OUT = 0x10000000, 0x20000000


@pytest.fixture
def clat(bench: Bench) -> Bench:
    bench.configure(siit=siit_settings())
    return bench


@pytest.mark.parametrize("tos", [0, 0x03, 0xB8, 0xFF])
def test_traffic_class_both_ways(clat: Bench, tos: int) -> None:
    out = clat.siit(clat4(UDP(sport=1, dport=2) / Raw(b"abc"), tos=tos))
    assert (out.packet[0] & 15) << 4 | out.packet[1] >> 4 == tos
    back = clat.siit(clat6(UDP(sport=2, dport=1) / Raw(b"abc"), tc=tos))
    assert back.packet[1] == tos


@pytest.mark.parametrize(("ttl", "expected"), [(1, 2), (63, 64), (254, 255), (255, 255)])
def test_hop_limit_gets_one_back(clat: Bench, ttl: int, expected: int) -> None:
    """The kernel takes one before and one after: a node is one hop (docs/packet-flow.md)."""
    assert IPv6(clat.siit(clat4(UDP(sport=1, dport=2), ttl=ttl)).packet).hlim == expected
    assert IP(clat.siit(clat6(UDP(sport=2, dport=1), hlim=ttl)).packet).ttl == expected


@pytest.mark.parametrize(("size", "df"), [(1260, False), (1261, True), (1480, True)])
def test_df_by_size_6to4(clat: Bench, size: int, df: bool) -> None:
    """RFC 7915 §5.1: up to 1260 bytes without DF and with an identification."""
    out = clat.siit(clat6(UDP(sport=2, dport=1) / Raw(bytes(size - 28))))
    sent = IP(out.packet)
    assert (sent.len, sent.flags.DF, sent.flags.MF, sent.frag) == (size, df, False, 0)
    if df:
        assert sent.id == 0
    assert_checksums(out.packet)


def test_identifications_differ(clat: Bench) -> None:
    ids = {IP(clat.siit(clat6(UDP(sport=2, dport=1))).packet).id for _ in range(16)}
    assert len(ids) > 8


def test_df_4to6_has_no_fragment_header(clat: Bench) -> None:
    out = clat.siit(clat4(UDP(sport=1, dport=2) / Raw(bytes(1400))))
    assert (out.reason, out.packet[6]) == ("TRANSLATED_4TO6", 17)


@pytest.mark.parametrize(("size", "reason"), [(1260, "TRANSLATED_4TO6"), (1261, "REFRAGMENT")])
def test_without_df_it_must_fit_the_lowest_mtu(clat: Bench, size: int, reason: str) -> None:
    """RFC 7915 §4: larger packets without DF are fragmented, here by the kernel on a second way in."""
    given = clat4(UDP(sport=1, dport=2) / Raw(bytes(size - 28)), flags=0)
    out = clat.siit(given)
    assert (out.action, out.reason) == (Action.OK, reason)
    if reason == "REFRAGMENT":
        assert out.mark == FRAG_CLAT
        assert IP(out.packet).ttl == IP(given).ttl + 1
        assert_checksums(out.packet)


def test_still_too_big_the_second_time_is_dropped(clat: Bench) -> None:
    out = clat.siit(clat4(UDP(sport=1, dport=2) / Raw(bytes(1400)), flags=0), mark=FRAG_CLAT)
    assert (out.action, out.reason) == (Action.SHOT, "STILL_TOO_BIG")


def test_ipv4_options_are_ignored(clat: Bench) -> None:
    out = clat.siit(
        clat4(
            UDP(sport=1, dport=2) / Raw(b"data"), options=[IPOption_NOP(), IPOption_RR(pointer=4, routers=["0.0.0.0"])]
        )
    )
    assert out.reason == "TRANSLATED_4TO6"
    assert bytes(IPv6(out.packet)[UDP].payload) == b"data"
    assert_checksums(out.packet)


@pytest.mark.parametrize("option", [IPOption_LSRR, IPOption_SSRR])
def test_unexpired_source_route_is_refused(clat: Bench, option: type[IPOption_LSRR]) -> None:
    given = clat4(UDP(sport=1, dport=2) / Raw(b"data"), options=[option(pointer=4, routers=["198.51.100.9"])])
    out = clat.siit(given)
    assert (out.action, out.reason) == (Action.OK, "SOURCE_ROUTE")
    assert (IP(out.packet).dst, out.packet[20], out.packet[21]) == (str(CLIENT4), 3, 5)
    assert out.packet[28:] == given
    assert_checksums(out.packet)


def test_expired_source_route_is_ignored(clat: Bench) -> None:
    out = clat.siit(clat4(UDP(sport=1, dport=2), options=[IPOption_LSRR(pointer=8, routers=["198.51.100.9"])]))
    assert out.reason == "TRANSLATED_4TO6"


@pytest.mark.parametrize(
    "extensions",
    [
        IPv6ExtHdrHopByHop(),
        IPv6ExtHdrDestOpt(),
        IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt(),
        IPv6ExtHdrRouting(type=0, segleft=0, addresses=["2001:db8::1"]),
    ],
    ids=["hop-by-hop", "destination", "two", "routing, used up"],
)
def test_extension_headers_are_skipped(clat: Bench, extensions: IPv6) -> None:
    out = clat.siit(bytes(ip6(src=server6(), dst=CLIENT6) / extensions / UDP(sport=2, dport=1) / Raw(b"payload")))
    assert out.reason == "TRANSLATED_6TO4"
    sent = IP(out.packet)
    assert (sent.proto, sent.len, bytes(sent[UDP].payload)) == (17, 35, b"payload")
    assert_checksums(out.packet)


def test_routing_header_with_segments_left_is_refused(clat: Bench) -> None:
    """RFC 7915 §5.1: parameter problem, and the pointer shows Segments Left."""
    given = bytes(
        ip6(src=server6(), dst=CLIENT6)
        / IPv6ExtHdrRouting(type=0, segleft=1, addresses=["2001:db8::1"])
        / UDP(sport=2, dport=1)
    )
    out = clat.siit(given)
    assert (out.action, out.reason) == (Action.OK, "ROUTING_HEADER")
    assert (out.packet[40], out.packet[41], int.from_bytes(out.packet[44:48], "big")) == (4, 0, 43)
    assert out.packet[48:] == given
    assert_checksums(out.packet)


def test_the_pointer_counts_a_fragment_header_that_comes_first(clat: Bench) -> None:
    routing = IPv6ExtHdrRouting(type=0, segleft=1, addresses=["2001:db8::1"])
    given = bytes(ip6(src=server6(), dst=CLIENT6) / IPv6ExtHdrFragment(id=1) / routing / UDP(sport=2, dport=1))
    out = clat.siit(given)
    assert int.from_bytes(out.packet[44:48], "big") == 40 + 8 + 3


def test_too_many_extension_headers(clat: Bench) -> None:
    chain = ip6(src=server6(), dst=CLIENT6)
    for _ in range(8):
        chain = chain / IPv6ExtHdrDestOpt()
    out = clat.siit(bytes(chain / UDP(sport=2, dport=1)))
    assert (out.action, out.reason) == (Action.SHOT, "EXTENSION_HEADERS")


def test_behind_too_many_extension_headers_may_be_an_error_which_is_not_answered(clat: Bench) -> None:
    """RFC 4443 §2.4 e: one of a source that may not use the translator, too."""
    error = bytes([0, 0, 4]) + bytes(5), bytes([58, 0, 4]) + bytes(5), b"\1\0\0\0" + bytes(44)
    packet = ip6(src=server6(), dst=server6(), nh=0) / Raw(error[0] * 6 + error[1] + error[2])
    out = clat.siit(bytes(packet))
    assert (out.reason, out.action, out.noted) == ("SOURCE_NOT_ALLOWED", Action.SHOT, {})


def test_atomic_fragment_becomes_a_whole_packet(clat: Bench) -> None:
    out = clat.siit(
        bytes(
            ip6(src=server6(), dst=CLIENT6) / IPv6ExtHdrFragment(id=0x12345678) / UDP(sport=2, dport=1) / Raw(b"x" * 9)
        )
    )
    sent = IP(out.packet)
    assert (sent.id, sent.flags.value, sent.frag) == (0x5678, 0, 0)
    assert_checksums(out.packet)


def test_fragments_6to4(clat: Bench) -> None:
    first = ip6(src=server6(), dst=CLIENT6) / IPv6ExtHdrFragment(m=1, id=0xABCD1234, nh=17)
    out = clat.siit(bytes(first / UDP(sport=2, dport=1, len=48, chksum=0x1111) / Raw(bytes(16))))
    sent = IP(out.packet)
    assert (sent.id, sent.flags.MF, sent.flags.DF, sent.frag, sent.proto) == (0x1234, True, False, 0, 17)
    later = ip6(src=server6(), dst=CLIENT6) / IPv6ExtHdrFragment(m=0, offset=3, id=0xABCD1234, nh=17) / Raw(bytes(24))
    sent = IP(clat.siit(bytes(later)).packet)
    assert (sent.id, sent.flags.MF, sent.frag, sent.len) == (0x1234, False, 3, 44)


def test_a_later_fragment_comes_within_thirty_seconds(bench: Bench) -> None:
    """As long as Linux waits; then the first one's decision may be about another datagram."""
    bench.configure(nat64_settings())
    first = ip6() / IPv6ExtHdrFragment(m=1, id=5, nh=17) / UDP(sport=2, dport=1, len=48, chksum=0x1111) / Raw(bytes(16))
    later = bytes(ip6() / IPv6ExtHdrFragment(m=0, offset=3, id=5, nh=17) / Raw(bytes(24)))
    assert bench.nat64(bytes(first)).reason == "TRANSLATED_6TO4"
    bench.advance(28)
    assert bench.nat64(later).reason == "TRANSLATED_6TO4"
    bench.advance(3)
    assert bench.nat64(later).reason == "FRAGMENT_NO_FIRST"


def test_fragments_4to6(clat: Bench) -> None:
    """On the second way in, when the kernel has made them small enough."""
    given = (
        ip4(src=CLIENT4, dst=SERVER, id=0x4321, flags="MF") / UDP(sport=1, dport=2, len=108, chksum=9) / Raw(bytes(40))
    )
    assert clat.siit(bytes(given)).reason == "REFRAGMENT"
    sent = IPv6(clat.siit(bytes(given), mark=FRAG_CLAT).packet)
    assert (sent.nh, sent[IPv6ExtHdrFragment].id, sent[IPv6ExtHdrFragment].m, sent.plen) == (44, 0x4321, 1, 56)
    later = ip4(src=CLIENT4, dst=SERVER, id=0x4321, flags=0, frag=6, proto=17) / Raw(bytes(60))
    sent = IPv6(clat.siit(bytes(later), mark=FRAG_CLAT).packet)
    assert (sent[IPv6ExtHdrFragment].offset, sent[IPv6ExtHdrFragment].m, sent.plen) == (6, 0, 68)


@pytest.mark.parametrize("first", [True, False])
def test_fragmented_echo_goes_to_the_slow_path(clat: Bench, first: bool) -> None:
    """The checksum of ICMPv6 covers a length that one fragment does not tell."""
    piece = {"flags": "MF"} if first else {"flags": 0, "frag": 10}
    out = clat.siit(wire(ip4(src=CLIENT4, dst=SERVER, id=7, **piece) / echo4(8)))
    assert (out.action, out.reason, out.slow_for) == (Action.REDIRECT, "SLOW_FRAGMENTED_ICMP", 2)
    fragment = IPv6ExtHdrFragment(m=first, offset=0 if first else 10, id=7, nh=58)
    out = clat.siit(bytes(ip6(src=server6(), dst=CLIENT6) / fragment / Raw(bytes([128, 0, 0, 0]) + bytes(36))))
    assert (out.action, out.reason, out.slow_for) == (Action.REDIRECT, "SLOW_FRAGMENTED_ICMP", 2)


def test_fragmented_udp_without_checksum_goes_to_the_slow_path(clat: Bench) -> None:
    first = ip4(src=CLIENT4, dst=SERVER, id=8, flags="MF") / UDP(sport=1, dport=2, len=88, chksum=0) / Raw(bytes(40))
    packet = bytearray(bytes(first))
    packet[26:28] = b"\0\0"
    assert clat.siit(bytes(packet)).reason == "SLOW_FRAGMENTED_UDP0"
    later = ip4(src=CLIENT4, dst=SERVER, id=8, flags=0, frag=6, proto=17) / Raw(bytes(32))
    assert clat.siit(bytes(later)).reason == "SLOW_FRAGMENTED_UDP0"
    other = ip4(src=CLIENT4, dst=SERVER, id=9, flags=0, frag=6, proto=17) / Raw(bytes(32))
    assert clat.siit(bytes(other)).reason == "REFRAGMENT"


def test_reassembled_packet_is_translated_and_cut(clat: Bench) -> None:
    out = clat.siit(wire(ip4(src=CLIENT4, dst=SERVER, flags=0) / echo4(8, data=bytes(3000))), mark=REASSEMBLED)
    assert (out.action, out.reason, out.slow_for) == (Action.REDIRECT, "SLOW_TOO_BIG", 0)
    assert_checksums(out.packet)
    big = wire(ip4(src=CLIENT4, dst=SERVER, flags=0, id=0xABCD) / echo4(8, data=bytes(1300)))
    assert clat.siit(big).frame[3:5] == b"\xab\xcd", "its fragments get the identification (RFC 7915 §4.1)"
    back = clat.siit(wire(ip6(src=server6(), dst=CLIENT6) / echo6(129, data=bytes(3000))), mark=REASSEMBLED)
    assert back.reason == "TRANSLATED_6TO4"
    assert not IP(back.packet).flags.DF
    assert_checksums(back.packet)


@pytest.mark.parametrize("proto", [47, 50, 132])
def test_siit_forwards_every_transport(clat: Bench, proto: int) -> None:
    out = clat.siit(bytes(ip4(src=CLIENT4, dst=SERVER, proto=proto) / Raw(b"whatever it is")))
    assert (out.reason, out.packet[6], out.packet[40:]) == ("TRANSLATED_4TO6", proto, b"whatever it is")


def test_igmp_is_dropped_in_silence(clat: Bench) -> None:
    """RFC 7915 §4.2: its messages are of one hop."""
    out = clat.siit(bytes(ip4(src=CLIENT4, dst=SERVER, proto=2) / Raw(b"whatever it is")))
    assert (out.action, out.reason) == (Action.SHOT, "UNKNOWN_ICMP")


def test_nat64_refuses_other_transports(bench: Bench) -> None:
    """RFC 6146 §3.4: port unreachable to IPv6, protocol unreachable to IPv4."""
    bench.configure(nat64_settings())
    out = bench.nat64(bytes(ip6(nh=132) / Raw(bytes(20))))
    assert (out.action, out.reason, out.packet[40:42]) == (Action.OK, "UNKNOWN_PROTOCOL", b"\x01\x04")
    assert_checksums(out.packet)
    out = bench.nat64(bytes(ip4(proto=132) / Raw(bytes(20))))
    assert (out.action, out.reason, out.packet[20:22]) == (Action.OK, "UNKNOWN_PROTOCOL", b"\x03\x02")
    assert_checksums(out.packet)


@pytest.mark.parametrize(
    ("mark", "packet"),
    [(NAT64_OUT, tcp6()), (NAT64_OUT | CLAT_OUT, tcp6())],
)
def test_our_own_output_never_comes_in_again(bench: Bench, mark: int, packet: bytes) -> None:
    bench.configure(nat64_settings(), siit_settings())
    assert bench.nat64(packet, mark=mark).reason == "LOOP"
    assert bench.siit(clat4(UDP(sport=1, dport=2)), mark=NAT64_OUT).reason == "LOOP"
    assert bench.siit(clat4(UDP(sport=1, dport=2)), mark=CLAT_OUT).reason == "LOOP"
    assert bench.siit(clat6(UDP(sport=1, dport=2)), mark=NAT64_OUT).reason == "TRANSLATED_6TO4"


def test_output_is_marked_and_other_bits_stay(bench: Bench) -> None:
    bench.configure(nat64_settings(), siit_settings())
    assert bench.nat64(udp6(), mark=0x123).mark == NAT64_OUT | 0x123
    assert bench.nat64(udp6(), mark=CLAT_OUT | 0x123).mark == NAT64_OUT | CLAT_OUT | 0x123
    assert bench.siit(clat4(UDP(sport=1, dport=2)), mark=0x7).mark == CLAT_OUT | 0x7


@pytest.mark.parametrize("cut", [40, 41, 47])
def test_truncated_packets_are_dropped(bench: Bench, cut: int) -> None:
    """Shorter ones than an IP header cannot be run as a test; the lab sends them."""
    bench.configure(nat64_settings())
    out = bench.nat64(udp6()[:cut])
    assert (out.action, out.reason) == (Action.SHOT, "TRUNCATED")


@pytest.mark.parametrize("field", ["ihl", "version", "length"])
def test_malformed_ipv4_header(bench: Bench, field: str) -> None:
    bench.configure(nat64_settings())
    packet = bytearray(bytes(ip4() / TCP()))
    if field == "ihl":
        packet[0] = 0x44
    elif field == "version":
        packet[0] = 0x55
    else:
        packet[2:4] = b"\x00\x10"
    out = bench.nat64(bytes(packet))
    assert (out.action, out.reason) == (Action.SHOT, "BAD_HEADER")


@pytest.mark.parametrize("protocol", [0, 43, 44, 58, 60])
def test_ipv4_protocols_that_ipv6_reads_as_its_own_headers_are_refused(clat: Bench, protocol: int) -> None:
    """Copied, an IPv4 sender would write extension headers and ICMPv6 messages that nobody translated."""
    given = bytes(ip4(src=CLIENT4, dst=SERVER, proto=protocol) / Raw(bytes([58, 0, 0, 0]) + bytes(60)))
    out = clat.siit(given)
    assert (out.action, out.reason) == (Action.OK, "UNKNOWN_PROTOCOL")
    assert (IP(out.packet).proto, IP(out.packet).dst, out.packet[20:22]) == (1, str(CLIENT4), bytes([3, 2]))
    assert_checksums(out.packet)
    quoted = bytes(ip4(src=CLIENT4, dst=SERVER, proto=protocol) / Raw(bytes([128, 0, 0, 0]) + bytes(60)))
    error = clat.siit(wire(ip4(src="198.18.0.2", dst=CLIENT4) / icmp4(3, 1, 0, quoted)))
    assert (error.action, error.reason) == (Action.SHOT, "UNKNOWN_PROTOCOL")


@pytest.mark.parametrize("size", [60, 61])
def test_icmp_in_ipv6_is_refused(clat: Bench, size: int) -> None:
    """An IPv4 host would take it for a translated ICMPv6 message."""
    out = clat.siit(bytes(ip6(src=server6(), dst=CLIENT6, nh=1) / Raw(bytes([8, 0, 0, 0]) + bytes(size))))
    assert IPv6(out.packet).plen == len(out.packet) - 40
    assert (out.action, out.reason, out.packet[6], out.packet[40:42]) == (
        Action.OK,
        "UNKNOWN_PROTOCOL",
        58,
        bytes([1, 4]),
    )
    assert_checksums(out.packet)
    quoted = bytes(ip6(src=server6(), dst=CLIENT6, nh=1) / Raw(bytes([8, 0, 0, 0]) + bytes(60)))
    error = clat.siit(wire(ip6(src=CLIENT6, dst=server6()) / icmp6(3, 0, 0, quoted)))
    assert (error.action, error.reason) == (Action.SHOT, "UNKNOWN_PROTOCOL")


@pytest.mark.parametrize(("pointer", "reason"), [(4, "SOURCE_ROUTE"), (7, "SOURCE_ROUTE"), (8, "TRANSLATED_4TO6")])
def test_a_source_route_ends_where_its_pointer_passes_its_length(clat: Bench, pointer: int, reason: str) -> None:
    """RFC 791 §3.1: the pointer of a used up route of one address is 8, its length 7."""
    given = clat4(UDP(sport=1, dport=2), options=[IPOption_LSRR(pointer=pointer, routers=["192.0.2.9"])])
    assert clat.siit(given).reason == reason


@pytest.mark.parametrize("protocol", [0, 43, 44, 51, 60])
def test_no_extension_header_in_a_fragment(clat: Bench, protocol: int) -> None:
    """RFC 7915 §5.1.1: to be dropped; AH too, which never survives translation."""
    fragment = IPv6ExtHdrFragment(nh=protocol, m=1, id=5)
    out = clat.siit(bytes(ip6(src=server6(), dst=CLIENT6) / fragment / Raw(bytes([17, 0]) + bytes(62))))
    assert (out.action, out.reason) == (Action.SHOT, "EXTENSION_HEADERS")


@pytest.mark.parametrize("length", [0, 7, 17])
def test_udp_without_checksum_whose_length_disagrees(clat: Bench, length: int) -> None:
    """A checksum over what the length says cannot be made of bytes that are not there."""
    out = clat.siit(clat4(UDP(sport=1, dport=2, chksum=0, len=length) / Raw(bytes(8))))
    assert (out.action, out.reason) == (Action.SHOT, "BAD_HEADER")


def test_udp_without_checksum_is_summed_up_to_its_length(clat: Bench) -> None:
    """What the IP packet has behind the datagram is not the datagram's, and its receiver leaves it out of the sum."""
    out = clat.siit(clat4(UDP(sport=1, dport=2, chksum=0, len=12) / Raw(b"datajunk")))
    whole = clat.siit(clat4(UDP(sport=1, dport=2, chksum=0) / Raw(b"data")))
    assert (out.reason, out.packet[46:48]) == ("TRANSLATED_4TO6", whole.packet[46:48])


@pytest.mark.parametrize("kind", [1, 3, 4, 143])
def test_no_fragmented_icmp_but_echo(clat: Bench, kind: int) -> None:
    """Errors are short, so one in fragments is nobody's honest message: not worth the slow path."""
    fragment = IPv6ExtHdrFragment(nh=58, m=1, id=5)
    out = clat.siit(bytes(ip6(src=server6(), dst=CLIENT6) / fragment / Raw(bytes([kind, 0]) + bytes(62))))
    assert (out.action, out.reason) == (Action.SHOT, "UNKNOWN_ICMP")
    out = clat.siit(bytes(ip4(src=CLIENT4, dst=SERVER, flags="MF", proto=1) / Raw(bytes([11, 0]) + bytes(62))))
    assert (out.action, out.reason) == (Action.SHOT, "UNKNOWN_ICMP")
