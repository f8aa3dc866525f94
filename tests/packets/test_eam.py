# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Explicit address mappings in the kernel: services of IPv6 hosts in the IPv4 internet (RFC 7755, RFC 7757)."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, IPv6, IPv6ExtHdrFragment
from scapy.packet import Raw

from tests.packets.build import assert_checksums, icmp4, icmp6, ip4, ip6, server6, udp4, udp6, wire
from tests.packets.harness import NODE4, POOL, PREF64, SERVER, Action, Bench, nat64_settings, siit_settings
from v6native.address import embed

ONE4, ONE6 = "192.0.2.8", "2001:db8:64:1::8"
TWO4, TWO6 = "192.0.2.9", "2001:db8:64:2::9"
ROUTER6 = "2001:db8:64:ff::1"
SERVICES = ((f"{ONE4}/32", f"{ONE6}/128"), (f"{TWO4}/32", f"{TWO6}/128"))
HAIRPIN, NAT64_OUT, CLAT_OUT = 0x18000000, 0x10000000, 0x20000000


@pytest.fixture
def services(bench: Bench) -> Bench:
    bench.configure(nat64_settings(), siit_settings(eam=SERVICES))
    return bench


def by_pref64(address: str) -> str:
    return str(embed(PREF64, IPv4Address(address)))


def test_a_service_and_its_client(services: Bench) -> None:
    arrived = IPv6(services.siit(udp4(dport=53, sport=1000, dst=ONE4)).packet)
    assert (arrived.src, arrived.dst) == (server6(), ONE6)
    left = IP(services.siit(udp6(src=ONE6, dst=arrived.src, sport=53, dport=1000)).packet)
    assert (left.src, left.dst) == (ONE4, str(SERVER))


def test_the_longest_prefix_wins_either_way(bench: Bench) -> None:
    """RFC 7757 §3.3.1, §3.3.2."""
    wide, narrow = ("192.0.2.0/24", "2001:db8:8::/120"), (f"{ONE4}/32", f"{ONE6}/128")
    back = ("198.51.100.7/32", "2001:db8:8::7/128")
    bench.configure(siit=siit_settings(eam=(wide, narrow, back)))
    assert IPv6(bench.siit(udp4(dport=1, dst=ONE4)).packet).dst == ONE6
    assert IPv6(bench.siit(udp4(dport=1, dst="192.0.2.7")).packet).dst == "2001:db8:8::7"
    assert IP(bench.siit(udp6(src="2001:db8:8::7")).packet).src == "198.51.100.7"
    assert IP(bench.siit(udp6(src="2001:db8:8::8")).packet).src == ONE4


@pytest.mark.parametrize(
    ("v4", "v6"), [("192.0.2.192/29", "2001:db8:eeee:8::/62"), ("192.0.2.128/26", "2001:db8:d::/64")]
)
def test_more_ipv6_than_ipv4_addresses(bench: Bench, v4: str, v6: str) -> None:
    """RFC 7757 §3.2, figure 1."""
    bench.configure(siit=siit_settings(eam=((v4, v6),)))
    service = v4.partition("/")[0]
    arrived = IPv6(bench.siit(udp4(dport=53, dst=service)).packet)
    assert IP(bench.siit(udp6(src=arrived.dst, dst=arrived.src)).packet).src == service


def test_routers_before_a_service_report_to_its_clients(services: Bench) -> None:
    """RFC 6791: routed by its source it comes to the NAT64, which has no session for it and leaves it to the other one."""
    arrived = services.siit(udp4(dport=53, sport=1000, dst=ONE4)).packet
    report = wire(ip6(src=ROUTER6, dst=server6()) / icmp6(3, 0, 0, arrived))
    out = services.nat64(report)
    assert (out.action, out.reason, out.packet) == (Action.REDIRECT, "PASS_NOT_OURS", report)
    told = services.siit(out.packet, mark=out.mark)
    assert (told.action, told.reason) == (Action.OK, "TRANSLATED_6TO4")
    assert (IP(told.packet).src, IP(told.packet).dst) == (str(NODE4), str(SERVER))
    quoted = IP(told.packet[28:])
    assert (quoted.src, quoted.dst, quoted.sport, quoted.dport) == (str(SERVER), ONE4, 1000, 53)
    assert_checksums(told.packet)


@pytest.mark.parametrize(
    ("destination", "reason"),
    [
        ("10.0.0.1", "DESTINATION_REFUSED"),
        ("169.254.169.254", "DESTINATION_REFUSED"),
        ("203.0.113.77", "DESTINATION_REFUSED"),
        ("10.8.0.1", "TRANSLATED_6TO4"),
        (TWO4, "HAIRPINNED"),
        (str(SERVER), "TRANSLATED_6TO4"),
    ],
)
def test_a_mapped_host_reaches_what_the_file_leaves_open(bench: Bench, destination: str, reason: str) -> None:
    """The embedded address decides, as for the NAT64; other mapped hosts are open whatever range they are in."""
    closed = ("10.0.0.0/8", "169.254.0.0/16", "203.0.113.0/24", "192.0.2.0/24")
    bench.configure(siit=siit_settings(eam=SERVICES, refused4=closed, open4=("10.8.0.0/16",)))
    out = bench.siit(udp6(src=ONE6, dst=by_pref64(destination)))
    assert out.reason == reason
    if reason == "DESTINATION_REFUSED":
        answer = IPv6(out.packet)
        assert answer.dst == ONE6
        assert (answer[ICMPv6DestUnreach].type, answer[ICMPv6DestUnreach].code) == (1, 1)


def test_without_explicit_mappings_nothing_is_left_to_the_other(bench: Bench) -> None:
    bench.configure(nat64_settings())
    quoted = wire(ip6(src=server6(), dst=ONE6) / UDP(sport=1000, dport=53))
    assert bench.nat64(wire(ip6(src=ROUTER6, dst=server6()) / icmp6(3, 0, 0, quoted))).reason == "NO_SESSION_ERROR"


def test_two_services_talk_by_their_ipv4_addresses(services: Bench) -> None:
    """RFC 7757 §4.2.2, appendix B.1: each sees the other by pref64, or the answers would take another way."""
    first = services.siit(udp6(src=ONE6, dst=by_pref64(TWO4), sport=1000, dport=53, hlim=10))
    assert (first.action, first.reason, first.mark) == (Action.REDIRECT, "HAIRPINNED", HAIRPIN)
    second = services.siit(first.packet, mark=first.mark)
    assert (second.action, second.reason, second.mark) == (Action.OK, "TRANSLATED_4TO6", CLAT_OUT)
    arrived = IPv6(second.packet)
    assert (arrived.src, arrived.dst, arrived.hlim) == (by_pref64(ONE4), TWO6, 11)
    assert_checksums(second.packet)
    back = services.siit(udp6(src=TWO6, dst=arrived.src, sport=53, dport=1000))
    home = IPv6(services.siit(back.packet, mark=back.mark).packet)
    assert (home.src, home.dst) == (by_pref64(TWO4), ONE6)


@pytest.mark.parametrize(("reporter", "seen"), [(TWO6, by_pref64(TWO4)), (ROUTER6, by_pref64(str(NODE4)))])
def test_errors_between_two_services(services: Bench, reporter: str, seen: str) -> None:
    first = services.siit(udp6(src=ONE6, dst=by_pref64(TWO4), sport=1000, dport=53))
    arrived = services.siit(first.packet, mark=first.mark).packet
    back = services.siit(wire(ip6(src=reporter, dst=by_pref64(ONE4)) / icmp6(1, 4, 0, arrived)))
    assert (back.action, back.reason) == (Action.REDIRECT, "HAIRPINNED")
    told = services.siit(back.packet, mark=back.mark)
    error, quoted = IPv6(told.packet), IPv6(told.packet[48:])
    assert (told.reason, error.src, error.dst) == ("TRANSLATED_4TO6", seen, ONE6)
    assert (quoted.src, quoted.dst, quoted[UDP].sport, quoted[UDP].dport) == (ONE6, by_pref64(TWO4), 1000, 53)
    assert_checksums(told.packet)


def test_fragments_between_two_services(services: Bench) -> None:
    """They have the size that their sender gave them, so the kernel need not cut them once more."""
    data = udp6(src=ONE6, dst=by_pref64(TWO4), data=bytes(2000))[40:]
    for start, end in ((0, 1200), (1200, len(data))):
        header = IPv6ExtHdrFragment(nh=17, offset=start // 8, m=int(end < len(data)), id=9)
        first = services.siit(bytes(ip6(src=ONE6, dst=by_pref64(TWO4)) / header / Raw(data[start:end])))
        second = services.siit(first.packet, mark=first.mark)
        assert (first.reason, second.reason) == ("HAIRPINNED", "TRANSLATED_4TO6")
        assert IPv6(second.packet).src == by_pref64(ONE4)


def test_clients_of_the_nat64_reach_a_service(services: Bench) -> None:
    """The NAT64's IPv4 is routed to the stateless translator, and its answer to the NAT64."""
    out = services.nat64(udp6(dst=by_pref64(ONE4), dport=53))
    assert (out.reason, out.mark) == ("TRANSLATED_6TO4", NAT64_OUT)
    arrived = IPv6(services.siit(out.packet, mark=out.mark).packet)
    assert (arrived.src, arrived.dst) == (str(embed(PREF64, POOL)), ONE6)
    answer = services.siit(udp6(src=ONE6, dst=arrived.src, sport=53, dport=arrived[UDP].sport))
    assert services.nat64(answer.packet, mark=answer.mark).reason == "TRANSLATED_4TO6"


def test_what_the_nat64_sends_to_the_internet_loops_not(services: Bench) -> None:
    out = services.nat64(udp6())
    assert services.siit(out.packet, mark=out.mark).reason == "LOOP"
    error = wire(ip4(src=POOL, dst=SERVER) / icmp4(3, 3, 0, udp4(dport=1, src=SERVER, dst=ONE4)))
    assert services.siit(error, mark=NAT64_OUT).reason == "LOOP"
