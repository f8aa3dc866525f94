# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The codec against scapy, which shares no code with it."""

from __future__ import annotations

import random
from ipaddress import IPv4Address, IPv6Address

import pytest
from scapy.layers.inet import ICMP as ScapyICMP
from scapy.layers.inet import IP, TCP, UDP, IPOption
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    PadN,
)
from scapy.packet import Raw

from v6native.packet import (
    DSTOPTS,
    FRAGMENT,
    HOPOPTS,
    ROUTING,
    Fault,
    FragmentHeader,
    IPv4Packet,
    IPv6Packet,
    PacketError,
    checksum,
    parse_icmp,
    parse_ipv4,
    parse_ipv6,
    parse_tcp,
    parse_udp,
    pseudo_header,
    update_checksum,
)

V4 = {"src": "192.0.2.1", "dst": "198.51.100.2"}
V6 = {"src": "2001:db8::1", "dst": "64:ff9b::198.51.100.2"}


def test_ipv4_fields() -> None:
    data = bytes(IP(**V4, tos=0x2E, ttl=7, id=0xBEEF, flags="DF") / UDP(sport=1, dport=2) / b"data")
    packet = parse_ipv4(data)
    assert packet.source == IPv4Address("192.0.2.1")
    assert packet.destination == IPv4Address("198.51.100.2")
    assert (packet.tos, packet.ttl, packet.identification) == (0x2E, 7, 0xBEEF)
    assert packet.dont_fragment and not packet.is_fragment
    assert packet.payload == data[20:]
    assert packet.to_bytes() == data


def test_ipv4_fragment_and_options() -> None:
    data = bytes(IP(**V4, flags="MF", frag=185, options=[IPOption(b"\x01")] * 4, proto=17) / Raw(b"x" * 16))
    packet = parse_ipv4(data)
    assert packet.is_fragment and packet.more_fragments
    assert packet.fragment_offset == 185 * 8
    assert packet.options == b"\x01\x01\x01\x01"
    assert packet.to_bytes() == data


def test_trailing_bytes_are_left_out() -> None:
    data = bytes(IP(**V4) / UDP() / b"x")
    assert parse_ipv4(data + b"\0" * 17).to_bytes() == data
    data = bytes(IPv6(**V6) / UDP() / b"x")
    assert parse_ipv6(data + b"\0" * 17).to_bytes() == data


def test_ipv6_fields() -> None:
    data = bytes(IPv6(**V6, tc=0xB8, fl=0x12345, hlim=9) / UDP(sport=1, dport=2) / b"data")
    packet = parse_ipv6(data)
    assert packet.source == IPv6Address("2001:db8::1")
    assert (packet.traffic_class, packet.flow_label, packet.hop_limit) == (0xB8, 0x12345, 9)
    assert packet.protocol == 17
    assert not packet.is_fragment
    assert packet.to_bytes() == data


def test_ipv6_extension_headers() -> None:
    chain = (
        IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 12)])
        / IPv6ExtHdrRouting(segleft=0)
        / IPv6ExtHdrDestOpt()
        / IPv6ExtHdrFragment(id=0xAABBCCDD, offset=0, m=1)
    )
    data = bytes(IPv6(**V6) / chain / UDP(sport=1, dport=2) / b"data1234")
    packet = parse_ipv6(data)
    assert [header.kind for header in packet.extensions] == [HOPOPTS, ROUTING, DSTOPTS]
    assert [len(header.data) for header in packet.extensions] == [16, 8, 8]
    assert packet.fragment == FragmentHeader(0xAABBCCDD, 0, True, 17)
    assert packet.is_fragment
    assert packet.to_bytes() == data


def test_an_atomic_fragment_is_no_fragment() -> None:
    data = bytes(IPv6(**V6) / IPv6ExtHdrFragment(id=1) / IPv6ExtHdrDestOpt() / UDP())
    packet = parse_ipv6(data)
    assert packet.fragment is not None and not packet.is_fragment
    assert packet.protocol == 17


def test_nothing_is_read_behind_a_real_fragment() -> None:
    data = bytes(IPv6(**V6) / IPv6ExtHdrFragment(id=1, offset=3) / Raw(b"\xff" * 16))
    assert parse_ipv6(data).fragment_offset == 24
    nested = IPv6(**V6) / IPv6ExtHdrFragment(id=1) / IPv6ExtHdrFragment(id=2) / UDP()
    assert parse_ipv6(bytes(nested)).protocol == FRAGMENT


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda data: data[:19], Fault.TRUNCATED),
        (lambda data: data[:-1], Fault.TRUNCATED),
        (lambda data: b"\x65" + data[1:], Fault.BAD_HEADER),
        (lambda data: b"\x44" + data[1:], Fault.BAD_HEADER),
        (lambda data: data[:2] + b"\0\x13" + data[4:], Fault.BAD_HEADER),
        (lambda data: data[:8] + b"\x01" + data[9:], Fault.BAD_CHECKSUM),
    ],
)
def test_ipv4_faults(change, fault: Fault) -> None:  # type: ignore[no-untyped-def]
    data = bytes(IP(**V4, ttl=64) / UDP() / b"data")
    with pytest.raises(PacketError) as caught:
        parse_ipv4(change(data))
    assert caught.value.fault is fault


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda data: data[:39], Fault.TRUNCATED),
        (lambda data: data[:-1], Fault.TRUNCATED),
        (lambda data: b"\x45" + data[1:], Fault.BAD_HEADER),
        (lambda data: data[:41] + b"\x09" + data[42:], Fault.TRUNCATED),
    ],
)
def test_ipv6_faults(change, fault: Fault) -> None:  # type: ignore[no-untyped-def]
    data = bytes(IPv6(**V6) / IPv6ExtHdrDestOpt() / UDP() / b"data")
    with pytest.raises(PacketError) as caught:
        parse_ipv6(change(data))
    assert caught.value.fault is fault


def test_a_quote_may_be_cut() -> None:
    data = bytes(IP(**V4) / UDP() / (b"x" * 100))
    packet = parse_ipv4(data[:28], quoted=True)
    assert (len(packet.payload), packet.cut, packet.announced) == (8, 100, 108)
    assert packet.to_bytes() == data[:28]
    data = bytes(IPv6(**V6) / UDP() / (b"x" * 100))
    cut = parse_ipv6(data[:48], quoted=True)
    assert (len(cut.payload), cut.cut, cut.announced) == (8, 100, 108)
    assert cut.to_bytes() == data[:48]


def test_transport_headers() -> None:
    segment = bytes(TCP(sport=1, dport=2, seq=3, ack=4, flags="SA", window=5, options=[("MSS", 1460)]))
    header = parse_tcp(segment)
    assert (header.source_port, header.destination_port, header.sequence, header.acknowledgment) == (1, 2, 3, 4)
    assert header.flags == 0x12
    assert header.options == b"\x02\x04\x05\xb4"
    assert header.to_bytes() == segment
    datagram = bytes(UDP(sport=1, dport=2) / b"abc")
    assert parse_udp(datagram).length == 11
    assert parse_udp(datagram).to_bytes() == datagram[:8]
    message = bytes(ScapyICMP(type=3, code=4, nexthopmtu=1300))
    assert parse_icmp(message).rest == 1300
    assert parse_icmp(message).to_bytes() == message[:8]


@pytest.mark.parametrize("parse", [parse_tcp, parse_udp, parse_icmp])
def test_short_transport_headers(parse) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PacketError):
        parse(b"\0" * 7)


def test_checksum_example_of_rfc1071() -> None:
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2


def test_pseudo_headers_as_scapy_sums_them() -> None:
    udp = bytes(IP(**V4) / UDP(sport=1, dport=2) / b"abc")[20:]
    pseudo = pseudo_header(IPv4Address(V4["src"]), IPv4Address(V4["dst"]), 17, len(udp))
    assert checksum(pseudo + udp) == 0
    icmp = bytes(IPv6(**V6) / ICMPv6EchoRequest(id=1, seq=2, data=b"abc"))[40:]
    assert checksum(pseudo_header(IPv6Address(V6["src"]), IPv6Address(V6["dst"]), 58, len(icmp)) + icmp) == 0


def test_update_is_as_good_as_computing_anew(rng: random.Random) -> None:
    for _ in range(200):
        before, after, rest = rng.randbytes(8), rng.randbytes(12), rng.randbytes(30)
        updated = update_checksum(checksum(before + rest), before, after)
        assert updated % 0xFFFF == checksum(after + rest) % 0xFFFF


def test_building_defaults() -> None:
    four = IPv4Packet(IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2"), 17, b"12345678")
    assert parse_ipv4(four.to_bytes()) == four
    six = IPv6Packet(IPv6Address("2001:db8::1"), IPv6Address("2001:db8::2"), 17, b"12345678")
    assert parse_ipv6(six.to_bytes()) == six


def test_where_extension_headers_lie() -> None:
    """Behind a fragment header, too, of a packet that is whole."""
    chain = bytes([44, 0, *bytes(6)]) + bytes([43, 0, *bytes(6)]) + bytes([59, 0, *bytes(6)])
    packet = parse_ipv6(b"\x60\0\0\0" + len(chain).to_bytes(2, "big") + b"\x3c\x40" + bytes(32) + chain)
    assert [(extension.kind, extension.at) for extension in packet.extensions] == [(60, 40), (43, 56)]
