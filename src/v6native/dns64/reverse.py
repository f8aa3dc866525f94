# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Names of the reverse trees, ip6.arpa and in-addr.arpa, and the addresses they stand for (RFC 3596 §2.5, RFC 1035 §3.5)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network

from v6native.address import extract

_IP6_ARPA = b"\x03ip6\x04arpa\0"
_IN_ADDR_ARPA = b"\x07in-addr\x04arpa\0"
_NIBBLES = 32


def embedded(name: bytes, prefixes: tuple[IPv6Network, ...]) -> tuple[IPv6Network, IPv4Address] | None:
    """The prefix, and the IPv4 address in the address that `name` (lower case) stands for; None where there is none."""
    address = ip6_address(name)
    if address is None:
        return None
    for prefix in prefixes:
        v4 = extract(prefix, address)
        if v4 is not None:
            return prefix, v4
    return None


def ip6_address(name: bytes) -> IPv6Address | None:
    """The address of a whole name under ip6.arpa, in lower case."""
    if len(name) != 2 * _NIBBLES + len(_IP6_ARPA) or not name.endswith(_IP6_ARPA):
        return None
    lengths, digits = name[0 : 2 * _NIBBLES : 2], name[1 : 2 * _NIBBLES : 2]
    if lengths != b"\x01" * _NIBBLES or digits.strip(b"0123456789abcdef"):
        return None
    return IPv6Address(int(digits[::-1], 16))


def ip6_name(address: IPv6Address, nibbles: int = _NIBBLES) -> bytes:
    """The name of the first `nibbles` hexadecimal digits of an address."""
    digits = address.packed.hex()[:nibbles]
    return b"".join(b"\x01" + digit.encode() for digit in reversed(digits)) + _IP6_ARPA


def zone_name(prefix: IPv6Network) -> bytes:
    """The zone of a prefix; every length of RFC 6052 is a whole number of digits."""
    return ip6_name(prefix.network_address, prefix.prefixlen // 4)


def in_addr_name(address: IPv4Address) -> bytes:
    labels = [str(octet).encode() for octet in reversed(address.packed)]
    return b"".join(bytes([len(label)]) + label for label in labels) + _IN_ADDR_ARPA
