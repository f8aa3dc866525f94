# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What RFC 7915 leaves to the operator: TOS and traffic class, UDP without checksum, errors of our own, RFC 6791's pool."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

from tests.packets.build import (
    assert_checksums,
    clat4,
    clat6,
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
from tests.packets.harness import (
    CLIENT4,
    CLIENT6,
    PHONE,
    POOL,
    SERVER,
    Action,
    Bench,
    nat64_settings,
    siit_settings,
)
from v6native.config.model import TranslationOptions, Udp0

FIXED = TranslationOptions(tos=0x28, traffic_class=0)
SPARSE = TranslationOptions(udp_without_checksum=Udp0.DROP)
POOLED = TranslationOptions(icmp_pool4=IPv4Network("192.0.2.64/26"))
ROUTERS = tuple(f"2001:db8:2:{n:x}::1" for n in range(1, 9))


def both(bench: Bench, options: TranslationOptions) -> None:
    bench.configure(nat64_settings(options=options), siit_settings(options=options))


@pytest.mark.parametrize("given", [0x00, 0xB8, 0xFF])
def test_a_fixed_octet_both_ways(bench: Bench, given: int) -> None:
    both(bench, FIXED)
    assert IP(bench.siit(clat6(UDP(sport=1, dport=2), tc=given)).packet).tos == 0x28
    assert IPv6(bench.siit(clat4(UDP(sport=1, dport=2), tos=given)).packet).tc == 0
    sent = IP(bench.nat64(wire(ip6(tc=given) / UDP(sport=1, dport=2))).packet)
    assert sent.tos == 0x28
    assert IPv6(bench.nat64(udp4(dport=sent[UDP].sport, sport=2, tos=given)).packet).tc == 0


def test_a_fixed_octet_is_not_written_into_quotes(bench: Bench) -> None:
    """The sender compares a quote with what it sent."""
    both(bench, FIXED)
    sent = bench.nat64(wire(ip6(tc=0xB8) / UDP(sport=1, dport=2)))
    error = bench.nat64(wire(ip4(src="198.18.0.2", tos=0xC0) / icmp4(11, 0, 0, sent.packet)))
    assert (IPv6(error.packet).tc, IPv6(error.packet[48:]).tc) == (0, 0x28)
    assert_checksums(error.packet)


@pytest.mark.parametrize(("octet", "expected"), [(None, 0xB8), (0, 0)])
def test_zero_is_a_value_too(bench: Bench, octet: int | None, expected: int) -> None:
    both(bench, TranslationOptions(tos=octet))
    assert IP(bench.siit(clat6(UDP(sport=1, dport=2), tc=0xB8)).packet).tos == expected


def without_checksum(packet: bytes) -> bytes:
    return packet[:26] + b"\0\0" + packet[28:]


def test_udp_without_checksum_is_dropped_where_the_file_says_so(bench: Bench) -> None:
    both(bench, SPARSE)
    assert bench.siit(without_checksum(clat4(UDP(sport=1, dport=2)))).reason == "UDP_NO_CHECKSUM"
    port = IP(bench.nat64(udp6()).packet)[UDP].sport
    assert bench.nat64(without_checksum(udp4(dport=port))).reason == "UDP_NO_CHECKSUM"
    assert bench.nat64(udp4(dport=port)).reason == "TRANSLATED_4TO6"


def test_its_other_fragments_go_with_it(bench: Bench) -> None:
    both(bench, SPARSE)
    port = IP(bench.nat64(udp6()).packet)[UDP].sport
    for run, whole in ((bench.nat64, udp4(dport=port)), (bench.siit, clat4(UDP(sport=1, dport=2) / Raw(bytes(48))))):
        header, payload = IP(whole), without_checksum(whole)[20:]
        parts = [
            bytes(
                IP(src=header.src, dst=header.dst, proto=17, id=7, ttl=60, flags=more, frag=at // 8) / payload[at:end]
            )
            for at, end, more in ((0, 32, "MF"), (32, len(payload), 0))
        ]
        assert [run(part).reason for part in parts] == ["UDP_NO_CHECKSUM", "FRAGMENT_OF_DROPPED"]


@pytest.mark.parametrize("rate", [0, 3])
def test_errors_of_our_own_are_as_many_as_the_file_says(bench: Bench, rate: int) -> None:
    """RFC 7915 §4.4, §5.4: sent, limited, or not sent."""
    both(bench, TranslationOptions(icmp_rate=rate))
    refused6, refused4 = udp6(src="2001:db8:65::1"), wire(ip4(src="192.0.2.9", dst=SERVER) / UDP(sport=1, dport=2))
    for run, packet in ((bench.nat64, refused6), (bench.siit, refused4)):
        bench.refill()
        out = [run(packet) for _ in range(5)]
        assert all("SOURCE_NOT_ALLOWED" in each.counted for each in out)
        # A new second may begin between two packets.
        answered = sum(each.action is Action.OK for each in out)
        assert answered == 0 if rate == 0 else rate <= answered <= 2 * rate


def hop(bench: Bench, router: str, quoted: bytes) -> IPv4Address:
    """Who a time exceeded of that router seems to be from."""
    destination = IPv6(quoted).src
    out = bench.nat64(wire(ip6(src=router, dst=destination) / icmp6(3, 0, 0, quoted)))
    assert out.reason == "TRANSLATED_6TO4"
    assert_checksums(out.packet)
    return IPv4Address(IP(out.packet).src)


def test_routers_behind_the_nat64_have_the_pools_address(bench: Bench) -> None:
    """RFC 6146 §3.6.1 knows no other: the outgoing tuple's source."""
    bench.configure(nat64_settings())
    port = IP(bench.nat64(tcp6()).packet).sport
    inward = bench.nat64(tcp4(dport=port)).packet
    assert {hop(bench, router, inward) for router in ROUTERS} == {POOL}


def test_with_a_pool_for_errors_they_are_told_apart(bench: Bench) -> None:
    bench.configure(nat64_settings(options=POOLED))
    port = IP(bench.nat64(tcp6()).packet).sport
    inward = bench.nat64(tcp4(dport=port)).packet
    seen = [hop(bench, router, inward) for router in ROUTERS]
    assert all(address in IPv4Network("192.0.2.64/26") for address in seen)
    assert len(set(seen)) >= len(ROUTERS) - 1 and seen == [hop(bench, router, inward) for router in ROUTERS]
    assert hop(bench, str(PHONE), inward) == POOL, "the host itself has an address already"


def test_the_stateless_translator_lends_from_its_pool(bench: Bench) -> None:
    bench.configure(siit=siit_settings(options=POOLED))
    quoted = wire(ip6(src=CLIENT6, dst=server6(), hlim=1) / UDP(sport=1, dport=2))
    seen = []
    for router in ROUTERS:
        out = IP(bench.siit(wire(ip6(src=router, dst=CLIENT6) / icmp6(3, 0, 0, quoted))).packet)
        assert out.dst == str(CLIENT4)
        seen.append(out.src)
    assert all(IPv4Address(address) in IPv4Network("192.0.2.64/26") for address in seen)
    assert len(set(seen)) >= len(ROUTERS) - 1
