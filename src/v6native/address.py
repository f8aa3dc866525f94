# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""IPv4-embedded IPv6 addresses (RFC 6052), and the IPv4 space that is not the global internet (RFC 6890).

Where the 32 bits of the IPv4 address lie, by prefix length (RFC 6052 §2.2); `u` is the octet of bits 64 to 71,
always zero, and what is left is the suffix:

    /32   prefix(32) v4(32)                      u suffix(56)
    /40   prefix(40) v4(24)                      u v4(8)  suffix(48)
    /48   prefix(48) v4(16)                      u v4(16) suffix(40)
    /56   prefix(56) v4(8)                       u v4(24) suffix(32)
    /64   prefix(64)                             u v4(32) suffix(24)
    /96   prefix(96, its own bits 64-71 zero)    v4(32)
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

WKP = IPv6Network("64:ff9b::/96")
"""The Well-Known Prefix (RFC 6052 §2.1)."""

PREFIX_LENGTHS = (32, 40, 48, 56, 64, 96)
"""The prefix lengths that RFC 6052 §2.2 defines."""

_U_SHIFT = 56
_U_MASK = 0xFF << _U_SHIFT
_LOW_56 = (1 << _U_SHIFT) - 1
_V4_MASK = 0xFFFFFFFF

NON_GLOBAL_IPV4: tuple[tuple[IPv4Network, str], ...] = (
    (IPv4Network("0.0.0.0/8"), "this network"),
    (IPv4Network("10.0.0.0/8"), "private use"),
    (IPv4Network("100.64.0.0/10"), "shared address space"),
    (IPv4Network("127.0.0.0/8"), "loopback"),
    (IPv4Network("169.254.0.0/16"), "link local"),
    (IPv4Network("172.16.0.0/12"), "private use"),
    (IPv4Network("192.0.0.0/24"), "IETF protocol assignments"),
    (IPv4Network("192.0.2.0/24"), "documentation (TEST-NET-1)"),
    (IPv4Network("192.88.99.0/24"), "deprecated 6to4 relay anycast"),
    (IPv4Network("192.168.0.0/16"), "private use"),
    (IPv4Network("198.18.0.0/15"), "benchmarking"),
    (IPv4Network("198.51.100.0/24"), "documentation (TEST-NET-2)"),
    (IPv4Network("203.0.113.0/24"), "documentation (TEST-NET-3)"),
    (IPv4Network("224.0.0.0/4"), "multicast"),
    (IPv4Network("240.0.0.0/4"), "reserved"),
    (IPv4Network("255.255.255.255/32"), "limited broadcast"),
)
"""The IANA IPv4 special-purpose registry's rows that are not globally reachable, and multicast, which it leaves out."""

GLOBAL_IPV4_EXCEPTIONS: tuple[IPv4Network, ...] = (
    IPv4Network("192.0.0.9/32"),  # Port Control Protocol anycast, RFC 7723
    IPv4Network("192.0.0.10/32"),  # TURN anycast, RFC 8155
)
"""Rows of the same registry that are globally reachable although they lie inside a block that is not."""


def embed(pref64: IPv6Network, v4: IPv4Address) -> IPv6Address:
    """The IPv4-embedded address of `v4` under `pref64`, suffix zero (RFC 6052 §2.3).

    ValueError where `pref64` has a length that RFC 6052 does not define.
    """
    length = _known_length(pref64)
    prefix, bits = int(pref64.network_address), int(v4)
    if length == 96:
        return IPv6Address(prefix | bits)
    # Placed directly behind the prefix, then the part that lies from bit 64 on moves eight bits to the right.
    placed = bits << (96 - length)
    high, low = placed >> 64 << 64, placed & ((1 << 64) - 1)
    return IPv6Address(prefix | high | low >> 8)


def extract(pref64: IPv6Network, v6: IPv6Address) -> IPv4Address | None:
    """The IPv4 address inside `v6`; None where `v6` lies outside of `pref64` or its u octet is not zero.

    A suffix that is not zero is ignored: RFC 6052 §2.2 asks translators to accept it, for a future use of those bits.
    """
    length = _known_length(pref64)
    if v6 not in pref64:
        return None
    value = int(v6)
    if length == 96:
        return IPv4Address(value & _V4_MASK)
    if value & _U_MASK:
        return None
    joined = value >> 64 << 64 | (value & _LOW_56) << 8
    return IPv4Address(joined >> (96 - length) & _V4_MASK)


def is_wkp(pref64: IPv6Network) -> bool:
    """Whether this is the Well-Known Prefix, which may not leave the AS nor stand for non-global IPv4 (RFC 6052 §3)."""
    return pref64 == WKP


def non_global(v4: IPv4Address) -> str | None:
    """The name of the special-purpose block that makes `v4` not globally reachable, None for the global internet.

    Where blocks nest, the most specific one counts: 255.255.255.255 is a broadcast, not just reserved.
    """
    if any(v4 in network for network in GLOBAL_IPV4_EXCEPTIONS):
        return None
    holders = [(network.prefixlen, name) for network, name in NON_GLOBAL_IPV4 if v4 in network]
    return max(holders)[1] if holders else None


def valid_pref64(network: IPv6Network) -> str | None:
    """What is wrong with `network` as a pref64, None where nothing is (RFC 6052 §2.2, §3.1)."""
    if network.prefixlen not in PREFIX_LENGTHS:
        return f"{network} has length {network.prefixlen}; a pref64 has one of 32, 40, 48, 56, 64 or 96 (RFC 6052 §2.2)"
    if int(network.network_address) & _U_MASK:
        return f"{network} has bits 64 to 71 set; they are zero in a pref64 (RFC 6052 §2.2)"
    if network.overlaps(WKP) and network != WKP:
        return f"{network} holds the well-known prefix; write {WKP} itself, or a prefix of the network (RFC 6052 §3.1)"
    first = network.network_address
    if first.is_multicast or first.is_link_local or int(first) >> 96 == 0:
        return f"{network} is not unicast space that can be routed; use a prefix of the network, or {WKP}"
    return None


def _known_length(pref64: IPv6Network) -> int:
    if pref64.prefixlen not in PREFIX_LENGTHS:
        raise ValueError(f"{pref64} is no pref64: length {pref64.prefixlen} is not one of RFC 6052's")
    return pref64.prefixlen
