# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Which IPv4 transport address a new BIB entry gets (RFC 6146 §3.5.1.1, §3.5.2.3, §3.5.3)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from v6native.packet import ICMP, TCP, UDP
from v6native.translate.pool4 import PoolRange, TransportAddress, allocate, home

ONE, TWO = IPv4Address("203.0.113.1"), IPv4Address("203.0.113.2")
WHOLE = (PoolRange(ONE, 1, 65535), PoolRange(TWO, 1, 65535))


def choose(
    protocol: int,
    port6: int,
    pool: tuple[PoolRange, ...] = WHOLE,
    taken: frozenset[TransportAddress] = frozenset(),
) -> TransportAddress | None:
    return allocate(pool, protocol, port6, lambda *address: address not in taken, lambda ports: len(ports) // 2)


@pytest.mark.parametrize("port6", [0, 1, 22, 1023])
@pytest.mark.parametrize("protocol", [TCP, UDP])
def test_a_well_known_port_stays_well_known(protocol: int, port6: int) -> None:
    chosen = choose(protocol, port6)
    assert chosen is not None and 0 < chosen[1] < 1024


@pytest.mark.parametrize("port6", [1024, 40001, 65535])
@pytest.mark.parametrize("protocol", [TCP, UDP])
def test_a_high_port_stays_high(protocol: int, port6: int) -> None:
    chosen = choose(protocol, port6)
    assert chosen is not None and chosen[1] >= 1024


@pytest.mark.parametrize("port6", [5, 6, 40000, 40001])
@pytest.mark.parametrize("first", [1, 2])
def test_udp_keeps_parity(port6: int, first: int) -> None:
    chosen = choose(UDP, port6, (PoolRange(ONE, first, 65534 + first % 2),))
    assert chosen is not None and chosen[1] % 2 == port6 % 2


def test_parity_gives_way_before_the_side_does() -> None:
    pool = (PoolRange(ONE, 1020, 1030),)
    even_high = frozenset((ONE, port) for port in range(1024, 1031, 2))
    chosen = choose(UDP, 40000, pool, taken=even_high)
    assert chosen is not None and chosen[1] in (1025, 1027, 1029)
    chosen = choose(UDP, 40000, pool, taken=frozenset((ONE, port) for port in range(1024, 1031)))
    assert chosen is not None and chosen[1] < 1024


def test_the_first_range_is_filled_first() -> None:
    assert choose(TCP, 5000) is not None
    assert choose(TCP, 5000)[0] == ONE  # type: ignore[index]
    full = frozenset((ONE, port) for port in range(1, 65536))
    assert choose(TCP, 5000, taken=full)[0] == TWO  # type: ignore[index]


def test_a_client_has_one_home() -> None:
    """Spread over the ranges, and always the same one."""
    homes = [home(IPv6Address(f"2001:db8:64:{n:x}::"), 4) for n in range(1000)]
    assert all(200 < homes.count(at) < 300 for at in range(4))
    assert home(IPv6Address("2001:db8:64:7::"), 4) == homes[7]


@pytest.mark.parametrize("protocol", [TCP, UDP, ICMP])
def test_exactly_the_pool_is_used_then_it_is_exhausted(protocol: int) -> None:
    pool = (PoolRange(ONE, 1000, 1050), PoolRange(TWO, 2000, 2009))
    taken: set[TransportAddress] = set()
    while (chosen := choose(protocol, 1030, pool, taken=frozenset(taken))) is not None:
        assert chosen not in taken
        taken.add(chosen)
    assert taken == {(entry.address, port) for entry in pool for port in entry.ports}


def test_identifiers_have_no_sides() -> None:
    assert choose(ICMP, 7, (PoolRange(ONE, 40000, 59999),)) is not None
    assert choose(ICMP, 7) == (ONE, 32768)


def test_no_pool() -> None:
    assert choose(TCP, 1, ()) is None
