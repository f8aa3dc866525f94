# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""RFC 6052 §2.2 in the live programs: every prefix length, both ways; the addresses of §2.4, and one without a zero."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

from tests.packets.build import assert_checksums, ip4, ip6, udp4, udp6, wire
from tests.packets.harness import CLIENT4, CLIENT6, Action, Bench, nat64_settings, siit_settings

SECTION_2_4 = [
    ("2001:db8::/32", "2001:db8:c000:221::"),
    ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
    ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
    ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
    ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
    ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
    ("64:ff9b::/96", "64:ff9b::192.0.2.33"),
]
WITHOUT_ZERO = [
    ("2001:db8::/32", "2001:db8:c633:6407::"),
    ("2001:db8:100::/40", "2001:db8:1c6:3364:7::"),
    ("2001:db8:122::/48", "2001:db8:122:c633:64:700::"),
    ("2001:db8:122:300::/56", "2001:db8:122:3c6:33:6407::"),
    ("2001:db8:122:344::/64", "2001:db8:122:344:c6:3364:700::"),
    ("2001:db8:122:344::/96", "2001:db8:122:344::198.51.100.7"),
]
EXAMPLES = [(*example, "192.0.2.33") for example in SECTION_2_4] + [
    (*example, "198.51.100.7") for example in WITHOUT_ZERO
]
SOURCE = "2001:db9::5"


@pytest.mark.parametrize(("pref64", "embedded", "v4"), EXAMPLES)
def test_nat64_both_ways(bench: Bench, pref64: str, embedded: str, v4: str) -> None:
    bench.configure(nat64_settings(pref64=(pref64,), sources=("2001:db9::/32",)))
    out = bench.nat64(udp6(src=SOURCE, dst=embedded))
    assert (out.action, out.reason) == (Action.OK, "TRANSLATED_6TO4")
    sent = IP(out.packet)
    assert (sent.dst, sent[UDP].dport) == (v4, 53)
    assert_checksums(out.packet)

    back = bench.nat64(udp4(src=v4, dport=sent[UDP].sport))
    assert back.reason == "TRANSLATED_4TO6"
    reply = IPv6(back.packet)
    assert (IPv6Address(reply.src), reply.dst) == (IPv6Address(embedded), SOURCE)
    assert reply[UDP].dport == 40000
    assert_checksums(back.packet)


@pytest.mark.parametrize(("pref64", "embedded", "v4"), EXAMPLES)
def test_siit_both_ways(bench: Bench, pref64: str, embedded: str, v4: str) -> None:
    bench.configure(siit=siit_settings(pref64=pref64))
    out = bench.siit(wire(ip4(src=CLIENT4, dst=v4) / UDP(sport=1000, dport=53) / Raw(b"x" * 9)))
    assert out.reason == "TRANSLATED_4TO6"
    sent = IPv6(out.packet)
    assert (IPv6Address(sent.src), IPv6Address(sent.dst)) == (CLIENT6, IPv6Address(embedded))
    assert_checksums(out.packet)

    back = bench.siit(wire(ip6(src=embedded, dst=CLIENT6) / UDP(sport=53, dport=1000) / Raw(b"y" * 9)))
    assert back.reason == "TRANSLATED_6TO4"
    assert (IP(back.packet).src, IP(back.packet).dst) == (v4, str(CLIENT4))
    assert_checksums(back.packet)


@pytest.mark.parametrize("pref64", [pref64 for pref64, _ in SECTION_2_4 if not pref64.endswith("/96")])
def test_u_octet_must_be_zero(bench: Bench, pref64: str) -> None:
    bench.configure(nat64_settings(pref64=(pref64,), sources=("2001:db9::/32",)))
    embedded = next(address for prefix, address in SECTION_2_4 if prefix == pref64)
    wrong = IPv6Address(int(IPv6Address(embedded)) | 1 << 56)
    out = bench.nat64(udp6(src=SOURCE, dst=str(wrong)))
    assert (out.action, out.reason) == (Action.SHOT, "NOT_PREF64")
