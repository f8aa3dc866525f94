# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Stateful NAT64: filtering, BIB and sessions, answers, fragments, hairpinning (RFC 6146 §3.4 to §3.8)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6EchoRequest, ICMPv6TimeExceeded, IPv6, IPv6ExtHdrFragment
from scapy.packet import Packet, Raw

from tests.unit.translate.world import (
    CLIENT6,
    NODE4,
    NODE6,
    POOL4,
    PREF64,
    ROUTER4,
    ROUTER4_IN_6,
    SERVER4,
    SERVER6,
    SETTINGS,
    answered,
    make_nat64,
    make_rules,
    refused,
    translated,
)
from v6native.translate.bib import Binding
from v6native.translate.nat64 import Nat64
from v6native.translate.pool4 import PoolRange
from v6native.translate.tcp_states import State
from v6native.translate.verdict import Answered, Arrival, Dropped

OUT = {"src": CLIENT6, "dst": SERVER6}
SECOND6 = "2001:db8:64:1::6"
POOL6 = "2001:db8:64:64::cb00:7101"


def out(nat64: Nat64, packet: Packet, now: float = 0.0) -> Packet:
    return IP(translated(nat64.translate(bytes(packet), now)))


def back(nat64: Nat64, packet: Packet, now: float = 0.0, arrival: Arrival = Arrival.FRESH) -> Packet:
    return IPv6(translated(nat64.translate(bytes(packet), now, arrival)))


def static(protocol: int = 6, port4: int = 80, port6: int = 8080) -> Nat64:
    entry = Binding(protocol, 0, IPv6Address(CLIENT6), port6, IPv4Address(POOL4), port4, static=True)
    return make_nat64(replace(make_rules(), static=(entry,)))


def test_udp_there_and_back() -> None:
    nat64 = make_nat64()
    sent = out(nat64, IPv6(**OUT) / UDP(sport=5001, dport=53) / b"query")
    assert (sent.src, sent.dst) == (POOL4, SERVER4)
    assert sent[UDP].sport % 2 == 1 and sent[UDP].dport == 53
    got = back(nat64, IP(src=SERVER4, dst=POOL4) / UDP(sport=53, dport=sent[UDP].sport) / b"answer")
    assert (got.src, got.dst, got[UDP].sport, got[UDP].dport) == (SERVER6, CLIENT6, 53, 5001)


def test_ping_there_and_back() -> None:
    nat64 = make_nat64()
    sent = out(nat64, IPv6(**OUT) / ICMPv6EchoRequest(id=9, seq=1, data=b"ping"))
    got = back(nat64, IP(src=SERVER4, dst=POOL4) / ICMP(type=0, id=sent[ICMP].id, seq=1) / b"ping")
    assert (got.dst, got.payload.type, got.payload.id) == (CLIENT6, 129, 9)


def test_mapping_is_endpoint_independent_and_filtering_too() -> None:
    nat64 = make_nat64()
    first = out(nat64, IPv6(**OUT) / UDP(sport=5001, dport=53))
    other = out(nat64, IPv6(src=CLIENT6, dst="2001:db8:64:64::c612:5") / UDP(sport=5001, dport=99))
    assert first[UDP].sport == other[UDP].sport
    stranger = back(nat64, IP(src="192.0.2.200", dst=POOL4) / UDP(sport=7, dport=first[UDP].sport))
    assert (stranger.src, stranger[UDP].dport) == ("2001:db8:64:64::c000:2c8", 5001)
    assert (len(nat64.tables.bindings), len(nat64.tables.sessions)) == (1, 3)


def test_two_hosts_never_share_a_transport_address() -> None:
    nat64 = make_nat64()
    ports = {
        out(nat64, IPv6(src=f"2001:db8:64:1::{host:x}", dst=SERVER6) / UDP(sport=5001))[UDP].sport
        for host in range(1, 9)
    }
    assert len(ports) == 8


def test_bibs_are_separate_but_a_host_keeps_its_address() -> None:
    pool = (PoolRange(IPv4Address(POOL4), 1024, 65535), PoolRange(IPv4Address("203.0.113.2"), 1024, 65535))
    nat64 = Nat64(make_rules(pool), SETTINGS, lambda ports: len(ports) - 1)
    udp = out(nat64, IPv6(**OUT) / UDP(sport=5001))
    tcp = out(nat64, IPv6(**OUT) / TCP(sport=5001, flags="S"))
    ping = out(nat64, IPv6(**OUT) / ICMPv6EchoRequest(id=5001))
    assert udp.src == tcp.src == ping.src == "203.0.113.2"
    assert len(nat64.tables.bindings) == 3


def test_the_reply_comes_from_the_pref64_that_was_asked() -> None:
    wkp = IPv6Network("64:ff9b::/96")
    nat64 = make_nat64(make_rules(pref64=(PREF64, wkp)))
    sent = out(nat64, IPv6(src=CLIENT6, dst="64:ff9b::198.51.100.80") / UDP(sport=5001, dport=53))
    assert back(nat64, IP(src=SERVER4, dst=POOL4) / UDP(sport=53, dport=sent[UDP].sport)).src == "64:ff9b::c633:6450"


@pytest.mark.parametrize(("seconds", "alive"), [(299.9, True), (300.0, False)])
def test_udp_lifetime(seconds: float, alive: bool) -> None:
    nat64 = make_nat64()
    port = out(nat64, IPv6(**OUT) / UDP(sport=5001, dport=53))[UDP].sport
    result = nat64.translate(bytes(IP(src=SERVER4, dst=POOL4) / UDP(sport=53, dport=port)), seconds)
    if alive:
        translated(result)
    else:
        assert answered(result)[1] == "NO_BIB_UDP"
        assert nat64.tables.bindings == ()


def test_each_packet_prolongs_a_session() -> None:
    nat64 = make_nat64()
    for now in range(0, 3000, 250):
        out(nat64, IPv6(**OUT) / UDP(sport=5001, dport=53), now)
    assert len(nat64.tables.sessions) == 1
    assert nat64.tables.sessions[0].deadline == 2750 + 300


def connect(nat64: Nat64, now: float = 0.0) -> int:
    port = int(out(nat64, IPv6(**OUT) / TCP(sport=5001, dport=80, flags="S"), now)[TCP].sport)
    back(nat64, IP(src=SERVER4, dst=POOL4) / TCP(sport=80, dport=port, flags="SA"), now)
    return port


def test_a_tcp_connection_from_syn_to_both_fins() -> None:
    nat64 = make_nat64()
    port = connect(nat64)
    states = []
    for flags, outward in (("A", True), ("FA", True), ("A", False), ("FA", False), ("A", True)):
        if outward:
            out(nat64, IPv6(**OUT) / TCP(sport=5001, dport=80, flags=flags), 10)
        else:
            back(nat64, IP(src=SERVER4, dst=POOL4) / TCP(sport=80, dport=port, flags=flags), 10)
        states.append(nat64.tables.sessions[0].state)
    both = State.V4_FIN_V6_FIN_RCV
    assert states == [State.ESTABLISHED, State.V6_FIN_RCV, State.V6_FIN_RCV, both, both]
    assert nat64.tables.sessions[0].deadline == 10 + 240
    nat64.translate(b"", 250)
    assert nat64.tables.sessions == () and nat64.tables.bindings == ()


def test_an_idle_connection_lasts_both_timers() -> None:
    nat64 = make_nat64()
    connect(nat64)
    nat64.translate(b"", 7440)
    assert nat64.tables.sessions[0].state is State.TRANS
    nat64.translate(b"", 7679)
    assert len(nat64.tables.sessions) == 1
    nat64.translate(b"", 7680)
    assert nat64.tables.sessions == ()


def test_a_connection_long_dead_is_gone_at_once() -> None:
    nat64 = make_nat64()
    connect(nat64)
    nat64.translate(b"", 100_000)
    assert nat64.tables.bindings == ()


def test_a_reset_connection_that_goes_on() -> None:
    nat64 = make_nat64()
    connect(nat64)
    out(nat64, IPv6(**OUT) / TCP(sport=5001, dport=80, flags="R"), 1)
    assert (nat64.tables.sessions[0].state, nat64.tables.sessions[0].deadline) == (State.TRANS, 241)
    out(nat64, IPv6(**OUT) / TCP(sport=5001, dport=80, flags="A"), 2)
    assert (nat64.tables.sessions[0].state, nat64.tables.sessions[0].deadline) == (State.ESTABLISHED, 7442)


@pytest.mark.parametrize("flags", ["A", "FA", "R", "PA"])
def test_segments_of_no_connection(flags: str) -> None:
    nat64 = make_nat64()
    """The sender learns at once (RFC 9293 §3.5.2); a reset is never answered."""
    result = nat64.translate(bytes(IPv6(**OUT) / TCP(sport=5001, seq=7, ack=9, flags=flags)), 0)
    assert result.reason.name == "NO_SESSION_TCP"
    assert isinstance(result, Dropped if flags == "R" else Answered)
    if isinstance(result, Answered):
        answer = IPv6(result.packet)
        assert (answer.src, answer[TCP].dport, answer[TCP].flags, answer[TCP].seq) == (OUT["dst"], 5001, "R", 9)
    assert nat64.tables.bindings == ()


def test_with_a_bib_entry_they_pass_without_a_session() -> None:
    nat64 = static()
    back(nat64, IP(src=SERVER4, dst=POOL4) / TCP(sport=9, dport=80, flags="A"))
    out(nat64, IPv6(**OUT) / TCP(sport=8080, dport=9, flags="A"))
    assert nat64.tables.sessions == ()


def test_a_static_entry_lets_connections_in() -> None:
    nat64 = static()
    got = back(nat64, IP(src=SERVER4, dst=POOL4) / TCP(sport=9, dport=80, flags="S"))
    assert (got.src, got.dst, got[TCP].sport, got[TCP].dport) == (SERVER6, CLIENT6, 9, 8080)
    assert nat64.tables.sessions[0].state is State.V4_INIT
    reply = out(nat64, IPv6(**OUT) / TCP(sport=8080, dport=9, flags="SA"))
    assert (reply.src, reply[TCP].sport) == (POOL4, 80)
    assert nat64.tables.sessions[0].state is State.ESTABLISHED
    nat64.translate(b"", 1e6)
    assert len(nat64.tables.bindings) == 1 and nat64.tables.sessions == ()


@pytest.mark.parametrize(
    ("packet", "reason", "icmp"),
    [
        (UDP(sport=9, dport=2000), "NO_BIB_UDP", (3, 3)),
        (ICMP(type=8, id=7), "NO_BIB_ICMP", (3, 1)),
        (ICMP(type=0, id=7), "NO_BIB_ICMP", (3, 1)),
        (Raw(b"sctp"), "UNKNOWN_PROTOCOL", (3, 2)),
    ],
)
def test_answers_from_the_ipv4_side(packet: Packet, reason: str, icmp: tuple[int, int]) -> None:
    sent = bytes(IP(src=SERVER4, dst=POOL4, **({"proto": 132} if isinstance(packet, Raw) else {})) / packet)
    data, why = answered(make_nat64().translate(sent, 0))
    answer = IP(data)
    assert (why, answer.src, answer.dst) == (reason, NODE4, SERVER4)
    assert (answer[ICMP].type, answer[ICMP].code) == icmp
    assert data[28:] == sent


def test_tcp_without_bib_entry_is_dropped() -> None:
    assert refused(make_nat64().translate(bytes(IP(src=SERVER4, dst=POOL4) / TCP(flags="S")), 0)) == "SYN_STORED"


def test_not_our_address() -> None:
    packet = IP(src=SERVER4, dst="203.0.113.77") / UDP()
    assert refused(make_nat64().translate(bytes(packet), 0)) == "NOT_POOL4"


@pytest.mark.parametrize(
    ("change", "reason", "code"),
    [
        ({"src": "2001:db8:ffff::1"}, "SOURCE_NOT_ALLOWED", 1),
        ({"dst": "2001:db8:64:64::10.0.0.1"}, "DESTINATION_REFUSED", 1),
        ({"dst": "2001:db8:64:64::169.254.169.254"}, "DESTINATION_REFUSED", 1),
        ({"dst": "2001:db8:64:64::127.0.0.1"}, "DESTINATION_REFUSED", 1),
    ],
)
def test_refused_with_an_answer(change: dict[str, str], reason: str, code: int) -> None:
    packet = bytes(IPv6(**(OUT | change)) / UDP(sport=1, dport=2) / b"x")
    nat64 = make_nat64()
    data, why = answered(nat64.translate(packet, 0))
    assert (why, IPv6(data).src, IPv6(data)[ICMPv6DestUnreach].code) == (reason, NODE6, code)
    assert data[48:] == packet
    assert nat64.tables.bindings == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"dst": "2001:db8:9::1"}, "NOT_PREF64"),
        ({"src": SERVER6}, "SOURCE_IN_PREF64"),
        ({"src": "fe80::1"}, "BAD_SOURCE"),
        ({"src": "::1"}, "BAD_SOURCE"),
        ({"src": "::"}, "BAD_SOURCE"),
        ({"src": "ff0e::1"}, "BAD_SOURCE"),
        ({"dst": "ff02::5"}, "PASS_MULTICAST"),
    ],
)
def test_refused_in_silence(change: dict[str, str], reason: str) -> None:
    assert refused(make_nat64().translate(bytes(IPv6(**(OUT | change)) / UDP()), 0)) == reason


def test_the_operator_can_open_a_refused_destination() -> None:
    nat64 = make_nat64(make_rules(open4=(IPv4Network("10.1.0.0/16"),)))
    out(nat64, IPv6(src=CLIENT6, dst="2001:db8:64:64::10.1.2.3") / UDP())
    closed = IPv6(src=CLIENT6, dst="2001:db8:64:64::10.2.2.3") / UDP()
    assert answered(nat64.translate(bytes(closed), 0))[1] == "DESTINATION_REFUSED"


def test_other_protocols_are_answered() -> None:
    data, reason = answered(make_nat64().translate(bytes(IPv6(**OUT, nh=132) / Raw(b"sctp")), 0))
    assert (reason, IPv6(data)[ICMPv6DestUnreach].code) == ("UNKNOWN_PROTOCOL", 4)


def test_an_exhausted_pool_is_answered() -> None:
    nat64 = make_nat64(make_rules((PoolRange(IPv4Address(POOL4), 2000, 2001),)))
    for port in (5000, 5001):
        out(nat64, IPv6(**OUT) / UDP(sport=port))
    data, reason = answered(nat64.translate(bytes(IPv6(**OUT) / UDP(sport=5002)), 0))
    assert (reason, IPv6(data)[ICMPv6DestUnreach].code) == ("POOL4_EXHAUSTED", 3)


def test_a_full_table_is_answered_and_sessions_go_on() -> None:
    nat64 = make_nat64(make_rules(max_sessions=1))
    port = out(nat64, IPv6(**OUT) / UDP(sport=5000, dport=53))[UDP].sport
    data, reason = answered(nat64.translate(bytes(IPv6(**OUT) / UDP(sport=5001)), 0))
    assert (reason, IPv6(data)[ICMPv6DestUnreach].code) == ("TABLE_FULL", 3)
    assert len(nat64.tables.bindings) == 1
    data, reason = answered(nat64.translate(bytes(IP(src=ROUTER4, dst=POOL4) / UDP(sport=1, dport=port)), 0))
    assert (reason, IP(data)[ICMP].type, IP(data)[ICMP].code) == ("TABLE_FULL", 3, 1)
    out(nat64, IPv6(**OUT) / UDP(sport=5000, dport=53))
    assert len(nat64.tables.bindings) == 1


@pytest.mark.parametrize(
    "sent", [UDP(sport=5001, dport=33434) / b"x", TCP(sport=5001, dport=80, flags="S"), ICMPv6EchoRequest(id=7, seq=1)]
)
def test_a_hop_of_the_ipv4_internet_is_seen_by_traceroute(sent: Packet) -> None:
    nat64 = make_nat64()
    probe = IPv6(**OUT) / sent
    onward = out(nat64, probe)
    got = back(nat64, IP(src=ROUTER4, dst=POOL4) / ICMP(type=11) / Raw(bytes(onward)[:28]))
    assert (got.src, got.dst) == (ROUTER4_IN_6, CLIENT6)
    quoted = bytes(got[ICMPv6TimeExceeded].payload)
    assert quoted[8:40] == bytes(probe)[8:40]
    assert quoted[40:] == bytes(probe)[40:48]


def test_an_error_from_the_ipv6_side() -> None:
    nat64 = static(17, 53, 53)
    question = IP(src=SERVER4, dst=POOL4) / UDP(sport=9999, dport=53) / b"?"
    inward = back(nat64, question)
    error = IPv6(src="2001:db8:64:ff::1", dst=SERVER6) / ICMPv6DestUnreach(code=4) / inward
    got = out(nat64, error)
    assert (got.src, got.dst, got[ICMP].type, got[ICMP].code) == (POOL4, SERVER4, 3, 3)
    quoted = IP(bytes(got[ICMP].payload))
    assert (quoted.src, quoted.dst, quoted.sport, quoted.dport) == (SERVER4, POOL4, 9999, 53)


@pytest.mark.parametrize(
    ("quoted", "reason"),
    [
        (IP(src=POOL4, dst=SERVER4) / UDP(sport=2000, dport=53), "NO_SESSION_ERROR"),
        (IP(src="203.0.113.9", dst=SERVER4) / UDP(sport=2000, dport=53), "NO_SESSION_ERROR"),
        (IP(src=POOL4, dst=SERVER4, frag=3, proto=17) / bytes(16), "QUOTE_TOO_SHORT"),
        (IP(src=POOL4, dst=SERVER4, proto=132) / bytes(16), "QUOTE_TOO_SHORT"),
        (IP(src=POOL4, dst=SERVER4) / ICMP(type=3) / bytes(28), "QUOTE_IS_ERROR"),
    ],
)
def test_errors_about_nothing_of_ours(quoted: Packet, reason: str) -> None:
    nat64 = make_nat64()
    error = IP(src=ROUTER4, dst=POOL4) / ICMP(type=11) / Raw(bytes(quoted))
    assert refused(nat64.translate(bytes(error), 0)) == reason
    mirrored = IPv6(src=SERVER6, dst=CLIENT6) / UDP(sport=53, dport=5001)
    assert refused(nat64.translate(bytes(IPv6(**OUT) / ICMPv6TimeExceeded() / mirrored), 0)) == "NO_SESSION_ERROR"
    assert nat64.tables.sessions == ()


def test_errors_make_and_prolong_nothing() -> None:
    nat64 = make_nat64()
    onward = out(nat64, IPv6(**OUT) / UDP(sport=5001, dport=33434))
    before = nat64.tables.sessions
    back(nat64, IP(src=ROUTER4, dst=POOL4) / ICMP(type=11) / Raw(bytes(onward)), 100)
    assert nat64.tables.sessions == before


def fragments6(payload: bytes, identification: int = 7) -> list[bytes]:
    whole = bytes(IPv6(**OUT) / UDP(sport=5001, dport=53) / payload)[40:]
    cuts = [whole[at : at + 16] for at in range(0, len(whole), 16)]
    return [
        bytes(
            IPv6(**OUT)
            / IPv6ExtHdrFragment(nh=17, id=identification, offset=2 * n, m=int(n < len(cuts) - 1))
            / Raw(cut)
        )
        for n, cut in enumerate(cuts)
    ]


def test_fragments_follow_the_first() -> None:
    nat64 = make_nat64()
    out_fragments = [IP(translated(nat64.translate(data, 0))) for data in fragments6(b"y" * 40)]
    assert {(part.src, part.dst, part.id) for part in out_fragments} == {(POOL4, SERVER4, 7)}
    data = b"".join(bytes(part.payload) for part in out_fragments)
    whole = IP(src=POOL4, dst=SERVER4, proto=17) / Raw(data)
    expected = bytes(IP(src=POOL4, dst=SERVER4) / UDP(sport=UDP(data).sport, dport=53) / (b"y" * 40))
    assert bytes(whole)[20:] == expected[20:]


def test_fragments_without_a_first_one_or_of_a_refused_one() -> None:
    nat64 = make_nat64()
    first, later, *_ = fragments6(b"y" * 40)
    assert refused(nat64.translate(later, 0)) == "FRAGMENT_NO_FIRST"
    nat64 = make_nat64(replace(make_rules(), sources=()))
    assert answered(nat64.translate(first, 0))[1] == "SOURCE_NOT_ALLOWED"
    assert refused(nat64.translate(later, 0)) == "FRAGMENT_OF_DROPPED"
    nat64 = make_nat64()
    translated(nat64.translate(first, 0))
    translated(nat64.translate(later, 29))
    assert refused(nat64.translate(later, 30)) == "FRAGMENT_NO_FIRST"


def test_fragments_from_the_ipv4_side() -> None:
    nat64 = static(17, 53, 53)
    first = IP(src=SERVER4, dst=POOL4, id=3, flags="MF", proto=17) / Raw(
        bytes(UDP(sport=9, dport=53, chksum=1)) + b"x" * 8
    )
    later = IP(src=SERVER4, dst=POOL4, id=3, frag=2, proto=17) / Raw(b"x" * 8)
    assert refused(nat64.translate(bytes(later), 0)) == "FRAGMENT_NO_FIRST"
    assert back(nat64, first, arrival=Arrival.REFRAGMENTED).dst == CLIENT6
    assert back(nat64, later, arrival=Arrival.REFRAGMENTED)[IPv6ExtHdrFragment].offset == 2


def test_a_short_fragment_behind_one_that_the_kernel_cuts() -> None:
    nat64 = static(17, 53, 53)
    big = Raw(bytes(UDP(sport=9, dport=53, chksum=1)) + b"x" * 1400)
    first = IP(src=SERVER4, dst=POOL4, id=3, flags="MF", proto=17) / big
    later = IP(src=SERVER4, dst=POOL4, id=3, frag=176, proto=17) / Raw(b"x" * 8)
    assert refused(nat64.translate(bytes(first), 0)) == "REFRAGMENT"
    assert back(nat64, later, arrival=Arrival.REFRAGMENTED).dst == CLIENT6


def test_icmp_fragments_of_the_allowed_go_to_the_slow_path() -> None:
    nat64 = make_nat64()
    first = IPv6(**OUT) / IPv6ExtHdrFragment(nh=58, id=1, m=1) / Raw(b"\x80\0\0\0" + bytes(12))
    later = IPv6(**OUT) / IPv6ExtHdrFragment(nh=58, id=1, offset=2) / Raw(bytes(8))
    assert refused(nat64.translate(bytes(later), 0)) == "FRAGMENT_NO_FIRST"
    assert refused(nat64.translate(bytes(first), 0)) == "SLOW_FRAGMENTED_ICMP"
    assert refused(nat64.translate(bytes(later), 0)) == "SLOW_FRAGMENTED_ICMP"
    stranger = IPv6(src="2001:db8:ffff::1", dst=SERVER6)
    denied = bytes(stranger / IPv6ExtHdrFragment(nh=58, id=1, m=1) / Raw(b"\x80\0\0\0" + bytes(12)))
    assert answered(nat64.translate(denied, 0))[1] == "SOURCE_NOT_ALLOWED"
    assert nat64.tables.sessions == ()


def test_udp_without_checksum_in_fragments() -> None:
    nat64 = static(17, 53, 53)
    first = IP(src=SERVER4, dst=POOL4, id=3, flags="MF", proto=17) / Raw(
        bytes(UDP(sport=9, dport=53, chksum=0)) + bytes(8)
    )
    later = IP(src=SERVER4, dst=POOL4, id=3, frag=2, proto=17) / Raw(bytes(8))
    for packet in (first, later):
        assert refused(nat64.translate(bytes(packet), 0)) == "SLOW_FRAGMENTED_UDP0"


def test_hairpin() -> None:
    nat64 = static(17, 53, 53)
    result = nat64.translate(bytes(IPv6(src=SECOND6, dst=POOL6, hlim=60) / UDP(sport=5001, dport=53) / b"?"), 0)
    got = IPv6(translated(result))
    assert result.reason.name == "HAIRPINNED"
    assert (got.src, got.dst, got[UDP].dport, got.hlim) == (POOL6, CLIENT6, 53, 61)
    reply = IPv6(src=CLIENT6, dst=POOL6) / UDP(sport=53, dport=got[UDP].sport) / b"!"
    got = IPv6(translated(nat64.translate(bytes(reply), 0)))
    assert (got.src, got.dst, got[UDP].sport, got[UDP].dport) == (POOL6, SECOND6, 53, 5001)


def test_hairpinned_error() -> None:
    nat64 = static(17, 53, 53)
    probe = bytes(IPv6(src=SECOND6, dst=POOL6) / UDP(sport=5001, dport=53) / b"?")
    inward = IPv6(translated(nat64.translate(probe, 0)))
    error = IPv6(src=CLIENT6, dst=POOL6) / ICMPv6DestUnreach(code=4) / inward
    got = IPv6(translated(nat64.translate(bytes(error), 0)))
    assert (got.src, got.dst) == (POOL6, SECOND6)
    assert bytes(got[ICMPv6DestUnreach].payload)[8:48] == probe[8:48]


def test_hairpin_to_a_port_without_entry_is_answered() -> None:
    packet = bytes(IPv6(src=SECOND6, dst=POOL6) / UDP(sport=5001, dport=2000) / b"?")
    data, reason = answered(make_nat64().translate(packet, 0))
    got = IPv6(data)
    assert (reason, got.dst, got[ICMPv6DestUnreach].code) == ("NO_BIB_UDP", SECOND6, 4)
    assert bytes(got[ICMPv6DestUnreach].payload)[8:48] == packet[8:48]


@pytest.mark.parametrize(("port", "family"), [(22, 4), (45000, 6)])
def test_a_shared_address_is_mostly_the_nodes(port: int, family: int) -> None:
    rules = make_rules((PoolRange(IPv4Address(POOL4), 40000, 59999, shared=True),))
    result = make_nat64(rules).translate(bytes(IPv6(src=SECOND6, dst=POOL6) / UDP(sport=5001, dport=port)), 0)
    data = translated(result) if family == 4 else answered(result)[0]
    assert data[0] >> 4 == family


def test_pinging_a_shared_address_is_pinging_the_node() -> None:
    rules = make_rules((PoolRange(IPv4Address(POOL4), 40000, 59999, shared=True),))
    assert out(make_nat64(rules), IPv6(src=SECOND6, dst=POOL6) / ICMPv6EchoRequest(id=45000)).dst == POOL4


def test_a_bib_entry_opens_no_refused_destination() -> None:
    nat64 = make_nat64()
    out(nat64, IPv6(**OUT) / UDP(sport=5001))
    inside = IPv6(src=CLIENT6, dst="2001:db8:64:64::10.0.0.1") / UDP(sport=5001)
    assert answered(nat64.translate(bytes(inside), 0))[1] == "DESTINATION_REFUSED"


def test_who_came_in_through_a_static_entry_is_answered() -> None:
    nat64 = static(17, 53, 53)
    back(nat64, IP(src="10.0.0.1", dst=POOL4) / UDP(sport=9, dport=53))
    assert out(nat64, IPv6(src=CLIENT6, dst="2001:db8:64:64::10.0.0.1") / UDP(sport=53, dport=9)).dst == "10.0.0.1"


def test_a_static_entry_without_session_lets_no_error_through() -> None:
    nat64 = static(17, 53, 53)
    inward = IPv6(src=SERVER6, dst=CLIENT6) / UDP(sport=9, dport=53)
    error = IPv6(**OUT) / ICMPv6DestUnreach(code=4) / inward
    assert refused(nat64.translate(bytes(error), 0)) == "NO_SESSION_ERROR"
    outward = IP(src=POOL4, dst=SERVER4) / UDP(sport=53, dport=9)
    error4 = IP(src=ROUTER4, dst=POOL4) / ICMP(type=11) / Raw(bytes(outward))
    assert refused(nat64.translate(bytes(error4), 0)) == "NO_SESSION_ERROR"
