# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Every way out of a translator is taken by a packet of some test in this folder, and then only its counter moves.

`Outcome.reason` sees to the second half. The files before this one have most of the cases; the last test says what
none of them had, and so it needs the whole folder.
"""

from __future__ import annotations

from ipaddress import IPv6Address

from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6ExtHdrFragment
from scapy.packet import Raw

from tests.packets.build import echo6, icmp6, ip4, ip6, udp4, udp6, wire
from tests.packets.harness import CLIENT6, SEEN, Bench, nat64_settings, siit_settings
from v6native.translate.reasons import Kind, Reason

NEVER = {"HELPER_FAILED"}
"""Only a kernel without memory takes this way out: its helpers have no other reason to refuse what the programs ask."""


def test_neither_ipv4_nor_ipv6(bench: Bench) -> None:
    bench.configure(nat64_settings(), siit_settings())
    arp = bytes.fromhex("000108000604000102640000000102000000000000000000c0000201")
    for program in (bench.nat64, bench.siit):
        assert program(arp, kind=0x0806).reason == "PASS_NOT_IP"


def test_multicast(bench: Bench) -> None:
    """RFC 7915 §1.1."""
    bench.configure(nat64_settings(), siit_settings())
    for program in (bench.nat64, bench.siit):
        assert program(udp6(dst=IPv6Address("ff0e::1"))).reason == "PASS_MULTICAST"
        assert program(udp4(5000, dst="224.0.1.1")).reason == "PASS_MULTICAST"


def test_the_slow_path_is_away(bench: Bench) -> None:
    bench.configure(nat64_settings())
    bench.adjust(slow_ifindex=0)
    echo = wire(ip6() / echo6(data=bytes(64)))
    first = ip6() / IPv6ExtHdrFragment(nh=58, m=1, id=9) / Raw(echo[40:88])
    assert bench.nat64(bytes(first)).reason == "SLOW_AWAY"


def test_an_address_without_mapping(bench: Bench) -> None:
    bench.configure(None, siit_settings())
    quoted = bytes(ip6(src=CLIENT6, dst="2001:db8:9::9") / UDP(sport=1, dport=2))
    assert bench.siit(wire(ip6(dst=CLIENT6) / icmp6(1, 0, 0, quoted))).reason == "NO_MAPPING"


def test_a_first_fragment_without_its_transport_header(bench: Bench) -> None:
    """RFC 7112 §5 asks for the whole chain of headers in the first fragment."""
    bench.configure(nat64_settings())
    tiny = bytes(ip4(flags="MF", proto=17) / Raw(bytes(4)))
    assert bench.nat64(tiny).reason == "FRAGMENT_TOO_SMALL"


def test_every_way_out_was_taken(bench: Bench) -> None:
    wanted = {reason.name for reason in Reason if reason.kind is not Kind.NOTE} - NEVER
    assert wanted - set(SEEN) == set(), "no test of tests/packets has a packet for these (run the whole folder)"
