# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Explicit address mappings: RFC 7757's own table, longest match, and the fallback to the pref64."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6

from tests.unit.translate.world import PREF64, SETTINGS, refused, translated
from v6native.translate.siit import AddressMap, Eam, Siit

FIGURE_1 = AddressMap(
    (
        Eam(IPv4Network("192.0.2.1/32"), IPv6Network("2001:db8:aaaa::/128")),
        Eam(IPv4Network("192.0.2.2/32"), IPv6Network("2001:db8:bbbb::b/128")),
        Eam(IPv4Network("192.0.2.16/28"), IPv6Network("2001:db8:cccc::/124")),
        Eam(IPv4Network("192.0.2.128/26"), IPv6Network("2001:db8:dddd::/64")),
        Eam(IPv4Network("192.0.2.192/29"), IPv6Network("2001:db8:eeee:8::/62")),
        Eam(IPv4Network("192.0.2.224/31"), IPv6Network("64:ff9b::/127")),
    ),
    IPv6Network("64:ff9b::/96"),
)

# RFC 7757 appendix B, both ways.
APPENDIX_B = [
    ("192.0.2.1", "2001:db8:aaaa::"),
    ("192.0.2.2", "2001:db8:bbbb::b"),
    ("192.0.2.16", "2001:db8:cccc::"),
    ("192.0.2.24", "2001:db8:cccc::8"),
    ("192.0.2.31", "2001:db8:cccc::f"),
    ("192.0.2.128", "2001:db8:dddd::"),
    ("192.0.2.152", "2001:db8:dddd:0:6000::"),
    ("192.0.2.183", "2001:db8:dddd:0:dc00::"),
    ("192.0.2.191", "2001:db8:dddd:0:fc00::"),
    ("192.0.2.195", "2001:db8:eeee:9:8000::"),
    ("192.0.2.225", "64:ff9b::1"),
    ("192.0.2.248", "64:ff9b::c000:2f8"),
]


@pytest.mark.parametrize(("v4", "v6"), APPENDIX_B)
def test_appendix_b(v4: str, v6: str) -> None:
    assert FIGURE_1.to_v6(IPv4Address(v4)) == IPv6Address(v6)
    assert FIGURE_1.to_v4(IPv6Address(v6)) == IPv4Address(v4)


def test_trailing_bits_are_discarded() -> None:
    assert FIGURE_1.to_v4(IPv6Address("2001:db8:dddd:0:6000::1")) == IPv4Address("192.0.2.152")


def test_longest_match_wins() -> None:
    table = AddressMap(
        (
            Eam(IPv4Network("192.0.2.0/24"), IPv6Network("2001:db8:1::/120")),
            Eam(IPv4Network("192.0.2.7/32"), IPv6Network("2001:db8:2::7/128")),
            Eam(IPv4Network("192.0.2.99/32"), IPv6Network("2001:db8:1::7/128")),
        ),
        PREF64,
    )
    assert table.to_v6(IPv4Address("192.0.2.7")) == IPv6Address("2001:db8:2::7")
    assert table.to_v6(IPv4Address("192.0.2.8")) == IPv6Address("2001:db8:1::8")
    assert table.to_v4(IPv6Address("2001:db8:1::7")) == IPv4Address("192.0.2.99")


def test_what_has_no_mapping() -> None:
    assert FIGURE_1.to_v4(IPv6Address("2001:db8:ffff::1")) is None
    assert FIGURE_1.explicit6(IPv4Address("198.51.100.1")) is None


def test_more_ipv4_than_ipv6_addresses_is_no_mapping() -> None:
    with pytest.raises(ValueError, match="no EAM"):
        Eam(IPv4Network("192.0.2.0/24"), IPv6Network("2001:db8::/121"))


def test_from_the_internet_to_a_mapped_server_and_back() -> None:
    siit = Siit(FIGURE_1, SETTINGS)
    inward = IPv6(translated(siit.translate(bytes(IP(src="198.51.100.9", dst="192.0.2.2") / UDP(sport=1, dport=2)))))
    assert (inward.src, inward.dst) == ("64:ff9b::c633:6409", "2001:db8:bbbb::b")
    outward = IP(translated(siit.translate(bytes(IPv6(src=inward.dst, dst=inward.src) / UDP(sport=2, dport=1)))))
    assert (outward.src, outward.dst) == ("192.0.2.2", "198.51.100.9")


@pytest.mark.parametrize("packet", [b"", b"\x00" * 40, b"\xff"])
def test_no_ip(packet: bytes) -> None:
    assert refused(Siit(FIGURE_1, SETTINGS).translate(packet)) == "PASS_NOT_IP"
