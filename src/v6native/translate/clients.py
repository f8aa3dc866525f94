# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Clients: as whom sources count, what each may have at most, and the port blocks that each has (RFC 6888 §3)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from v6native.translate.pool4 import IsFree, Pick, PoolRange, TransportAddress, allocate, home

HOLD_DOWN = 120.0
"""Seconds from a block's last use until another client may get it (RFC 6888 REQ-8)."""
BLOCKS_OF_A_CLIENT = 32
RANGES_TRIED = 8

Client = IPv6Network
"""A client's prefix; of a device of a tunnel, the device's own address."""


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom sources in `network` count: as `client`, or else by their first `length` bits. `group`: of pool4 ranges."""

    network: IPv6Network
    client: IPv6Address | None = None
    length: int = 64
    group: int = 0

    def of(self, source: IPv6Address) -> Client:
        return IPv6Network(self.client) if self.client else IPv6Network((source, self.length), strict=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may have at most; 0 is no limit. `ports` of each protocol, `rate` in new sessions a second."""

    ports: int = 0
    sessions: int = 0
    rate: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """Ports `first` to `last` of an address, of one client, for some protocols; known by `start`, a multiple of its size."""

    client: Client
    address: IPv4Address
    start: int
    first: int
    last: int
    protocols: frozenset[int]
    group: int

    @property
    def ports(self) -> range:
        return range(self.first, self.last + 1)


class Clients:
    """The clients' blocks of `size` ports (0: none), and the sessions that each opened in the current second."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._places: dict[Client, list[Block | None]] = {}
        self._idle: dict[Block, float] = {}
        self._opened: dict[Client, tuple[int, int]] = {}

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(self._idle)

    def opens(self, client: Client, most: int, now: float) -> bool:
        """Whether it may open one more session in this second; then it is counted."""
        second, opened = self._opened.get(client, (int(now), 0))
        if second != int(now):
            opened = 0
        if most and opened >= most:
            return False
        self._opened[client] = int(now), opened + 1
        return True

    def allocate(
        self,
        client: Client,
        group: int,
        pool: Sequence[PoolRange],
        protocol: int,
        port6: int,
        is_free: IsFree,
        pick: Pick,
        now: float,
    ) -> TransportAddress | None:
        """A free transport address for a client: of its blocks, then of a new one; where there are none, of the pool.

        Its search in the pool begins at the same range always (paired pooling, RFC 4787 REQ-2).
        """
        ranges = [entry for entry in pool if entry.group == group]
        at = home(client.network_address, len(ranges)) if ranges else 0
        serving = [entry for entry in (ranges[at:] + ranges[:at])[:RANGES_TRIED] if protocol in entry.protocols]
        if not self._size:
            return allocate(serving, protocol, port6, is_free, pick)
        mine = [block for block in self._of(client) if block.group == group and protocol in block.protocols]
        found = allocate(mine, protocol, port6, is_free, pick)
        for entry in serving:
            if found is not None:
                break
            block = self._take(client, entry, pick, now)
            if block is not None:
                found = allocate((block,), protocol, port6, is_free, pick)
        return found

    def holding(self, address: IPv4Address, port: int) -> Block | None:
        """The block that a port is in."""
        return next((block for block in self._idle if block.address == address and port in block.ports), None)

    def touch(self, block: Block, now: float) -> None:
        """A port of it was given back just now."""
        self._idle[block] = now

    def expire(self, used: Collection[Block], now: float) -> None:
        """Takes back what has not been used for the hold-down."""
        for block, idle in list(self._idle.items()):
            if block not in used and now >= idle + HOLD_DOWN:
                del self._idle[block]
                places = self._places[block.client]
                places[places.index(block)] = None

    def _of(self, client: Client) -> list[Block]:
        return [block for block in self._places.get(client, ()) if block]

    def _take(self, client: Client, entry: PoolRange, pick: Pick, now: float) -> Block | None:
        """A free block of one range, cut to it; None where there is none, or the client has no room for one more."""
        starts = range(entry.first - entry.first % self._size, entry.last + 1, self._size)
        places = self._places.setdefault(client, [None] * BLOCKS_OF_A_CLIENT)
        taken = {(block.address, block.start) for block in self._idle}
        begin = pick(starts)
        for start in (*starts[begin:], *starts[:begin]):
            if (entry.address, start) in taken or None not in places:
                continue
            first, last = max(start, entry.first), min(start + self._size - 1, entry.last)
            block = Block(client, entry.address, start, first, last, entry.protocols, entry.group)
            places[places.index(None)] = block
            self._idle[block] = now
            return block
        return None
