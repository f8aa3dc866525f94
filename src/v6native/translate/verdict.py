# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What a translator says about a packet, and what it is told beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from v6native.translate.reasons import Reason


@dataclass(frozen=True, slots=True)
class Translated:
    """`packet` is of the other family, or of the same one where it was hairpinned."""

    packet: bytes
    reason: Reason


@dataclass(frozen=True, slots=True)
class Answered:
    """`packet` is an ICMP error or a TCP reset to the sender, of the sender's family."""

    packet: bytes
    reason: Reason


@dataclass(frozen=True, slots=True)
class Passed:
    """Not translated; `packet` goes on to the host's own stack, to be fragmented there (REFRAGMENT) or because it is its own."""

    packet: bytes
    reason: Reason


@dataclass(frozen=True, slots=True)
class Slow:
    """`packet` goes to the slow path: to be reassembled, or, translated already, to be cut into fragments (SLOW_TOO_BIG)."""

    packet: bytes
    reason: Reason


@dataclass(frozen=True, slots=True)
class Dropped:
    reason: Reason


Result = Translated | Answered | Passed | Slow | Dropped


class Arrival(Enum):
    """How a packet came to the translator."""

    FRESH = auto()
    REFRAGMENTED = auto()  # the kernel was asked to fragment it
    REASSEMBLED = auto()  # the slow path put it together
    HAIRPIN = auto()  # the translator's own output, on its way back in
    HAIRPIN_STATELESS = auto()  # the same of a stateless one: it has the size that its IPv6 sender gave it


@dataclass(frozen=True, slots=True)
class Settings:
    """Sources of the translator's own errors, and MTUs in bytes (RFC 7915 §4, §4.2, §5.2), and what is left to the operator.

    `tos` and `traffic_class` None: copied (§5.1, §4.1). `icmp_pool4` is lent to IPv6 routers (RFC 6791). `drop_udp0`: IPv4
    UDP without checksum is dropped, not summed (§4.5).
    `identification` is the next value of the IPv4 identification generator (RFC 7915 §5.1).
    """

    icmp6_source: IPv6Address
    icmp4_source: IPv4Address
    lowest_ipv6_mtu: int = 1280
    next_hop_mtu6: int = 65535
    next_hop_mtu4: int = 65535
    identification: int = 0
    tos: int | None = None
    traffic_class: int | None = None
    icmp_pool4: IPv4Network | None = None
    drop_udp0: bool = False

    def lent4(self, router: IPv6Address, without_pool: IPv4Address) -> IPv4Address:
        """The IPv4 address of an IPv6 router that has none: always the same one, so that it is one hop (RFC 6791 §5)."""
        if self.icmp_pool4 is None:
            return without_pool
        number = 0
        for at in range(0, 16, 4):
            number ^= int.from_bytes(router.packed[at : at + 4])
        number ^= number >> 16
        number = number * 0x45D9F3B & 0xFFFFFFFF
        number ^= number >> 16
        return self.icmp_pool4[number % self.icmp_pool4.num_addresses]


@dataclass(frozen=True, slots=True)
class Answer:
    """An ICMP error of the refused packet's family: type, code, second word."""

    type: int
    code: int
    rest: int = 0


@dataclass(frozen=True, slots=True)
class Reset:
    """A TCP reset to the sender of a segment of no connection (RFC 9293 §3.5.2)."""


class Refused(Exception):
    """Ends a translation: the reason's kind says how; `answer` belongs to those that are ANSWERED. Never leaves translate/."""

    def __init__(self, reason: Reason, answer: Answer | Reset | None = None) -> None:
        super().__init__(reason.name)
        self.reason = reason
        self.answer = answer
