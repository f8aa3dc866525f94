# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What RFC 4787, RFC 5382, RFC 5508 and RFC 6888 ask of any NAT, as far as no other file of packets holds it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from scapy.layers.inet import IP, TCP, UDP, IPOption_RR
from scapy.layers.inet6 import IPv6
from scapy.packet import Packet

from tests.packets.build import assert_checksums, echo6, icmp4, icmp6, ip4, ip6, tcp4, tcp6, udp4, udp6, wire
from tests.packets.harness import PHONE, SERVER, Bench, nat64_settings, siit_settings
from v6native.dataplane.door import TcpState

ROUTER4, ROUTER6 = "198.18.0.2", "2001:db8:64:ff::1"


@pytest.fixture
def nat(bench: Bench) -> Bench:
    bench.configure(nat64_settings())
    return bench


def about(sent: bytes, kind: int = 3, code: int = 3, **fields: object) -> bytes:
    """An error of a router in the IPv4 internet."""
    return wire(ip4(src=ROUTER4, dst=IP(sent).src, **fields) / icmp4(kind, code, 0, sent))


@pytest.mark.parametrize("kind", [(3, 1), (3, 3), (3, 13), (11, 0)])
@pytest.mark.parametrize("packet", [udp6(), tcp6("S"), wire(ip6() / echo6())], ids=["udp", "tcp", "icmp"])
def test_no_error_ends_or_renews_a_session(nat: Bench, packet: bytes, kind: tuple[int, int]) -> None:
    """RFC 4787 REQ-12, RFC 5382 REQ-10, RFC 5508 REQ-6."""
    sent = nat.nat64(packet).packet
    nat.advance(10)
    (before,) = nat.sessions()
    assert nat.nat64(about(sent, *kind)).reason == "TRANSLATED_4TO6"
    (after,) = nat.sessions()
    assert after.state == before.state
    assert before.seconds_left - 2 < after.seconds_left <= before.seconds_left


def test_errors_come_from_any_source(nat: Bench) -> None:
    """RFC 4787 REQ-12a: routers on the way are many."""
    sent = nat.nat64(udp6()).packet
    for router in (ROUTER4, str(SERVER), "192.0.2.200", "10.0.0.1"):
        error = wire(ip4(src=router, dst=IP(sent).src) / icmp4(11, 0, 0, sent))
        assert nat.nat64(error).reason == "TRANSLATED_4TO6"


def test_options_of_a_quoted_packet_are_stepped_over(nat: Bench) -> None:
    """RFC 5508 REQ-3b."""
    port = IP(nat.nat64(udp6()).packet)[UDP].sport
    options = [IPOption_RR(pointer=4, routers=["0.0.0.0"])]
    quoted = bytes(IP(src="203.0.113.1", dst=str(SERVER), ttl=1, options=options) / UDP(sport=port, dport=53))
    out = nat.nat64(about(quoted, 11, 0))
    assert out.reason == "TRANSLATED_4TO6"
    inner = IPv6(out.packet[48:])
    assert (inner.src, inner[UDP].sport) == (str(PHONE), 40000)


def test_the_transport_checksum_of_a_quoted_packet_is_not_judged(nat: Bench) -> None:
    """RFC 5508 REQ-3c."""
    sent = bytearray(nat.nat64(udp6()).packet)
    sent[27] ^= 0x55
    out = nat.nat64(about(bytes(sent)))
    assert out.reason == "TRANSLATED_4TO6"
    assert_checksums(out.packet)


def test_a_simultaneous_open(nat: Bench) -> None:
    """RFC 5382 REQ-2a: SYN against SYN, then both acknowledge."""
    port = IP(nat.nat64(tcp6("S")).packet)[TCP].sport
    assert nat.nat64(tcp4(port, "S")).reason == "TRANSLATED_4TO6"
    assert [s.state for s in nat.sessions()] == [TcpState.ESTABLISHED]
    assert nat.nat64(tcp6("SA")).reason == "TRANSLATED_6TO4"
    assert nat.nat64(tcp4(port, "SA")).reason == "TRANSLATED_4TO6"
    assert nat.nat64(tcp6("A")).reason == "TRANSLATED_6TO4"
    assert [s.state for s in nat.sessions()] == [TcpState.ESTABLISHED]


def test_answers_have_the_class_of_what_they_answer(bench: Bench) -> None:
    """RFC 5508 §7.7, RFC 1812 §4.3.2.5; congestion is not the answer's."""
    bench.configure(nat64_settings(), siit_settings())
    six = wire(ip6(src="2001:db8:65::1", tc=0xBB) / UDP(sport=1, dport=2))
    assert IPv6(bench.nat64(six).packet).tc == 0xB8
    assert IP(bench.nat64(udp4(dport=9, tos=0xBB)).packet).tos == 0xB8


def test_one_identifier_towards_everybody(nat: Bench) -> None:
    """RFC 5508 REQ-1a: an echo identifier is mapped like a port."""

    def ping(to: str) -> int:
        out = nat.nat64(wire(ip6(dst=f"2001:db8:64:64::{to}") / echo6(identifier=9))).packet
        return int.from_bytes(out[24:26])

    assert ping("198.51.100.80") == ping("198.51.100.81") == ping("192.0.2.77")


def test_what_is_obsolete_is_not_translated(nat: Bench) -> None:
    """RFC 5508 REQ-10c: source quench, information requests."""
    sent = nat.nat64(udp6()).packet
    assert nat.nat64(wire(ip4(src=ROUTER4, dst=IP(sent).src) / icmp4(4, 0, 0, sent))).reason == "UNKNOWN_ICMP"
    query: Packet = ip4() / icmp4(15, 0, 7 << 16)
    assert nat.nat64(wire(query)).reason == "UNKNOWN_ICMP"


def test_an_error_from_inside_about_nothing_of_ours_is_dropped(nat: Bench) -> None:
    """RFC 5508 REQ-5."""
    quoted = wire(ip6(src="2001:db8:64:64::c633:6450", dst=PHONE) / UDP(sport=1, dport=2))
    assert nat.nat64(wire(ip6(src=ROUTER6) / icmp6(3, 0, 0, quoted))).reason == "NO_SESSION_ERROR"


def test_a_query_lasts_sixty_seconds(nat: Bench) -> None:
    """RFC 5508 REQ-2: not less; the time is the file's."""
    ping = wire(ip6() / echo6())
    sent = nat.nat64(ping)
    answer = wire(ip4(dst=IP(sent.packet).src) / icmp4(0, 0, int.from_bytes(sent.packet[24:28]), b""))
    nat.advance(59)
    assert nat.nat64(answer).reason == "TRANSLATED_4TO6"
    nat.advance(61)
    nat.sweep()
    assert nat.nat64(answer).reason == "NO_BIB_ICMP"


def test_the_last_port_does_not_tell_the_next(nat: Bench) -> None:
    """RFC 6888 REQ-15, RFC 6056."""
    ports = [IP(nat.nat64(tcp6("S", sport=2000 + n)).packet)[TCP].sport for n in range(48)]
    steps = [after - before for before, after in pairwise(ports)]
    assert min(steps) < 0 < max(steps) and len(set(steps)) > 16
