# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""IPv6 to IPv4: the header, fragments, extension headers, transport checksums (RFC 7915 §5.1, §5.1.1, §5.5)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6MLQuery,
    ICMPv6ND_NS,
    ICMPv6ParamProblem,
    ICMPv6TimeExceeded,
    ICMPv6Unknown,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.packet import Packet, Raw

from tests.unit.translate.world import (
    LAPTOP4,
    LAPTOP6,
    NODE4,
    NODE6,
    SERVER4,
    SERVER6,
    SETTINGS,
    answered,
    make_siit,
    refused,
    translated,
)
from v6native.translate.verdict import Arrival

V6 = {"src": SERVER6, "dst": LAPTOP6}
ABOUT = ICMPv6TimeExceeded() / IPv6(**V6) / UDP()


def to4(packet: Packet) -> Packet:
    return IP(translated(make_siit().translate(bytes(packet))))


def why(packet: Packet) -> str:
    return refused(make_siit().translate(bytes(packet)))


def test_the_plain_header() -> None:
    out = to4(IPv6(**V6, tc=0xB9, fl=0x12345, hlim=63) / UDP(sport=53, dport=5353) / b"hello")
    assert (out.src, out.dst) == (SERVER4, LAPTOP4)
    assert (out.version, out.ihl, out.tos, out.proto, out.ttl) == (4, 5, 0xB9, 17, 64)
    assert (out.len, out.frag, int(out.flags)) == (33, 0, 0)
    assert out.id == 0x1234
    assert (out[UDP].sport, out[UDP].dport, bytes(out[UDP].payload)) == (53, 5353, b"hello")


@pytest.mark.parametrize(("hop_limit", "ttl"), [(0, 1), (1, 2), (254, 255), (255, 255)])
def test_the_node_adds_the_hop_that_the_kernel_takes_twice(hop_limit: int, ttl: int) -> None:
    assert to4(IPv6(**V6, hlim=hop_limit) / UDP()).ttl == ttl


@pytest.mark.parametrize(("size", "flag"), [(1260, ""), (1261, "DF")])
def test_df_above_1260(size: int, flag: str) -> None:
    out = to4(IPv6(**V6) / UDP() / (b"x" * (size - 28)))
    assert out.len == size
    assert out.flags == flag


def test_what_was_reassembled_may_be_fragmented_again() -> None:
    packet = bytes(IPv6(**V6) / UDP() / (b"x" * 2000))
    assert IP(translated(make_siit().translate(packet, arrival=Arrival.REASSEMBLED))).flags == ""


@pytest.mark.parametrize(("offset", "more"), [(0, 1), (181, 1), (362, 0)])
def test_fragments(offset: int, more: int) -> None:
    fragment = IPv6ExtHdrFragment(nh=17, id=0xAABBCCDD, offset=offset, m=more)
    out = to4(IPv6(**V6) / fragment / Raw(b"\x00\x35\x00\x35\x00\x18\xaa\xbb" + b"x" * 16))
    assert out.id == 0xCCDD
    assert (out.frag, out.flags.MF, out.flags.DF) == (offset, more, 0)
    assert (out.len, out.proto) == (44, 17)
    assert bytes(out.payload)[8:] == b"x" * 16


def test_an_atomic_fragment_is_whole_and_may_be_fragmented() -> None:
    out = to4(IPv6(**V6) / IPv6ExtHdrFragment(id=0x10007) / UDP() / (b"x" * 1300))
    assert (out.id, out.frag, int(out.flags)) == (7, 0, 0)


@pytest.mark.parametrize("next_header", [0, 43, 44, 51, 60])
def test_a_fragmented_extension_header_is_dropped(next_header: int) -> None:
    fragment = IPv6ExtHdrFragment(nh=next_header, id=1, m=1)
    assert why(IPv6(**V6) / fragment / Raw(b"\x11" + b"\0" * 31)) == "EXTENSION_HEADERS"


def test_extension_headers_are_skipped() -> None:
    chain = IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting(segleft=0) / IPv6ExtHdrDestOpt()
    out = to4(IPv6(**V6) / chain / TCP(sport=1, dport=2) / b"data")
    assert (out.len, out.proto) == (20 + 20 + 4, 6)
    assert bytes(out[TCP].payload) == b"data"


def test_more_extension_headers_than_rfc8200_lists() -> None:
    packet = IPv6(**V6)
    for _ in range(7):
        packet = packet / IPv6ExtHdrDestOpt()
    assert why(packet / UDP()) == "EXTENSION_HEADERS"


def test_segments_left_are_answered_with_their_place() -> None:
    chain = IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting(segleft=2, addresses=["2001:db8::1", "2001:db8::2"])
    packet = bytes(IPv6(**V6) / chain / UDP())
    data, reason = answered(make_siit().translate(packet))
    answer = IPv6(data)
    assert reason == "ROUTING_HEADER"
    assert (answer.src, answer.dst) == (NODE6, SERVER6)
    assert (answer[ICMPv6ParamProblem].code, answer[ICMPv6ParamProblem].ptr) == (0, 40 + 8 + 3)
    assert data[48:] == packet


@pytest.mark.parametrize("protocol", [33, 41, 47, 50, 59, 132])
def test_other_protocols_are_copied(protocol: int) -> None:
    out = to4(IPv6(**V6, nh=protocol) / Raw(b"whatever"))
    assert (out.proto, bytes(out.payload)) == (protocol, b"whatever")


def test_raw_icmp4_in_ipv6_is_refused() -> None:
    _, reason = answered(make_siit().translate(bytes(IPv6(**V6, nh=1) / Raw(b"\x05\x01" + b"\0" * 30))))
    assert reason == "UNKNOWN_PROTOCOL"


@pytest.mark.parametrize(("message", "new_type"), [(ICMPv6EchoRequest, 8), (ICMPv6EchoReply, 0)])
def test_echo(message: type[Packet], new_type: int) -> None:
    out = to4(IPv6(**V6) / message(id=77, seq=3, data=b"ping"))
    assert (out.proto, out["ICMP"].type, out["ICMP"].code) == (1, new_type, 0)
    assert (out["ICMP"].id, out["ICMP"].seq) == (77, 3)


@pytest.mark.parametrize(
    "message",
    [
        ICMPv6MLQuery(),
        ICMPv6ND_NS(),
        ICMPv6Unknown(type=200, msgbody=b"data"),
        ICMPv6Unknown(type=139, msgbody=b"data"),
    ],
)
def test_other_information_is_dropped(message: Packet) -> None:
    assert why(IPv6(**V6) / message) == "UNKNOWN_ICMP"


def test_udp_without_checksum_is_dropped() -> None:
    assert why(IPv6(**V6) / UDP(chksum=0) / b"x") == "UDP_NO_CHECKSUM"


def test_udp_whose_checksum_would_be_zero() -> None:
    """One of 65536 payload words makes the IPv4 checksum zero, which says "none": it is sent as 0xffff."""
    zero = bytes(IP(src=SERVER4, dst=LAPTOP4) / UDP(sport=1, dport=2) / b"\0\0")
    word = int.from_bytes(zero[26:28])
    out = to4(IPv6(**V6) / UDP(sport=1, dport=2) / word.to_bytes(2))
    assert out[UDP].chksum == 0xFFFF


def test_a_wrong_checksum_stays_wrong() -> None:
    good = bytes(IPv6(**V6) / TCP(sport=1, dport=2) / b"data")
    bad = good[:-1] + b"!"
    result = make_siit().translate(bad)
    assert hasattr(result, "packet")
    with pytest.raises(AssertionError, match="expected"):
        translated(result)


def test_fragmented_icmp_goes_to_the_slow_path() -> None:
    for offset, more in ((0, 1), (2, 0)):
        fragment = IPv6ExtHdrFragment(nh=58, id=1, offset=offset, m=more)
        assert why(IPv6(**V6) / fragment / Raw(b"\x80\0" + b"\0" * 14)) == "SLOW_FRAGMENTED_ICMP"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"dst": "ff0e::1"}, "PASS_MULTICAST"),
        ({"src": "ff0e::1"}, "BAD_SOURCE"),
        ({"plen": 600}, "TRUNCATED"),
        ({"plen": 7}, "TRUNCATED"),
        ({"version": 5}, "PASS_NOT_IP"),
    ],
)
def test_refused_headers(change: dict[str, object], reason: str) -> None:
    assert why(IPv6(**(V6 | change)) / UDP() / b"x") == reason


@pytest.mark.parametrize("end", ["src", "dst"])
def test_what_has_no_mapping_is_prohibited(end: str) -> None:
    packet = IPv6(**(V6 | {end: "2001:db8:ffff::1"})) / UDP() / b"x"
    answer, reason = answered(make_siit().translate(bytes(packet)))
    assert (reason, answer[40:42], IPv6(answer).dst) == ("NO_MAPPING", b"\x01\x01", packet.src)


def test_a_first_fragment_without_the_transport_header() -> None:
    assert why(IPv6(**V6) / IPv6ExtHdrFragment(nh=6, m=1) / Raw(b"x" * 16)) == "FRAGMENT_TOO_SMALL"


def test_longer_than_ipv4_can_say() -> None:
    assert why(IPv6(**V6, nh=17) / Raw(b"\0\1\0\1\xff\xff\1\1" + b"x" * 65520)) == "BAD_HEADER"


def test_both_ends_in_the_pref64_are_answered_once() -> None:
    packet = IPv6(src=SERVER6, dst="2001:db8:64:64::192.0.2.9")
    data, reason = answered(make_siit().translate(bytes(packet / UDP() / b"x")))
    assert reason == "SOURCE_NOT_ALLOWED"
    assert (IPv6(data)["ICMPv6DestUnreach"].code, IPv6(data).dst) == (1, SERVER6)
    error = packet / ICMPv6TimeExceeded() / IPv6(src=LAPTOP6, dst=SERVER6) / UDP()
    assert why(error) == "SOURCE_NOT_ALLOWED"


def test_an_answer_fits_the_lowest_mtu() -> None:
    packet = IPv6(src=SERVER6, dst="2001:db8:64:64::192.0.2.9") / UDP() / (b"x" * 3000)
    data, _ = answered(make_siit().translate(bytes(packet)))
    assert len(data) == 1280


def test_only_a_first_fragment_is_answered() -> None:
    packet = IPv6(src=SERVER6, dst="2001:db8:64:64::192.0.2.9")
    assert why(packet / IPv6ExtHdrFragment(nh=17, offset=2) / Raw(b"x" * 16)) == "SOURCE_NOT_ALLOWED"


def test_a_router_without_mapping_speaks_to_the_source_of_what_it_quotes() -> None:
    router = "2001:db8:64:ff::1"
    assert to4(IPv6(src=router, dst=SERVER6) / ICMPv6TimeExceeded() / IPv6(**V6) / UDP()).src == NODE4
    elsewhere = "2001:db8:64:64::c633:6451"
    assert why(IPv6(src=router, dst=elsewhere) / ICMPv6TimeExceeded() / IPv6(**V6) / UDP()) == "NO_MAPPING"
    nobody = IPv6(src=SERVER6, dst=elsewhere) / UDP()
    assert why(IPv6(src=router, dst=SERVER6) / ICMPv6TimeExceeded() / nobody) == "NO_MAPPING"


def test_a_router_is_always_lent_the_same_address_of_the_pool() -> None:
    pool = IPv4Network("192.0.2.64/26")
    siit = make_siit(replace(SETTINGS, icmp_pool4=pool))
    found = [
        IP(translated(siit.translate(bytes(IPv6(src=f"2001:db8:{n:x}::1", dst=SERVER6) / ABOUT)))).src
        for n in [*range(1, 21), *range(1, 21)]
    ]
    assert found[:20] == found[20:]
    assert all(IPv4Address(address) in pool for address in found)
    assert len(set(found)) > 12, "twenty routers on 64 addresses"
