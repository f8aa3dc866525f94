# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The memory of first fragments is bounded, and short."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from v6native.translate.flow import Flow4, Flow6, Part
from v6native.translate.fragments import CAPACITY, LIFETIME, FragmentMemory
from v6native.translate.reasons import Reason
from v6native.translate.verdict import Refused

OUT = Flow6(17, IPv6Address("2001:db8::1"), 1, IPv6Address("2001:db8::2"), 2)


def flow(identification: int, offset: int = 0, source: str = "192.0.2.1") -> Flow4:
    return Flow4(17, IPv4Address(source), 0, IPv4Address("192.0.2.2"), 0, part=Part(identification, offset))


def test_a_later_fragment_finds_its_first() -> None:
    memory: FragmentMemory[Flow6] = FragmentMemory()
    memory.remember(flow(1), OUT, 0.0)
    assert memory.recall(flow(1, 8), LIFETIME - 0.1) == OUT
    assert memory.recall(flow(1, 8), LIFETIME) is None
    assert memory.recall(flow(2, 8), 0.0) is None
    assert memory.recall(flow(1, 8, "192.0.2.9"), 0.0) is None


@pytest.mark.parametrize(
    ("verdict", "raised"),
    [
        (Reason.NO_BIB_UDP, Reason.FRAGMENT_OF_DROPPED),
        (Reason.SLOW_FRAGMENTED_UDP0, Reason.SLOW_FRAGMENTED_UDP0),
        (Reason.SLOW_FRAGMENTED_ICMP, Reason.SLOW_FRAGMENTED_ICMP),
    ],
)
def test_a_refusal_is_remembered(verdict: Reason, raised: Reason) -> None:
    memory: FragmentMemory[Flow6] = FragmentMemory()
    memory.remember(flow(1), verdict, 0.0)
    with pytest.raises(Refused) as caught:
        memory.recall(flow(1, 8), 0.0)
    assert caught.value.reason is raised


def test_the_oldest_datagram_is_forgotten_first() -> None:
    memory: FragmentMemory[Flow6] = FragmentMemory()
    for identification in range(CAPACITY + 1):
        memory.remember(flow(identification), OUT, 0.0)
    assert memory.recall(flow(0, 8), 0.0) is None
    assert memory.recall(flow(1, 8), 0.0) == OUT
    assert memory.recall(flow(CAPACITY, 8), 0.0) == OUT


def test_whole_packets_are_not_remembered() -> None:
    memory: FragmentMemory[Flow6] = FragmentMemory()
    whole = Flow4(17, IPv4Address("192.0.2.1"), 1, IPv4Address("192.0.2.2"), 2)
    memory.remember(whole, OUT, 0.0)
    assert memory.recall(whole, 0.0) is None
