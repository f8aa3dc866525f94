# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Packets of any shape: what goes there comes back, checksums are right, and no bytes at all raise anything."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6TimeExceeded, IPv6, IPv6ExtHdrFragment
from scapy.packet import Packet, Raw

from tests.unit.translate.world import (
    CLIENT6,
    LAPTOP4,
    LAPTOP6,
    POOL4,
    SERVER4,
    SERVER6,
    make_nat64,
    make_rules,
    make_siit,
    scapy,
    translated,
)
from v6native.packet import parse_ipv4, parse_ipv6
from v6native.translate.bib import Binding
from v6native.translate.nat64 import Nat64
from v6native.translate.reasons import Kind
from v6native.translate.verdict import Answered, Arrival, Dropped, Passed, Result, Slow, Translated

PORT = st.integers(0, 65535)
DATA = st.binary(max_size=1200)
KINDS = {Translated: {Kind.DONE}, Answered: {Kind.ANSWERED}, Passed: {Kind.PASS}, Slow: {Kind.SLOW}}

TRANSPORTS4 = st.one_of(
    st.builds(lambda s, d, data: UDP(sport=s, dport=d) / data, PORT, PORT, DATA),
    st.builds(
        lambda s, d, flags, data: TCP(sport=s, dport=d, flags=flags) / data, PORT, PORT, st.integers(0, 255), DATA
    ),
    st.builds(lambda kind, n, data: ICMP(type=kind, id=n, seq=1) / data, st.sampled_from([0, 8]), PORT, DATA),
)
TRANSPORTS6 = st.one_of(
    st.builds(lambda s, d, data: UDP(sport=s, dport=d) / data, PORT, PORT, DATA),
    st.builds(
        lambda s, d, flags, data: TCP(sport=s, dport=d, flags=flags) / data, PORT, PORT, st.integers(0, 255), DATA
    ),
    st.builds(
        lambda kind, n, data: kind(id=n, seq=1, data=data),
        st.sampled_from([ICMPv6EchoRequest, ICMPv6EchoReply]),
        PORT,
        DATA,
    ),
)


@st.composite
def packets4(draw: st.DrawFn) -> Packet:
    header = IP(src=LAPTOP4, dst=SERVER4, tos=draw(st.integers(0, 255)), ttl=draw(st.integers(0, 254)), flags="DF")
    return header / draw(TRANSPORTS4)


@st.composite
def packets6(draw: st.DrawFn) -> Packet:
    header = IPv6(src=SERVER6, dst=LAPTOP6, tc=draw(st.integers(0, 255)), hlim=draw(st.integers(0, 254)))
    return header / draw(TRANSPORTS6)


def without_udp_zero(transport: bytes) -> bytes:
    """0 and 0xffff are one sum in a UDP checksum, and only the second says that there is one."""
    return transport[:6] + (b"\xff\xff" if transport[6:8] == b"\0\0" else transport[6:8]) + transport[8:]


@given(packets4())
def test_stateless_4to6_and_back(packet: Packet) -> None:
    before = bytes(packet)
    siit = make_siit()
    inward = translated(siit.translate(before))
    after = parse_ipv4(translated(siit.translate(inward)))
    original = parse_ipv4(before)
    assert (after.tos, after.protocol, after.source) == (original.tos, original.protocol, original.source)
    if original.protocol == 17:
        assert without_udp_zero(after.payload) == without_udp_zero(original.payload)
    else:
        assert after.payload == original.payload


@given(packets6())
def test_stateless_6to4_and_back(packet: Packet) -> None:
    before = bytes(packet)
    siit = make_siit()
    outward = translated(siit.translate(before))
    after, original = parse_ipv6(translated(siit.translate(outward))), parse_ipv6(before)
    assert (after.traffic_class, after.protocol, after.source) == (
        original.traffic_class,
        original.protocol,
        original.source,
    )
    assert after.payload == original.payload


@given(PORT, PORT, st.binary(min_size=1, max_size=1200), st.integers(0, 1000))
def test_fragments_add_up_to_what_the_whole_becomes(sport: int, dport: int, data: bytes, words: int) -> None:
    """Translated in pieces and put together is translated whole (RFC 7915 §4.1, §5.1.1)."""
    whole = bytes(IPv6(src=SERVER6, dst=LAPTOP6) / UDP(sport=sport, dport=dport) / data)
    payload = whole[40:]
    size = 8 * (1 + words % ((len(payload) - 1) // 8))
    siit = make_siit()
    joined = b""
    for at in range(0, len(payload), size):
        header = IPv6ExtHdrFragment(nh=17, id=99, offset=at // 8, m=int(at + size < len(payload)))
        piece = bytes(IPv6(src=SERVER6, dst=LAPTOP6) / header / Raw(payload[at : at + size]))
        out = parse_ipv4(translated(siit.translate(piece)))
        assert out.fragment_offset == len(joined)
        joined += out.payload
    assert joined == parse_ipv4(translated(siit.translate(whole))).payload


@given(TRANSPORTS6.filter(lambda layer: not isinstance(layer, TCP)))
def test_stateful_there_and_the_mirror_image_back(transport: Packet) -> None:
    nat64 = make_nat64()
    sent = IPv6(src=CLIENT6, dst=SERVER6) / transport
    out = scapy(translated(nat64.translate(bytes(sent), 0.0)))
    assert (out.src, out.dst) == (POOL4, SERVER4)
    reply: Packet = IP(src=SERVER4, dst=POOL4)
    if isinstance(transport, UDP):
        reply = reply / UDP(sport=out[UDP].dport, dport=out[UDP].sport) / b"reply"
    else:
        reply = reply / ICMP(type=0, id=out[ICMP].id, seq=1) / b"reply"
    got = scapy(translated(nat64.translate(bytes(reply), 1.0)))
    assert (got.src, got.dst) == (SERVER6, CLIENT6)
    if isinstance(transport, UDP):
        assert (got[UDP].sport, got[UDP].dport) == (transport.dport, transport.sport)
    else:
        assert got.payload.id == transport.id


def static_nat64() -> Nat64:
    entries = tuple(
        Binding(protocol, 0, IPv6Address(CLIENT6), 53, IPv4Address(POOL4), 53, static=True) for protocol in (1, 6, 17)
    )
    return make_nat64(replace(make_rules(), static=entries))


SEEDS = [
    bytes(packet)
    for packet in (
        IP(src=LAPTOP4, dst=SERVER4) / UDP(sport=53, dport=53) / b"data",
        IP(src=SERVER4, dst=POOL4) / TCP(sport=80, dport=53, flags="S"),
        IP(src=SERVER4, dst=POOL4) / ICMP(type=8, id=53) / b"data",
        IP(src=SERVER4, dst=POOL4) / ICMP(type=11) / IP(src=POOL4, dst=SERVER4) / UDP(sport=53, dport=53),
        IP(src=LAPTOP4, dst=SERVER4) / ICMP(type=3) / IP(src=SERVER4, dst=LAPTOP4) / TCP(),
        IP(src=SERVER4, dst=POOL4, flags="MF", id=1, proto=17) / Raw(bytes(UDP(dport=53, chksum=0)) + b"x" * 8),
        IPv6(src=CLIENT6, dst=SERVER6) / TCP(sport=53, flags="S"),
        IPv6(src=CLIENT6, dst="2001:db8:64:64::cb00:7101") / UDP(sport=7, dport=53) / b"hairpin",
        IPv6(src=CLIENT6, dst=SERVER6) / IPv6ExtHdrFragment(nh=17, m=1) / Raw(b"\0\x35\0\x35\0\x18\1\1" + b"x" * 8),
        IPv6(src=CLIENT6, dst=SERVER6) / ICMPv6TimeExceeded() / IPv6(src=SERVER6, dst=CLIENT6) / UDP(dport=53),
        IPv6(src=SERVER6, dst=LAPTOP6) / ICMPv6TimeExceeded() / IPv6(src=LAPTOP6, dst=SERVER6) / UDP(),
    )
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A packet that almost makes sense: some bytes changed, perhaps cut or grown."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for at, value in draw(st.lists(st.tuples(st.integers(0, 63), st.integers(0, 255)), max_size=4)):
        data[at % len(data)] = value
    end = draw(st.integers(0, len(data) + 8))
    data = data[:end] if draw(st.booleans()) else data
    if draw(st.booleans()) and len(data) >= 20 and data[0] == 0x45:
        data = bytearray(
            bytes(IP(src=".".join(map(str, data[12:16])), dst=".".join(map(str, data[16:20])), proto=data[9]))
            + data[20:]
        )
    return bytes(data)


def judge(result: Result) -> None:
    if isinstance(result, Dropped):
        assert result.reason.kind in (Kind.DROP, Kind.ANSWERED)  # an error is due, but not to an error
        return
    assert result.reason.kind in KINDS[type(result)]
    if isinstance(result, Translated | Answered):
        packet = parse_ipv4(result.packet) if result.packet[0] >> 4 == 4 else parse_ipv6(result.packet)
        assert packet.to_bytes() == result.packet


@given(st.one_of(mutated(), st.binary(max_size=200), st.binary(max_size=80).map(lambda tail: b"\x60" + tail)))
def test_no_bytes_raise(data: bytes) -> None:
    for arrival in Arrival:
        judge(make_siit().translate(data, 0.0, arrival))
        judge(static_nat64().translate(data, 0.0, arrival))


@given(st.lists(st.tuples(mutated(), st.floats(0, 500)), max_size=12))
def test_any_sequence_leaves_consistent_tables(steps: list[tuple[bytes, float]]) -> None:
    nat64, now = static_nat64(), 0.0
    for data, wait in steps:
        now += wait
        judge(nat64.translate(data, now))
        bindings = nat64.tables.bindings
        assert len({(b.protocol, b.address4, b.port4) for b in bindings}) == len(bindings)
        assert len({(b.protocol, b.pref64, b.address6, b.port6) for b in bindings}) == len(bindings)
        assert {session.binding for session in nat64.tables.sessions} <= set(bindings)
        assert all(session.deadline > now for session in nat64.tables.sessions)
