# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""ICMP types, codes, pointers and MTUs as data (RFC 7915 §4.2 with Figure 3, §5.2 with Figure 6). What is not listed is dropped."""

from __future__ import annotations

from enum import Enum, auto

from v6native.packet import FRAGMENT_HEADER, IPV4_HEADER, IPV6_HEADER

ECHO_REPLY4, UNREACHABLE4, SOURCE_QUENCH4, REDIRECT4, ECHO4, TIME_EXCEEDED4, PARAMETER4 = 0, 3, 4, 5, 8, 11, 12
UNREACHABLE6, TOO_BIG6, TIME_EXCEEDED6, PARAMETER6, ECHO6, ECHO_REPLY6 = 1, 2, 3, 4, 128, 129
FRAGMENTATION_NEEDED = 4

ERRORS4 = frozenset({UNREACHABLE4, SOURCE_QUENCH4, REDIRECT4, TIME_EXCEEDED4, PARAMETER4})


def is_error4(icmp_type: int) -> bool:
    return icmp_type in ERRORS4


def is_error6(icmp_type: int) -> bool:
    """RFC 4443 §2.1: the high bit tells informational messages."""
    return icmp_type < 128


# Echo only; the other queries are of one hop or obsolete.
QUERY_4TO6 = {ECHO4: ECHO6, ECHO_REPLY4: ECHO_REPLY6}
QUERY_6TO4 = {ECHO6: ECHO4, ECHO_REPLY6: ECHO_REPLY4}


def is_query(table: dict[int, int], icmp: bytes) -> bool:
    """Whether an ICMP message begins like a query that is translated, whatever its code."""
    return len(icmp) >= 1 and icmp[0] in table


class Rest(Enum):
    """What becomes of an ICMP error's second word."""

    ZERO = auto()
    MTU = auto()
    POINTER = auto()
    NEXT_HEADER = auto()  # a pointer to the IPv6 Next Header field


NEXT_HEADER_AT = 6

# (type, code) to (type, code, second word). Code None: any; as a result: unchanged.
ERROR_4TO6: dict[tuple[int, int | None], tuple[int, int | None, Rest]] = {
    (3, 0): (1, 0, Rest.ZERO),
    (3, 1): (1, 0, Rest.ZERO),
    (3, 2): (4, 1, Rest.NEXT_HEADER),
    (3, 3): (1, 4, Rest.ZERO),
    (3, 4): (2, 0, Rest.MTU),
    (3, 5): (1, 0, Rest.ZERO),
    (3, 6): (1, 0, Rest.ZERO),
    (3, 7): (1, 0, Rest.ZERO),
    (3, 8): (1, 0, Rest.ZERO),
    (3, 9): (1, 1, Rest.ZERO),
    (3, 10): (1, 1, Rest.ZERO),
    (3, 11): (1, 0, Rest.ZERO),
    (3, 12): (1, 0, Rest.ZERO),
    (3, 13): (1, 1, Rest.ZERO),
    (3, 15): (1, 1, Rest.ZERO),
    (11, None): (3, None, Rest.ZERO),
    (12, 0): (4, 0, Rest.POINTER),
    (12, 2): (4, 0, Rest.POINTER),
}

ERROR_6TO4: dict[tuple[int, int | None], tuple[int, int | None, Rest]] = {
    (1, 0): (3, 1, Rest.ZERO),
    (1, 1): (3, 10, Rest.ZERO),
    (1, 2): (3, 1, Rest.ZERO),
    (1, 3): (3, 1, Rest.ZERO),
    (1, 4): (3, 3, Rest.ZERO),
    (2, None): (3, 4, Rest.MTU),
    (3, None): (11, None, Rest.ZERO),
    (4, 0): (12, 0, Rest.POINTER),
    (4, 1): (3, 2, Rest.ZERO),
}

# Figures 3 and 6; what they call n/a is not here.
POINTER_4TO6 = {0: 0, 1: 1, 2: 4, 3: 4, 8: 7, 9: 6} | dict.fromkeys(range(12, 16), 8) | dict.fromkeys(range(16, 20), 24)
POINTER_6TO4 = {0: 0, 1: 1, 4: 2, 5: 2, 6: 9, 7: 8} | dict.fromkeys(range(8, 24), 12) | dict.fromkeys(range(24, 40), 16)

# Messages that can carry RFC 4884 extensions (its §4.6).
EXTENSIBLE4 = frozenset({UNREACHABLE4, TIME_EXCEEDED4, PARAMETER4})
EXTENSIBLE6 = frozenset({UNREACHABLE6, TIME_EXCEEDED6})

PLATEAUS = (65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68)  # RFC 1191 §7.1
HEADER_DIFFERENCE = IPV6_HEADER - IPV4_HEADER
LOWEST_MTU4 = 68  # RFC 791
LOWEST_MTU6 = 1280  # RFC 8200 §5


def mtu_4to6(mtu4: int, quoted_total: int, next_hop_mtu6: int, next_hop_mtu4: int) -> int:
    """The MTU of a Packet Too Big for a Fragmentation Needed that said `mtu4` about `quoted_total` bytes.

    Zero is a router older than RFC 1191: the greatest plateau below the packet's size, not below 1280, is assumed.
    """
    if mtu4 == 0:
        mtu4 = next((plateau for plateau in PLATEAUS if LOWEST_MTU6 <= plateau < quoted_total), 0)
    likely = min(mtu4 + HEADER_DIFFERENCE, next_hop_mtu6, next_hop_mtu4 + HEADER_DIFFERENCE)
    return max(LOWEST_MTU6, likely)


def mtu_6to4(mtu6: int, quoted_has_fragment_header: bool, next_hop_mtu6: int, next_hop_mtu4: int) -> int:
    """The MTU of a Fragmentation Needed for a Packet Too Big that said `mtu6`.

    An IPv4 fragment grows by a Fragment header as well, so the MTU shrinks by it. Never below what every IPv4 link
    carries, whatever a forged message says.
    """
    difference = HEADER_DIFFERENCE + (FRAGMENT_HEADER if quoted_has_fragment_header else 0)
    return min(max(LOWEST_MTU4, min(mtu6 - difference, next_hop_mtu4, next_hop_mtu6 - difference)), 0xFFFF)


def look_up(
    table: dict[tuple[int, int | None], tuple[int, int | None, Rest]], icmp_type: int, code: int
) -> tuple[int, int, Rest] | None:
    """The translated type, code and kind of second word, or None where the message is to be dropped."""
    row = table.get((icmp_type, code)) or table.get((icmp_type, None))
    if row is None:
        return None
    new_type, new_code, rest = row
    if new_code is None:
        new_code = code
    return new_type, new_code, rest
