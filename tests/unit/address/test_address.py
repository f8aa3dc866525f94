# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""RFC 6052 arithmetic against the RFC's own examples, and the special-purpose registry."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest

from v6native.address import NON_GLOBAL_IPV4, WKP, embed, extract, is_wkp, non_global, valid_pref64

RFC6052_SECTION_2_4 = [
    ("2001:db8::/32", "2001:db8:c000:221::"),
    ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
    ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
    ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
    ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
    ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
    ("64:ff9b::/96", "64:ff9b::192.0.2.33"),
]


@pytest.mark.parametrize(("prefix", "address"), RFC6052_SECTION_2_4)
def test_examples_of_section_2_4(prefix: str, address: str) -> None:
    v4 = IPv4Address("192.0.2.33")
    assert embed(IPv6Network(prefix), v4) == IPv6Address(address)
    assert extract(IPv6Network(prefix), IPv6Address(address)) == v4


@pytest.mark.parametrize("prefix", [prefix for prefix, _ in RFC6052_SECTION_2_4])
@pytest.mark.parametrize("v4", ["0.0.0.0", "255.255.255.255", "1.2.3.4", "128.0.0.1"])
def test_round_trip(prefix: str, v4: str) -> None:
    network = IPv6Network(prefix)
    v6 = embed(network, IPv4Address(v4))
    assert v6 in network
    assert int(v6) >> 56 & 0xFF == 0
    assert extract(network, v6) == IPv4Address(v4)


@pytest.mark.parametrize("prefix", [prefix for prefix, _ in RFC6052_SECTION_2_4])
def test_outside_of_the_prefix(prefix: str) -> None:
    assert extract(IPv6Network(prefix), IPv6Address("2001:db9::1")) is None


@pytest.mark.parametrize("prefix", ["2001:db8::/32", "2001:db8:122::/48", "2001:db8:122:344::/64"])
def test_u_octet_must_be_zero(prefix: str) -> None:
    v6 = embed(IPv6Network(prefix), IPv4Address("192.0.2.33"))
    assert extract(IPv6Network(prefix), IPv6Address(int(v6) | 1 << 56)) is None


def test_suffix_is_ignored() -> None:
    network = IPv6Network("2001:db8:122:344::/64")
    v6 = embed(network, IPv4Address("192.0.2.33"))
    assert extract(network, IPv6Address(int(v6) | 0xFFFFFF)) == IPv4Address("192.0.2.33")


def test_a_length_that_is_not_in_the_rfc_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="length 60"):
        embed(IPv6Network("2001:db8::/60"), IPv4Address("192.0.2.1"))
    with pytest.raises(ValueError, match="length 60"):
        extract(IPv6Network("2001:db8::/60"), IPv6Address("2001:db8::1"))


def test_is_wkp() -> None:
    assert is_wkp(WKP)
    assert not is_wkp(IPv6Network("64:ff9b:1::/96"))
    assert not is_wkp(IPv6Network("64:ff9b::/64"))


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("0.1.2.3", "this network"),
        ("10.0.0.1", "private use"),
        ("100.127.255.255", "shared address space"),
        ("127.0.0.1", "loopback"),
        ("169.254.169.254", "link local"),
        ("172.31.255.255", "private use"),
        ("192.0.0.8", "IETF protocol assignments"),
        ("192.0.2.1", "documentation (TEST-NET-1)"),
        ("192.88.99.1", "deprecated 6to4 relay anycast"),
        ("192.168.0.1", "private use"),
        ("198.19.0.1", "benchmarking"),
        ("198.51.100.1", "documentation (TEST-NET-2)"),
        ("203.0.113.1", "documentation (TEST-NET-3)"),
        ("239.0.0.1", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "limited broadcast"),
    ],
)
def test_non_global(address: str, name: str) -> None:
    assert non_global(IPv4Address(address)) == name


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "192.0.0.9", "192.0.0.10", "192.31.196.1", "192.52.193.1", "192.175.48.1", "100.128.0.1", "172.32.0.1"],
)
def test_global(address: str) -> None:
    assert non_global(IPv4Address(address)) is None


def test_every_block_is_refused_at_both_its_ends() -> None:
    for network, _ in NON_GLOBAL_IPV4:
        assert non_global(network[0]) is not None
        assert non_global(network[-1]) is not None


def test_blocks_are_listed_once() -> None:
    networks: list[IPv4Network] = [network for network, _ in NON_GLOBAL_IPV4]
    assert len(set(networks)) == len(networks)


@pytest.mark.parametrize(
    "prefix", ["64:ff9b::/96", "64:ff9b:1::/48", "2001:db8::/32", "2001:db8:64:64::/96", "fd00:64::/64"]
)
def test_valid_pref64(prefix: str) -> None:
    assert valid_pref64(IPv6Network(prefix)) is None


@pytest.mark.parametrize(
    ("prefix", "part"),
    [
        ("2001:db8::/33", "length 33"),
        ("2001:db8::/128", "length 128"),
        ("2001:db8:0:0:100::/96", "bits 64 to 71"),
        ("64:ff9b::/64", "well-known prefix"),
        ("ff0e::/96", "unicast"),
        ("fe80::/64", "unicast"),
        ("::ffff:0:0/96", "unicast"),
        ("::/96", "unicast"),
    ],
)
def test_invalid_pref64_says_why(prefix: str, part: str) -> None:
    error = valid_pref64(IPv6Network(prefix))
    assert error is not None
    assert part in error
    assert prefix in error
