# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Bindings (RFC 6146 §3.5, RFC 4787): endpoint-independent mapping, ports, static entries, hairpinning, refusals."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6

from tests.packets.build import (
    assert_checksums,
    echo4,
    echo6,
    icmp4,
    icmp6,
    ip4,
    ip6,
    server6,
    tcp4,
    tcp6,
    udp4,
    udp6,
    wire,
)
from tests.packets.harness import NODE4, NODE6, PHONE, POOL, PREF64, SERVER, Action, Bench, nat64_settings
from v6native.config.model import Proto
from v6native.desired.dataplane import StaticEntry

HAIRPIN, STEER = 0x18000000, 0x40000000
WEB = StaticEntry(Proto.TCP, POOL, 80, PHONE, 8080)


def test_one_socket_keeps_one_port_towards_everybody(bench: Bench) -> None:
    bench.configure(nat64_settings())
    ports = {
        IP(bench.nat64(udp6(dst=f"2001:db8:64:64::198.51.100.{n}", dport=n)).packet)[UDP].sport for n in range(1, 20)
    }
    assert len(ports) == 1
    assert len(bench.sessions()) == 19


def test_anybody_reaches_a_bound_udp_port(bench: Bench) -> None:
    """Endpoint-independent filtering is the default."""
    bench.configure(nat64_settings())
    bench.nat64(udp6())
    out = bench.nat64(udp4(src="203.0.113.99", sport=9999, dport=bench.bib()[0].port4))
    assert out.reason == "TRANSLATED_4TO6"
    assert IPv6(out.packet).dst == str(PHONE)


@pytest.mark.parametrize("sport", [2000, 2001])
def test_udp_keeps_the_parity_of_the_port(bench: Bench, sport: int) -> None:
    bench.configure(nat64_settings())
    for n in range(30):
        out = bench.nat64(udp6(src=f"2001:db8:64:1::{n + 16:x}", sport=sport))
        assert IP(out.packet)[UDP].sport % 2 == sport % 2


def test_ports_stay_in_their_range_and_differ(bench: Bench) -> None:
    bench.configure(nat64_settings(pool=((POOL, 40000, 40063),)))
    ports = [IP(bench.nat64(tcp6(sport=1000 + n)).packet)[TCP].sport for n in range(40)]
    assert len(set(ports)) == 40
    assert all(40000 <= port <= 40063 for port in ports)


def test_exhausted_pool_is_answered(bench: Bench) -> None:
    """RFC 6146 §3.5.1.1: destination unreachable, address unreachable."""
    bench.configure(nat64_settings(pool=((POOL, 40000, 40001),)))
    assert bench.nat64(tcp6(sport=1)).reason == bench.nat64(tcp6(sport=2)).reason == "TRANSLATED_6TO4"
    out = bench.nat64(tcp6(sport=3))
    assert (out.action, out.reason, out.packet[40:42]) == (Action.OK, "POOL4_EXHAUSTED", b"\x01\x03")
    assert (IPv6(out.packet).src, IPv6(out.packet).dst) == (str(NODE6), str(PHONE))
    assert_checksums(out.packet)
    assert bench.nat64(tcp6(sport=1)).reason == "TRANSLATED_6TO4", "those that have a port keep it"


def test_full_session_table_is_answered_and_others_go_on(bench: Bench) -> None:
    bench.configure(nat64_settings(sessions=8))
    for n in range(8):
        assert bench.nat64(udp6(dport=n + 1)).reason == "TRANSLATED_6TO4"
    out = bench.nat64(udp6(dport=100))
    assert (out.action, out.reason, out.packet[40:42]) == (Action.OK, "TABLE_FULL", b"\x01\x03")
    assert bench.nat64(udp6(dport=3)).reason == "TRANSLATED_6TO4"


def test_a_host_keeps_its_address_in_a_pool_of_many(bench: Bench) -> None:
    """Paired pooling (RFC 4787 REQ-2), for all protocols."""
    pool = [(f"203.0.113.{n}", 1024, 65535) for n in range(1, 17)]
    bench.configure(nat64_settings(pool=pool))
    for host in range(8):
        src = f"2001:db8:64:{host + 1:x}::5"
        for port in range(6):
            bench.nat64(udp6(src=src, sport=1000 + port))
        bench.nat64(wire(ip6(src=src) / echo6()))
    by_host: dict[IPv6Address, set[IPv4Address]] = {}
    for entry in bench.bib():
        by_host.setdefault(entry.address6, set()).add(entry.address4)
    assert all(len(addresses) == 1 for addresses in by_host.values())
    assert len(set().union(*by_host.values())) > 2, "and the hosts spread over the pool"


def test_echo_both_ways(bench: Bench) -> None:
    bench.configure(nat64_settings())
    out = bench.nat64(wire(ip6() / echo6(identifier=77)))
    assert (out.reason, out.packet[20]) == ("TRANSLATED_6TO4", 8)
    assert_checksums(out.packet)
    identifier = int.from_bytes(out.packet[24:26], "big")
    back = bench.nat64(wire(ip4() / echo4(0, identifier=identifier)))
    assert (back.reason, back.packet[40]) == ("TRANSLATED_4TO6", 129)
    assert int.from_bytes(back.packet[44:46], "big") == 77
    assert_checksums(back.packet)


def test_static_entry_from_outside(bench: Bench) -> None:
    bench.configure(nat64_settings(static=(WEB,)))
    out = bench.nat64(tcp4(80, "S", sport=5555))
    sent = IPv6(out.packet)
    assert (out.reason, sent.dst, sent[TCP].dport, sent.src) == ("TRANSLATED_4TO6", str(PHONE), 8080, server6_text())
    back = bench.nat64(tcp6("SA", sport=8080, dport=5555))
    assert (IP(back.packet).src, IP(back.packet)[TCP].sport) == (str(POOL), 80)
    bench.advance(10000)
    bench.sweep()
    assert [entry.static for entry in bench.bib()] == [True]


def server6_text() -> str:
    return str(IPv6Address(server6()))


@pytest.mark.parametrize(
    ("packet", "reason", "answer"),
    [
        (udp4(dport=5000), "NO_BIB_UDP", b"\x03\x03"),
        (wire(ip4() / echo4(8, identifier=5000)), "NO_BIB_ICMP", b"\x03\x01"),
        (tcp4(5000, "S"), "SYN_STORED", None),
        (tcp4(5000, "R"), "NO_BIB_TCP", None),
    ],
    ids=["udp", "icmp", "tcp syn", "tcp reset"],
)
def test_without_bib_entry(bench: Bench, packet: bytes, reason: str, answer: bytes | None) -> None:
    """RFC 6146 §3.5.1, §3.5.3: an error may be sent for UDP and ICMP; a TCP SYN is kept for a while (§3.5.2.2)."""
    bench.configure(nat64_settings())
    out = bench.nat64(packet)
    assert out.reason == reason
    if answer is None:
        assert out.action is Action.SHOT
        return
    assert (out.action, out.packet[20:22]) == (Action.OK, answer)
    assert (IP(out.packet).src, IP(out.packet).dst) == (str(NODE4), str(SERVER))
    assert out.packet[28:] == packet
    assert_checksums(out.packet)
    assert bench.sessions() == []


def test_other_addresses_are_not_ours(bench: Bench) -> None:
    bench.configure(nat64_settings())
    assert bench.nat64(udp4(dst="203.0.113.77", dport=5000)).reason == "NOT_POOL4"


def test_tcp_segment_of_nobody_opens_nothing(bench: Bench) -> None:
    bench.configure(nat64_settings())
    assert bench.nat64(tcp6("A")).reason == "NO_SESSION_TCP"
    assert (bench.bib(), bench.sessions()) == ([], [])


@pytest.mark.parametrize(
    ("source", "reason", "answered"),
    [
        ("2001:db8:65::1", "SOURCE_NOT_ALLOWED", True),
        ("2001:db8:64:64::5", "SOURCE_IN_PREF64", False),
        ("fe80::1", "BAD_SOURCE", False),
        ("::1", "BAD_SOURCE", False),
        ("::", "BAD_SOURCE", False),
        ("ff02::1", "BAD_SOURCE", False),
    ],
)
def test_sources(bench: Bench, source: str, reason: str, answered: bool) -> None:
    bench.configure(nat64_settings())
    out = bench.nat64(udp6(src=source))
    assert (out.reason, out.action) == (reason, Action.OK if answered else Action.SHOT)
    if answered:
        assert (out.packet[40:42], IPv6(out.packet).dst) == (b"\x01\x01", source)
        assert out.packet[48:] == udp6(src=source)
        assert_checksums(out.packet)
    assert bench.bib() == []


@pytest.mark.parametrize("source", ["0.1.2.3", "127.0.0.1", "224.0.0.5", "255.255.255.255"])
def test_illegal_ipv4_sources(bench: Bench, source: str) -> None:
    bench.configure(nat64_settings(static=(WEB,)))
    assert bench.nat64(tcp4(80, "S", src=source)).reason == "BAD_SOURCE"


def test_refused_destinations_and_the_knob(bench: Bench) -> None:
    bench.configure(nat64_settings(refused4=("10.0.0.0/8", "127.0.0.0/8"), open4=("10.1.0.0/16",)))
    for address, reason in [
        ("10.0.0.1", "DESTINATION_REFUSED"),
        ("127.0.0.1", "DESTINATION_REFUSED"),
        ("10.1.2.3", "TRANSLATED_6TO4"),
        ("198.51.100.1", "TRANSLATED_6TO4"),
    ]:
        out = bench.nat64(udp6(dst=f"2001:db8:64:64::{address}"))
        assert out.reason == reason
        if reason == "DESTINATION_REFUSED":
            assert out.packet[40:42] == b"\x01\x01"


def test_answer_to_a_checksum_left_to_the_device(bench: Bench) -> None:
    """CHECKSUM_PARTIAL: the field holds the pseudo-header's sum; it will be completed over what we quote."""
    bench.configure(nat64_settings())
    packet = bytearray(udp6(src="2001:db8:65::1"))
    pseudo = bytes(packet[8:40]) + (len(packet) - 40).to_bytes(4, "big") + b"\0\0\0\x11"
    total = sum(int.from_bytes(pseudo[n : n + 2], "big") for n in range(0, len(pseudo), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    packet[46:48] = total.to_bytes(2, "big")
    out = bytearray(bench.nat64(bytes(packet)).packet)
    out[48 + 46 : 48 + 48] = udp6(src="2001:db8:65::1")[46:48]  # what the device writes there
    assert_checksums(bytes(out))


def test_errors_are_limited_in_rate(bench: Bench) -> None:
    bench.configure(nat64_settings())
    frame = bench.nat64(udp6(src="2001:db8:65::1")).frame[:12] + b"\x86\xdd" + udp6(src="2001:db8:65::1")
    program = bench.plane.generation().programs["nat64"]
    before = bench.plane.counters()["ANSWER_LIMITED"]
    answered = sum(program.run(frame).action == Action.OK for _ in range(8000))
    limited = bench.plane.counters()["ANSWER_LIMITED"] - before
    assert answered + limited == 8000
    assert answered > 0 and limited > 0


def test_no_error_about_an_error(bench: Bench) -> None:
    """RFC 4443 §2.4 (e): however wrong an ICMP error is, it is not answered."""
    bench.configure(nat64_settings())
    out = bench.nat64(wire(ip6(src="2001:db8:65::1") / icmp6(1, 4, 0, udp6())))
    assert out.action is Action.SHOT


def test_hairpin(bench: Bench) -> None:
    """RFC 6146 §3.8: two hosts behind one NAT64 reach each other by its IPv4 address."""
    bench.configure(nat64_settings(static=(WEB,)))
    there = f"2001:db8:64:64::{POOL}"
    first = bench.nat64(wire(ip6(src="2001:db8:64:1::6", dst=there) / TCP(sport=3000, dport=80, flags="S")))
    assert (first.action, first.reason, first.mark) == (Action.REDIRECT, "HAIRPINNED", HAIRPIN)
    second = bench.nat64(first.packet, mark=first.mark)
    arrived = IPv6(second.packet)
    assert (second.reason, arrived.dst, arrived[TCP].dport) == ("TRANSLATED_4TO6", str(PHONE), 8080)
    assert IPv6Address(arrived.src) == IPv6Address(there)
    assert_checksums(second.packet)

    answer = bench.nat64(wire(ip6(src=PHONE, dst=arrived.src) / TCP(sport=8080, dport=arrived[TCP].sport, flags="SA")))
    assert (answer.action, answer.reason) == (Action.REDIRECT, "HAIRPINNED")
    home = IPv6(bench.nat64(answer.packet, mark=answer.mark).packet)
    assert (home.dst, home[TCP].dport, home[TCP].sport) == ("2001:db8:64:1::6", 3000, 80)
    assert IPv6Address(home.src) == IPv6Address(there)


def test_second_pass_of_a_hairpin_adds_no_hop(bench: Bench) -> None:
    bench.configure(nat64_settings(static=(WEB,)))
    first = bench.nat64(wire(ip6(dst=f"2001:db8:64:64::{POOL}", hlim=10) / TCP(sport=3000, dport=80, flags="S")))
    assert IPv6(bench.nat64(first.packet, mark=first.mark).packet).hlim == 11


SHARED = nat64_settings(
    pool=((NODE4, 40000, 59999),), shared=True, static=(StaticEntry(Proto.TCP, NODE4, 80, PHONE, 80),)
)


@pytest.mark.parametrize(
    ("packet", "ours"),
    [
        (tcp4(40000, "S", dst=NODE4), True),
        (tcp4(59999, "S", dst=NODE4), True),
        (tcp4(39999, "S", dst=NODE4), False),
        (tcp4(60000, "S", dst=NODE4), False),
        (tcp4(80, "S", dst=NODE4), True),
        (udp4(dst=NODE4, dport=80), False),
        (tcp4(22, "S", dst=NODE4), False),
        (tcp4(40000, "S", dst="192.0.2.9"), False),
        (wire(ip4(dst=NODE4) / echo4(8, identifier=40000)), False),
        (udp6(), False),
    ],
)
def test_steering(bench: Bench, packet: bytes, ours: bool) -> None:
    bench.configure(SHARED)
    out = bench.steer(packet)
    assert out.action is Action.UNSPEC
    assert out.mark == (STEER if ours else 0)
    assert out.counted == ({"STEERED": 1} if ours else {})


def test_steering_of_icmp_goes_by_the_session(bench: Bench) -> None:
    bench.configure(SHARED)
    out = bench.nat64(wire(ip6() / echo6(identifier=77)))
    identifier = int.from_bytes(out.packet[24:26], "big")
    assert bench.steer(wire(ip4(dst=NODE4) / echo4(0, identifier=identifier))).mark == STEER
    assert bench.steer(wire(ip4(src="198.51.100.9", dst=NODE4) / echo4(0, identifier=identifier))).mark == 0

    sent = bench.nat64(udp6()).packet
    assert bench.steer(wire(ip4(src="198.18.0.2", dst=NODE4) / icmp4(11, 0, 0, sent))).mark == STEER
    other = bytes(ip4(src=NODE4, dst=SERVER) / UDP(sport=40001, dport=53))
    assert bench.steer(wire(ip4(src="198.18.0.2", dst=NODE4) / icmp4(11, 0, 0, other))).mark == 0


def test_what_the_node_sends_to_itself_is_redirected(bench: Bench) -> None:
    bench.configure(SHARED)
    assert bench.steer(tcp4(40000, "SA", src=NODE4, dst=NODE4), program="steer_lo").action is Action.REDIRECT
    assert bench.steer(tcp4(22, "SA", src=NODE4, dst=NODE4), program="steer_lo").action is Action.UNSPEC


def test_services_of_the_node_are_reached_by_pref64(bench: Bench) -> None:
    """Outside of the reserved range the shared address is the node's: translated, not hairpinned."""
    bench.configure(SHARED)
    out = bench.nat64(wire(ip6(dst=f"2001:db8:64:64::{NODE4}") / TCP(sport=3000, dport=22, flags="S")))
    assert (out.action, out.reason, IP(out.packet).dst) == (Action.OK, "TRANSLATED_6TO4", str(NODE4))


def test_two_pref64s_are_two_nat64s(bench: Bench) -> None:
    bench.configure(nat64_settings(pref64=(PREF64, "64:ff9b::/96")))
    bench.nat64(udp6())
    out = bench.nat64(udp6(dst=f"64:ff9b::{SERVER}"))
    assert out.reason == "TRANSLATED_6TO4"
    assert len(bench.bib()) == 2
    back = bench.nat64(udp4(dport=IP(out.packet)[UDP].sport))
    assert IPv6Address(IPv6(back.packet).src) == IPv6Address(f"64:ff9b::{SERVER}")
