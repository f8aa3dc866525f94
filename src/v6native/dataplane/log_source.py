# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The ring of an instance that tells who has which ports, and what is there now to compare with.

Of all that is pinned only the ring stays open: other maps of a generation must be free to go when the next one takes
over, its sweeping timer first of all.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from v6native.dataplane import abi, bpffs, counters
from v6native.dataplane.door import Translator
from v6native.dataplane.generations import current
from v6native.dataplane.loader import Generation
from v6native.dataplane.log_events import ALL_PROTOS, LOST, MAP, Holding
from v6native.dataplane.maps import BpfMap
from v6native.dataplane.ring import RingBuffer
from v6native.dataplane.shared import SharedArray
from v6native.dataplane.tables import Tables
from v6native.paths import Paths

_OF = str(Translator.NAT64)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`lost`: records that found no room in the ring, since it was made. `holdings`: what is there now."""

    lost: int
    holdings: tuple[Holding, ...] = ()


class Ring(Protocol):
    """A ring that is open (dataplane/ring.py)."""

    fd: int

    @property
    def position(self) -> int: ...

    def read(self, start: int, most: int) -> tuple[list[bytes], int]: ...

    def release(self, position: int) -> None: ...


class LogSource:
    """`ring` None: there is no such data plane, or one that tells nothing. `name` is the ring's own within a boot."""

    def __init__(self, paths: Paths, instance: str) -> None:
        self._root = paths.pins(instance)
        self._map: BpfMap | None = None
        self._ring: RingBuffer | None = None
        self._pins: frozenset[tuple[str, int]] = frozenset()

    @property
    def ring(self) -> Ring | None:
        return self._ring

    @property
    def name(self) -> str:
        return "" if self._map is None else str(self._map.id)

    def changed(self) -> bool:
        """Whether what is pinned is no longer what was found at the last `reopen`."""
        return self._pinned() != self._pins

    def reopen(self) -> None:
        """Follow what is pinned now; without a data plane there is no ring."""
        pins = self._pinned()
        with self._generation() as generation:
            there = generation.map(_OF, MAP) if generation is not None else None
            if there is None or self._map is None or there.id != self._map.id:
                self.close()
                if there is not None:
                    self._map = BpfMap(os.dup(there.fd))
                    self._ring = RingBuffer(self._map)
        self._pins = pins

    def snapshot(self, whole: bool) -> Snapshot | None:
        """What the data plane says by itself; None: there is none. `whole`: with the holdings."""
        with self._generation() as generation:
            if generation is None or generation.map(_OF, MAP) is None:
                return None
            lost = counters.read(generation, _OF).get(LOST, 0)
            return Snapshot(lost, tuple(holdings(generation)) if whole else ())

    def close(self) -> None:
        if self._ring is not None:
            self._ring.close()
        if self._map is not None:
            self._map.close()
        self._ring = self._map = None
        self._pins = frozenset()

    def _pinned(self) -> frozenset[tuple[str, int]]:
        found = set()
        for folder in bpffs.generations(self._root):
            with contextlib.suppress(FileNotFoundError):
                found.add((folder.name, (folder / "maps" / _OF / MAP).stat().st_ino))
        return frozenset(found)

    @contextlib.contextmanager
    def _generation(self) -> Iterator[Generation | None]:
        """Open for a moment; None where pins come and go at this very time, or there are none."""
        try:
            found = current(self._root)
        except OSError:
            found = None
        try:
            yield found
        finally:
            if found is not None:
                found.close()


def holdings(generation: Generation) -> Iterator[Holding]:
    """Each port block that a client has, and each dynamic BIB entry outside of any: what is told of, and no more."""
    maps, tables = generation.maps[_OF], Tables.of(generation)
    counts = tables.counts()
    with SharedArray(maps["blocks"], abi.PortBlock) as blocks, SharedArray(maps["clients"], abi.Client) as clients:
        for _slot, block in blocks.walk(0, counts.blocks_used_to):
            if 0 < block.owner <= clients.length and not block.refs & abi.BIB_DEAD_REFS:
                client, address4 = clients[block.owner - 1], bytes(block.address)
                yield Holding(
                    block.taken_ns, bytes(client.address), address4, block.first, block.last, 0, ALL_PROTOS, client.len
                )  # fmt: skip
    with SharedArray(tables.bib, abi.Bib) as bib:
        # One that is being ended is told of when the sweep releases it.
        for _slot, entry in bib.walk(0, counts.bib_used_to):
            if entry.flags & (abi.BIB_IN_USE | abi.BIB_STATIC) == abi.BIB_IN_USE and not entry.block:
                port4 = int.from_bytes(bytes(entry.port4), "big")
                port6 = int.from_bytes(bytes(entry.port6), "big")
                client6, address4 = bytes(entry.address6), bytes(entry.address4)
                yield Holding(entry.created_ns, client6, address4, port4, port4, port6, entry.proto, 128)
