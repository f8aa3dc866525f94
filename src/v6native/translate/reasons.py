# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The verdicts' names, as bpf/reasons.h has them; a test holds both lists together, in order.

The text that an operator reads is in bpf/reasons.h only.
"""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """What became of a packet; NOTE is counted beside a verdict and is none itself."""

    DONE = "DONE"
    PASS = "PASS"
    SLOW = "SLOW"
    ANSWERED = "ANSWERED"
    DROP = "DROP"
    NOTE = "NOTE"


class Reason(Enum):
    """Why; each has one counter."""

    TRANSLATED_6TO4 = (0, Kind.DONE)
    TRANSLATED_4TO6 = (1, Kind.DONE)
    HAIRPINNED = (2, Kind.DONE)
    PASS_NOT_IP = (3, Kind.PASS)
    PASS_MULTICAST = (4, Kind.PASS)
    PASS_NOT_OURS = (5, Kind.PASS)
    STEERED = (6, Kind.PASS)
    REFRAGMENT = (7, Kind.PASS)
    SLOW_FRAGMENTED_ICMP = (8, Kind.SLOW)
    SLOW_FRAGMENTED_UDP0 = (9, Kind.SLOW)
    SLOW_TOO_BIG = (10, Kind.SLOW)
    SLOW_AWAY = (11, Kind.DROP)
    LOOP = (12, Kind.DROP)
    TRUNCATED = (13, Kind.DROP)
    BAD_HEADER = (14, Kind.DROP)
    BAD_CHECKSUM = (15, Kind.DROP)
    BAD_SOURCE = (16, Kind.DROP)
    SOURCE_IN_PREF64 = (17, Kind.DROP)
    NOT_PREF64 = (18, Kind.DROP)
    NOT_POOL4 = (19, Kind.DROP)
    NO_MAPPING = (20, Kind.ANSWERED)
    SOURCE_NOT_ALLOWED = (21, Kind.ANSWERED)
    DESTINATION_REFUSED = (22, Kind.ANSWERED)
    NO_BIB_UDP = (23, Kind.ANSWERED)
    NO_BIB_TCP = (24, Kind.ANSWERED)
    NO_BIB_ICMP = (25, Kind.ANSWERED)
    NO_SESSION_TCP = (26, Kind.ANSWERED)
    NO_SESSION_ERROR = (27, Kind.DROP)
    POOL4_EXHAUSTED = (28, Kind.ANSWERED)
    TABLE_FULL = (29, Kind.ANSWERED)
    SOURCE_ROUTE = (30, Kind.ANSWERED)
    ROUTING_HEADER = (31, Kind.ANSWERED)
    EXTENSION_HEADERS = (32, Kind.DROP)
    UNKNOWN_ICMP = (33, Kind.DROP)
    QUOTE_TOO_SHORT = (34, Kind.DROP)
    QUOTE_IS_ERROR = (35, Kind.DROP)
    UNKNOWN_PROTOCOL = (36, Kind.ANSWERED)
    UDP_NO_CHECKSUM = (37, Kind.DROP)
    FRAGMENT_NO_FIRST = (38, Kind.DROP)
    FRAGMENT_OF_DROPPED = (39, Kind.DROP)
    FRAGMENT_TOO_SMALL = (40, Kind.DROP)
    STILL_TOO_BIG = (41, Kind.DROP)
    ANSWER_LIMITED = (42, Kind.NOTE)
    HELPER_FAILED = (43, Kind.DROP)
    CLIENT_PORTS = (44, Kind.ANSWERED)
    CLIENT_SESSIONS = (45, Kind.ANSWERED)
    CLIENT_RATE = (46, Kind.ANSWERED)
    FILTERED = (47, Kind.ANSWERED)
    SYN_STORED = (48, Kind.DROP)
    ANSWER_SENT = (49, Kind.NOTE)
    CAME_REASSEMBLED = (50, Kind.NOTE)
    LOG_LOST = (51, Kind.NOTE)
    SLOW_EVENT_LOST = (52, Kind.NOTE)
    TRACE_LOST = (53, Kind.NOTE)
    FAST_6TO4 = (54, Kind.DONE)
    FAST_4TO6 = (55, Kind.DONE)

    @property
    def kind(self) -> Kind:
        return self.value[1]
