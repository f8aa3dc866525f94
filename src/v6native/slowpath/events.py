# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The ring buffers in which the translators of an instance tell what is to be originated.

While one generation takes over from another there are two; each is read until its pin is gone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from ipaddress import IPv6Address
from pathlib import Path

from v6native.dataplane import abi, bpffs
from v6native.dataplane.maps import BpfMap
from v6native.dataplane.ring import RingBuffer
from v6native.slowpath.originate import Event, Probe, StoredSyn

MAP = Path("maps/nat64/slow_events")
_MOST = 256


class Events:
    """`read` gives what came since the last time, with its time in seconds of CLOCK_MONOTONIC."""

    def __init__(self, pins: Path) -> None:
        self._pins = pins
        self._open: dict[int, tuple[BpfMap, RingBuffer]] = {}

    def fds(self) -> tuple[int, ...]:
        """Readable when there are events."""
        return tuple(ring.fd for _map, ring in self._open.values())

    def refresh(self) -> bool:
        """Follow what is pinned now; whether something changed."""
        found: dict[int, BpfMap] = {}
        for folder in bpffs.generations(self._pins):
            with contextlib.suppress(OSError):
                each = BpfMap.pinned(folder / MAP)
                found[each.id] = each
        gone, new = self._open.keys() - found.keys(), found.keys() - self._open.keys()
        for number in gone:
            _close(*self._open.pop(number))
        for number, each in found.items():
            if number in new:
                self._open[number] = (each, RingBuffer(each))
            else:
                each.close()
        return bool(gone or new)

    def read(self) -> Iterator[tuple[float, Event]]:
        for _map, ring in self._open.values():
            records, position = ring.read(ring.position, _MOST)
            ring.release(position)
            for record in records:
                it = abi.SlowEvent.from_buffer_copy(record)
                if (event := _event(it)) is not None:
                    yield it.time_ns / 1e9, event

    def close(self) -> None:
        for each in self._open.values():
            _close(*each)
        self._open.clear()


def _close(of: BpfMap, ring: RingBuffer) -> None:
    ring.close()
    of.close()


def _event(it: abi.SlowEvent) -> Event | None:
    match it.kind:
        case abi.SLOW_EVENT_SYN:
            return StoredSyn(bytes(it.packet)[: it.len])
        case abi.SLOW_EVENT_PROBE:
            ends = IPv6Address(bytes(it.src6)), IPv6Address(bytes(it.dst6))
            ports = (int.from_bytes(bytes(port), "big") for port in (it.sport, it.dport))
            source_port, destination_port = ports
            return Probe(ends[0], source_port, ends[1], destination_port)
    return None
