# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What a translator says about a packet, and what it is told beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import IPv4Address, IPv6Address

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


@dataclass(frozen=True, slots=True)
class Settings:
    """Sources of the translator's own errors, and MTUs in bytes (RFC 7915 §4, §4.2, §5.2).

    `identification` is the next value of the IPv4 identification generator (RFC 7915 §5.1).
    """

    icmp6_source: IPv6Address
    icmp4_source: IPv4Address
    lowest_ipv6_mtu: int = 1280
    next_hop_mtu6: int = 65535
    next_hop_mtu4: int = 65535
    identification: int = 0


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
