# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Choosing an IPv4 transport address for a new BIB entry (RFC 6146 §3.5.1.1, §3.5.2.3, §3.5.3)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from v6native.packet import ICMP, TCP, UDP

WELL_KNOWN = range(1024)
HIGH = range(1024, 65536)

Pick = Callable[[range], int]
"""Given what may be chosen (ports, or the first ports of blocks), the position at which the search begins. Random in
life, fixed in tests."""


@dataclass(frozen=True, slots=True)
class PoolRange:
    """Ports `first` to `last` (inclusive; ICMP identifiers too) of one address; `shared`: the node uses the others.

    Ranges of one `group` serve together, for these `protocols`.
    """

    address: IPv4Address
    first: int
    last: int
    shared: bool = False
    protocols: frozenset[int] = frozenset({ICMP, TCP, UDP})
    group: int = 0

    @property
    def ports(self) -> range:
        return range(self.first, self.last + 1)


TransportAddress = tuple[IPv4Address, int]
IsFree = Callable[[IPv4Address, int], bool]


class Ports(Protocol):
    """A range of pool4, or a block of one."""

    @property
    def address(self) -> IPv4Address: ...

    @property
    def ports(self) -> range: ...


def home(client: IPv6Address, count: int) -> int:
    """At which of `count` ranges a client's search begins: a hash of its address, the one that bpf/bib.h has."""
    mixed = 0
    for at in range(0, 16, 4):
        mixed ^= int.from_bytes(client.packed[at : at + 4], sys.byteorder)
    mixed ^= mixed >> 16
    mixed = mixed * 0x45D9F3B & 0xFFFFFFFF
    return (mixed ^ mixed >> 16) % count


def allocate(
    places: Sequence[Ports], protocol: int, port6: int, is_free: IsFree, pick: Pick
) -> TransportAddress | None:
    """A free transport address for an IPv6 one with `port6`, or None where all places are full; the first is filled first.

    In each: ports on the same side of 1024, and for UDP of the same parity; then any. A query's identifier has no such
    rules.
    """
    for place in places:
        for tier in _tiers(protocol, port6):
            port = _free_port(place, tier, is_free, pick)
            if port is not None:
                return place.address, port
    return None


def _tiers(protocol: int, port6: int) -> Iterator[range]:
    if protocol != ICMP:
        side = WELL_KNOWN if port6 in WELL_KNOWN else HIGH
        if protocol == UDP:
            yield range(side.start + port6 % 2, side.stop, 2)
        yield side
    yield range(65536)


def _free_port(place: Ports, tier: range, is_free: IsFree, pick: Pick) -> int | None:
    ports = _within(tier, place.ports)
    if not ports:
        return None
    start = pick(ports)
    for index in range(len(ports)):
        port = ports[(start + index) % len(ports)]
        if is_free(place.address, port):
            return port
    return None


def _within(tier: range, ports: range) -> range:
    """The members of `tier` that lie in `ports`, which has step 1."""
    start = max(tier.start, ports.start)
    start += (tier.start - start) % tier.step
    return range(start, min(tier.stop, ports.stop), tier.step)
