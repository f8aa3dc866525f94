# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Refused packets as they come, from the ring buffers of both objects (bpf/trace.h), while somebody asks for them.

A ring has one reader: what one takes the other does not see. So whoever reads holds a lock, and a second one is refused in
words. The programs write only until a moment that each reading moves on: a reader that dies leaves nothing switched on.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import time
from pathlib import Path

from v6native.dataplane import abi, counters
from v6native.dataplane.door import Reason, Refusals, Refused, Translator
from v6native.dataplane.loader import Generation
from v6native.dataplane.ring import RingBuffer
from v6native.errors import DataPlaneError

VALID_SECONDS = 3
"""How long the programs go on writing after a reading."""

_NS = 1_000_000_000
# A ring holds some 1500 records.
_MOST = 2048
_LOST = "TRACE_LOST"


class RefusalReader:
    """The one reader of a generation's rings. What came before it was opened is not told."""

    def __init__(self, live: Generation) -> None:
        """DataPlaneError where another one reads."""
        self._live = live
        self._lock = _lock(live.folder)
        self._rings: dict[Translator, RingBuffer] = {}
        self._reasons: dict[Translator, tuple[Reason, ...]] = {}
        try:
            for of in Translator:
                if (ring := live.map(of, "trace_events")) is not None:
                    self._rings[of] = RingBuffer(ring)
                    self._reasons[of] = counters.reasons(live, of)
                    self._take(of)
            self._counted = self._lost()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Switches the programs' writing off, and lets another reader in."""
        self._until(0, 0)
        for ring in self._rings.values():
            ring.close()
        self._rings = {}
        os.close(self._lock)

    def read(self, rate: int) -> Refusals:
        """`rate`: how many a second the programs write at most, on each CPU and for each translator."""
        self._until(time.clock_gettime_ns(time.CLOCK_MONOTONIC) + VALID_SECONDS * _NS, rate)
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        found = [(event.time_ns, of, event) for of in self._rings for event in self._take(of)]
        found.sort(key=lambda each: each[0])
        seen = tuple(self._refused(of, event, now) for _, of, event in found)
        before, self._counted = self._counted, self._lost()
        return Refusals(seen, self._counted - before)

    def _take(self, of: Translator) -> list[abi.TraceEvent]:
        ring = self._rings[of]
        records, behind = ring.read(ring.position, _MOST)
        ring.release(behind)
        return [abi.TraceEvent.from_buffer_copy(record) for record in records]

    def _refused(self, of: Translator, event: abi.TraceEvent, now: int) -> Refused:
        known = self._reasons[of]
        reason = known[event.reason] if event.reason < len(known) else Reason(str(event.reason), "DROP", "unknown")
        return Refused(
            translator=of,
            reason=reason,
            age=max(now - event.time_ns, 0) / _NS,
            interface=_name(event.ifindex),
            mark=event.mark,
            length=event.length,
            packet=bytes(event.packet[: event.captured]),
        )

    def _until(self, moment: int, rate: int) -> None:
        for of in self._rings:
            control = self._live.map(of, "trace_control")
            if control is not None:
                control.put(0, bytes(abi.TraceControl(moment, rate)))

    def _lost(self) -> int:
        return sum(counters.read(self._live, of).get(_LOST, 0) for of in self._rings)


def _lock(folder: Path) -> int:
    """An open file description whose lock goes with it, however the process ends."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as why:
        os.close(fd)
        raise DataPlaneError(
            "another v6native reads the refused packets already, and each is told once: end that one, or start the "
            "daemon, which serves any number"
        ) from why
    return fd


def _name(ifindex: int) -> str:
    with contextlib.suppress(OSError):
        return socket.if_indextoname(ifindex)
    return str(ifindex)
