# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Choosing an IPv4 transport address for a new BIB entry (RFC 6146 §3.5.1.1, §3.5.2.3, §3.5.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from v6native.packet import ICMP, UDP

WELL_KNOWN = range(1024)
HIGH = range(1024, 65536)

Pick = Callable[[int], int]
"""Given n, a number from 0 to n-1: where the search for a free port begins. Random in life, fixed in tests."""


@dataclass(frozen=True, slots=True)
class PoolRange:
    """Ports `first` to `last` (inclusive; ICMP identifiers too) of one address; `shared`: the node uses the others."""

    address: IPv4Address
    first: int
    last: int
    shared: bool = False

    @property
    def ports(self) -> range:
        return range(self.first, self.last + 1)


TransportAddress = tuple[IPv4Address, int]


def allocate(
    pool: Sequence[PoolRange],
    protocol: int,
    port6: int,
    preferred: IPv4Address | None,
    is_free: Callable[[IPv4Address, int], bool],
    pick: Pick,
) -> TransportAddress | None:
    """A free transport address for an IPv6 one with `port6`, or None where pool4 is exhausted.

    In this order: the address that the host has already (`preferred`); ports on the same side of 1024, and for UDP of
    the same parity; any port. A query's identifier has no such rules.
    """
    first = [entry for entry in pool if entry.address == preferred]
    others = [entry for entry in pool if entry.address != preferred]
    if others:
        start = pick(len(others))
        others = others[start:] + others[:start]
    for entries in (first, others):
        for tier in _tiers(protocol, port6):
            for entry in entries:
                port = _free_port(entry, tier, is_free, pick)
                if port is not None:
                    return entry.address, port
    return None


def _tiers(protocol: int, port6: int) -> Iterator[range]:
    if protocol != ICMP:
        side = WELL_KNOWN if port6 in WELL_KNOWN else HIGH
        if protocol == UDP:
            yield range(side.start + port6 % 2, side.stop, 2)
        yield side
    yield range(65536)


def _free_port(entry: PoolRange, tier: range, is_free: Callable[[IPv4Address, int], bool], pick: Pick) -> int | None:
    ports = _within(tier, entry.ports)
    if not ports:
        return None
    start = pick(len(ports))
    for index in range(len(ports)):
        port = ports[(start + index) % len(ports)]
        if is_free(entry.address, port):
            return port
    return None


def _within(tier: range, ports: range) -> range:
    """The members of `tier` that lie in `ports`, which has step 1."""
    start = max(tier.start, ports.start)
    start += (tier.start - start) % tier.step
    return range(start, min(tier.stop, ports.stop), tier.step)
