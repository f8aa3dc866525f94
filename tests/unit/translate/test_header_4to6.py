# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""IPv4 to IPv6: the header, fragments, options, transport checksums (RFC 7915 §4.1, §4.5)."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption, IPOption_LSRR, IPOption_RR, IPOption_SSRR
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.packet import Packet, Raw

from tests.unit.translate.world import (
    LAPTOP4,
    LAPTOP6,
    NODE4,
    SERVER4,
    SERVER6,
    SETTINGS,
    answered,
    make_siit,
    refused,
    translated,
)
from v6native.packet import IPv4Packet
from v6native.translate.verdict import Arrival, Passed, Slow

V4 = {"src": LAPTOP4, "dst": SERVER4}


def to6(packet: Packet, arrival: Arrival = Arrival.FRESH) -> Packet:
    return IPv6(translated(make_siit().translate(bytes(packet), arrival=arrival)))


def why(packet: Packet, arrival: Arrival = Arrival.FRESH) -> str:
    return refused(make_siit().translate(bytes(packet), arrival=arrival))


def test_the_plain_header() -> None:
    out = to6(IP(**V4, tos=0xB9, ttl=63, id=77, flags="DF") / UDP(sport=53, dport=5353) / b"hello")
    assert (out.src, out.dst) == (LAPTOP6, SERVER6)
    assert (out.version, out.tc, out.fl, out.nh, out.hlim, out.plen) == (6, 0xB9, 0, 17, 64, 13)
    assert (out[UDP].sport, out[UDP].dport, bytes(out[UDP].payload)) == (53, 5353, b"hello")


@pytest.mark.parametrize(("ttl", "hop_limit"), [(0, 1), (1, 2), (254, 255), (255, 255)])
def test_the_node_adds_the_hop_that_the_kernel_takes_twice(ttl: int, hop_limit: int) -> None:
    assert to6(IP(**V4, ttl=ttl) / UDP()).hlim == hop_limit


def test_no_fragment_header_without_fragments() -> None:
    assert IPv6ExtHdrFragment not in to6(IP(**V4, id=7) / UDP() / (b"x" * 1232))


@pytest.mark.parametrize(("offset", "more"), [(0, 1), (100, 1), (200, 0)])
def test_fragments(offset: int, more: int) -> None:
    flags = "MF" if more else ""
    packet = IP(**V4, id=0xBEEF, frag=offset, flags=flags, proto=6) / Raw(b"\0\1\0\2" + b"x" * 28)
    assert why(packet) == "REFRAGMENT"  # whatever its size: others of the datagram may be larger
    out = to6(packet, Arrival.REFRAGMENTED)
    header = out[IPv6ExtHdrFragment]
    assert (out.nh, out.plen) == (44, 40)
    assert (header.nh, header.id, header.offset, header.m) == (6, 0xBEEF, offset, more)


def test_options_are_ignored() -> None:
    out = to6(IP(**V4, options=[IPOption_RR(routers=["0.0.0.0"]), IPOption(b"\x01")]) / UDP() / b"x")
    assert (out.plen, out.nh) == (9, 17)


@pytest.mark.parametrize("option", [IPOption_LSRR, IPOption_SSRR])
def test_a_source_route_is_answered(option: type[Packet]) -> None:
    packet = bytes(IP(**V4, options=[IPOption(b"\x01"), option(routers=["192.0.2.7"], pointer=4)]) / UDP() / b"x")
    data, reason = answered(make_siit().translate(packet))
    out = IP(data)
    assert reason == "SOURCE_ROUTE"
    assert (out.src, out.dst, out[ICMP].type, out[ICMP].code) == (NODE4, LAPTOP4, 3, 5)
    assert data[28:] == packet


def test_an_expired_source_route_is_ignored() -> None:
    route = IPOption_LSRR(routers=["192.0.2.7"], pointer=8)
    assert to6(IP(**V4, options=[route], proto=47) / Raw(b"data")).nh == 47


def test_a_broken_option() -> None:
    packet = IPv4Packet(IPv4Address(LAPTOP4), IPv4Address(SERVER4), 17, b"\0" * 8, options=b"\x82\x01\x00\x00")
    assert refused(make_siit().translate(packet.to_bytes())) == "BAD_HEADER"


@pytest.mark.parametrize(("message", "new_type"), [(8, 128), (0, 129)])
def test_echo(message: int, new_type: int) -> None:
    out = to6(IP(**V4) / ICMP(type=message, id=77, seq=3) / b"ping")
    assert (out.nh, out.payload.type, out.payload.code) == (58, new_type, 0)
    assert (out.payload.id, out.payload.seq) == (77, 3)


@pytest.mark.parametrize("icmp_type", [1, 2, 7, 9, 10, 13, 14, 15, 16, 17, 18, 30, 42])
def test_other_queries_are_dropped(icmp_type: int) -> None:
    assert why(IP(**V4, proto=1) / Raw(bytes([icmp_type]) + b"\0" * 11)) == "UNKNOWN_ICMP"


@pytest.mark.parametrize("protocol", [33, 47, 50, 51, 132])
def test_other_protocols_are_copied(protocol: int) -> None:
    out = to6(IP(**V4, proto=protocol) / Raw(b"whatever"))
    assert (out.nh, bytes(out)[40:]) == (protocol, b"whatever")


@pytest.mark.parametrize("protocol", [0, 43, 44, 58, 60])
def test_what_ipv6_would_read_as_its_own_is_refused(protocol: int) -> None:
    data, reason = answered(make_siit().translate(bytes(IP(**V4, proto=protocol) / Raw(b"\0" * 16))))
    assert reason == "UNKNOWN_PROTOCOL"
    assert (IP(data)[ICMP].type, IP(data)[ICMP].code) == (3, 2)


def test_udp_without_checksum_gets_one() -> None:
    out = to6(IP(**V4) / UDP(sport=1, dport=2, chksum=0) / b"data!")
    assert out[UDP].chksum != 0


def test_udp_without_checksum_and_with_a_wrong_length() -> None:
    assert why(IP(**V4) / UDP(chksum=0, len=40) / b"data") == "BAD_HEADER"


def test_fragmented_udp_without_checksum_goes_to_the_slow_path_whole() -> None:
    siit = make_siit()
    first = IP(**V4, id=5, flags="MF", proto=17) / Raw(bytes(UDP(sport=1, dport=2, len=40, chksum=0)) + b"x" * 16)
    later = IP(**V4, id=5, frag=3, proto=17) / Raw(b"x" * 16)
    other = IP(**V4, id=6, frag=3, proto=17) / Raw(b"x" * 16)
    assert refused(siit.translate(bytes(first), 1.0)) == "SLOW_FRAGMENTED_UDP0"
    assert refused(siit.translate(bytes(later), 1.0)) == "SLOW_FRAGMENTED_UDP0"
    translated(siit.translate(bytes(other), 1.0, Arrival.REFRAGMENTED))
    translated(siit.translate(bytes(later), 60.0, Arrival.REFRAGMENTED))


@pytest.mark.parametrize(("frag", "flags"), [(0, "MF"), (3, "")])
def test_fragmented_icmp_goes_to_the_slow_path(frag: int, flags: str) -> None:
    assert why(IP(**V4, frag=frag, flags=flags, proto=1) / Raw(b"\x08\0" + b"\0" * 14)) == "SLOW_FRAGMENTED_ICMP"


def test_what_must_be_fragmented_goes_to_the_kernel_first() -> None:
    packet = bytes(IP(**V4, ttl=60) / UDP() / (b"x" * 1233))
    result = make_siit().translate(packet)
    assert isinstance(result, Passed) and result.reason.name == "REFRAGMENT"
    again = IP(result.packet)
    assert again.ttl == 61 and bytes(again.payload) == packet[20:]
    assert refused(make_siit().translate(packet, arrival=Arrival.REFRAGMENTED)) == "STILL_TOO_BIG"
    assert why(IP(**V4, ttl=255) / UDP() / (b"x" * 1233)) == "STILL_TOO_BIG"


def test_df_leaves_the_size_to_path_mtu_discovery() -> None:
    assert to6(IP(**V4, flags="DF") / TCP() / (b"x" * 1400)).plen == 1420


@pytest.mark.parametrize(("size", "fits"), [(1232, True), (1240, False)])
def test_a_fragment_must_leave_room_for_its_header(size: int, fits: bool) -> None:
    packet = bytes(IP(**V4, frag=10, flags="MF", proto=17) / Raw(b"x" * size))
    result = make_siit().translate(packet, arrival=Arrival.REFRAGMENTED)
    assert len(translated(result)) == 1280 if fits else refused(result) == "STILL_TOO_BIG"


def test_the_limit_can_be_raised() -> None:
    settings = type(SETTINGS)(SETTINGS.icmp6_source, SETTINGS.icmp4_source, lowest_ipv6_mtu=1400)
    packet = bytes(IP(**V4) / UDP() / (b"x" * 1352))
    assert len(translated(make_siit(settings).translate(packet))) == 1400


@pytest.mark.parametrize("arrival", [Arrival.FRESH, Arrival.REASSEMBLED])
def test_big_icmp_is_translated_then_cut(arrival: Arrival) -> None:
    result = make_siit().translate(bytes(IP(**V4) / ICMP(id=1) / (b"x" * 2000)), arrival=arrival)
    assert isinstance(result, Slow) and result.reason.name == "SLOW_TOO_BIG"
    assert IPv6(result.packet).plen == 2008


def test_reassembled_udp_is_translated_then_cut() -> None:
    packet = bytes(IP(**V4) / UDP(chksum=0) / (b"x" * 2000))
    result = make_siit().translate(packet, arrival=Arrival.REASSEMBLED)
    assert isinstance(result, Slow) and result.reason.name == "SLOW_TOO_BIG"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"dst": "224.0.0.5"}, "PASS_MULTICAST"),
        ({"src": "0.0.0.0"}, "BAD_SOURCE"),
        ({"src": "127.0.0.1"}, "BAD_SOURCE"),
        ({"src": "239.1.1.1"}, "BAD_SOURCE"),
        ({"src": "255.255.255.255"}, "BAD_SOURCE"),
        ({"chksum": 1}, "BAD_CHECKSUM"),
        ({"len": 600}, "TRUNCATED"),
        ({"len": 27}, "TRUNCATED"),
        ({"len": 19}, "BAD_HEADER"),
        ({"ihl": 4}, "BAD_HEADER"),
    ],
)
def test_refused_headers(change: dict[str, object], reason: str) -> None:
    assert why(IP(**(V4 | change)) / UDP() / b"x") == reason


@pytest.mark.parametrize(
    ("segment", "reason"),
    [(TCP(dataofs=4), "BAD_HEADER"), (Raw(b"x" * 19), "TRUNCATED")],
)
def test_refused_segments(segment: Packet, reason: str) -> None:
    assert why(IP(**V4, proto=6) / segment) == reason


def test_neither_end_mapped_is_answered() -> None:
    packet = IP(src="192.0.2.9", dst=SERVER4) / UDP() / (b"x" * 1000)
    data, reason = answered(make_siit().translate(bytes(packet)))
    assert reason == "SOURCE_NOT_ALLOWED"
    assert len(data) == 576
    assert (IP(data)[ICMP].type, IP(data)[ICMP].code, IP(data).dst) == (3, 13, "192.0.2.9")


def test_an_icmp_error_is_never_answered() -> None:
    error = IP(src="192.0.2.9", dst=SERVER4) / ICMP(type=11) / IP(src=SERVER4, dst="192.0.2.9") / UDP()
    assert why(error) == "SOURCE_NOT_ALLOWED"
