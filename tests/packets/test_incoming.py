# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Who comes in from IPv4 (RFC 6146 §3.5): stored SYNs, address-dependent filtering, resets for connections that are gone."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt
from scapy.packet import Raw

from tests.packets.build import assert_checksums, echo4, ip4, ip6, server6, tcp4, tcp6, udp4, udp6, wire
from tests.packets.harness import PHONE, POOL, SERVER, Action, Bench, nat64_settings
from v6native.config.model import Proto, TranslationOptions
from v6native.dataplane.door import TcpState
from v6native.desired.dataplane import StaticEntry

STRANGER = IPv4Address("198.51.100.99")
WEB = StaticEntry(Proto.TCP, POOL, 80, PHONE, 8080)


def stored(bench: Bench) -> int:
    return len(list(bench.plane.generation().maps["nat64"]["stored_syns"].items()))


def test_a_syn_that_nobody_waits_for_is_kept_six_seconds(bench: Bench) -> None:
    bench.configure(nat64_settings())
    out = bench.nat64(tcp4(5000, "S"))
    assert (out.reason, out.action) == ("SYN_STORED", Action.SHOT)
    assert bench.nat64(tcp4(5000, "S")).reason == "SYN_STORED" and stored(bench) == 1
    bench.advance(5)
    bench.sweep()
    assert stored(bench) == 1
    bench.advance(2)
    bench.sweep()
    assert stored(bench) == 0


@pytest.mark.parametrize("rate", [0, 1000])
def test_a_syn_is_answered_only_where_errors_are_sent(bench: Bench, rate: int) -> None:
    """RFC 5382 REQ-4a: with `icmp_rate` 0 nothing is told to the slow path, so that nothing finds its ring full."""
    bench.configure(nat64_settings(options=TranslationOptions(icmp_rate=rate)))
    lost = bench.plane.counters()["SLOW_EVENT_LOST"]
    bench.flood([tcp4(port, "S") for port in range(1024, 1624)])
    assert stored(bench) == 600
    bench.advance(7)
    bench.sweep()
    assert stored(bench) == 0
    assert (bench.plane.counters()["SLOW_EVENT_LOST"] > lost) == bool(rate)


def test_a_flood_of_syns_is_bounded(bench: Bench) -> None:
    bench.configure(nat64_settings())
    packet = bytearray(tcp4(1024, "S"))
    flood = []
    for n in range(4200):
        packet[22:24] = (1024 + n).to_bytes(2, "big")
        flood.append(bytes(packet))
    bench.flood(flood)
    assert stored(bench) == 4096


def test_address_dependent_filtering(bench: Bench) -> None:
    """From the address that the host spoke to, from any port of it; from others not (RFC 4787 REQ-8)."""
    bench.configure(nat64_settings(address_dependent=True, static=(WEB,)))
    bench.nat64(udp6(sport=5000))
    port = bench.bib()[0].port4
    out = bench.nat64(udp4(src=STRANGER, dport=port))
    assert (out.reason, out.packet[20:22]) == ("FILTERED", b"\x03\x0d")
    assert_checksums(out.packet)
    assert bench.nat64(udp4(dport=port, sport=9999)).reason == "TRANSLATED_4TO6"
    assert bench.nat64(tcp4(80, "S", src=STRANGER)).reason == "TRANSLATED_4TO6", "a static entry is open to all"
    bench.advance(400)
    bench.sweep()
    assert bench.nat64(udp4(dport=port)).reason == "NO_BIB_UDP"


def test_address_dependent_filtering_of_echo(bench: Bench) -> None:
    bench.configure(nat64_settings(address_dependent=True))
    bench.nat64(wire(ip6() / Raw(b"\x80\0\0\0\0\7\0\1" + bytes(8))))
    identifier = bench.bib()[0].port4
    assert bench.nat64(wire(ip4(src=STRANGER) / echo4(identifier=identifier))).reason == "FILTERED"
    assert bench.nat64(wire(ip4() / echo4(identifier=identifier))).reason == "TRANSLATED_4TO6"


def test_a_filtered_syn_is_kept_and_the_hosts_own_syn_meets_it(bench: Bench) -> None:
    """RFC 6146 §3.5.2.2: simultaneous open. V4 INIT, then the V6 SYN establishes."""
    bench.configure(nat64_settings(address_dependent=True))
    bench.nat64(tcp6("S", sport=5000))
    port = bench.bib()[0].port4
    assert bench.nat64(tcp4(port, "S", src=STRANGER, sport=7777)).reason == "SYN_STORED"
    bench.nat64(tcp6("S", sport=5000, dst=str(server6(server=STRANGER)), dport=7777))
    assert {(s.remote4, s.state) for s in bench.sessions()} == {
        (SERVER, TcpState.V6_INIT),
        (STRANGER, TcpState.ESTABLISHED),
    }
    assert stored(bench) == 0
    assert bench.nat64(tcp4(port, "SA", src=STRANGER, sport=7777)).reason == "TRANSLATED_4TO6"


def test_filtering_lets_the_last_session_go(bench: Bench) -> None:
    """The address is forgotten with its last session, not with the first."""
    bench.configure(nat64_settings(address_dependent=True))
    bench.nat64(udp6(sport=5000, dport=1))
    bench.advance(200)
    bench.nat64(udp6(sport=5000, dport=2))
    port = bench.bib()[0].port4
    bench.advance(200)
    bench.sweep()
    assert len(bench.sessions()) == 1
    assert bench.nat64(udp4(dport=port, sport=3)).reason == "TRANSLATED_4TO6"
    assert len(list(bench.plane.generation().maps["nat64"]["remotes"].items())) == 1


def test_tcp_of_no_session_is_reset_from_inside(bench: Bench) -> None:
    """So that a program connects anew at once, after a gateway took over or the session expired."""
    bench.configure(nat64_settings())
    out = bench.nat64(tcp6("PA", sport=5000, seq=100, ack=7000))
    assert (out.reason, out.action, out.noted) == ("NO_SESSION_TCP", Action.OK, {"ANSWER_SENT": 1})
    reset = IPv6(out.packet)
    assert (reset.src, reset.dst, reset[TCP].sport, reset[TCP].dport) == (server6_text(), str(PHONE), 80, 5000)
    assert (reset[TCP].flags, reset[TCP].seq, len(out.packet)) == ("R", 7000, 60)
    assert_checksums(out.packet)


def test_tcp_of_no_session_is_reset_from_outside(bench: Bench) -> None:
    bench.configure(nat64_settings())
    out = bench.nat64(tcp4(5000, "A", seq=5, ack=9))
    reset = IP(out.packet)
    assert (out.reason, reset.src, reset.dst, reset[TCP].dport) == ("NO_BIB_TCP", str(POOL), str(SERVER), 80)
    assert (reset[TCP].flags, reset[TCP].seq) == ("R", 9)
    assert_checksums(out.packet)


@pytest.mark.parametrize("flags", ["F", "", "P"])
def test_a_segment_without_ack_is_acknowledged_by_the_reset(bench: Bench, flags: str) -> None:
    """RFC 9293 §3.5.2: sequence number zero, acknowledged is all that the segment took."""
    bench.configure(nat64_settings())
    out = bench.nat64(tcp6(flags, seq=100, data=b"four"))
    reset = IPv6(out.packet)[TCP]
    assert (reset.flags, reset.seq, reset.ack) == ("RA", 0, 104 + flags.count("F"))
    assert_checksums(out.packet)


def test_a_reset_is_never_answered(bench: Bench) -> None:
    bench.configure(nat64_settings())
    for out in (bench.nat64(tcp6("R")), bench.nat64(tcp6("RA")), bench.nat64(tcp4(5000, "R"))):
        assert out.action is Action.SHOT and out.noted == {}


def test_resets_are_limited_in_rate(bench: Bench) -> None:
    bench.configure(nat64_settings())
    bench.advance(1 - (bench.now() % 1) + 0.05)
    bench.flood([tcp6("A")] * 1100)
    out = bench.nat64(tcp6("A"))
    assert (out.reason, out.action, out.noted) == ("NO_SESSION_TCP", Action.SHOT, {"ANSWER_LIMITED": 1})


def test_resets_can_be_off(bench: Bench) -> None:
    bench.configure(nat64_settings(reset_orphans=False))
    assert bench.nat64(tcp6("A")).action is bench.nat64(tcp4(5000, "A")).action is Action.SHOT


def test_with_extension_headers_there_is_no_reset(bench: Bench) -> None:
    bench.configure(nat64_settings())
    packet = wire(ip6() / IPv6ExtHdrDestOpt() / TCP(sport=1, dport=2, flags="A"))
    assert (bench.nat64(packet).reason, bench.nat64(packet).action) == ("NO_SESSION_TCP", Action.SHOT)


def server6_text() -> str:
    return str(IPv6Address(server6()))
