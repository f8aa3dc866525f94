# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""From the kernel's ring into the database: an event is given back to the kernel when it is written, never before.

So a worker that dies loses nothing, and while the disk is full events wait in the ring; what finds no room there the
kernel counts, and a gap in the log says so.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from v6native.dataplane.log_events import LogEvent, parse
from v6native.dataplane.log_source import Ring, Snapshot
from v6native.errors import LogError
from v6native.log.compare import Differences, differences
from v6native.log.retention import prune
from v6native.log.settings import LogSettings
from v6native.log.store import Store, key_of

BATCH = 4096
_NS_PER_MS = 1_000_000
# Seconds. The sign of life bounds how well the end of what a power cut ends is known.
_SEEN, _LOST, _AGAIN, _COMPARE = 10.0, 5.0, 2.0, 3600.0
# A second look at differences: what came or went during the first one has been told by then.
_CONFIRM = 2.0
# Rows removed in one step: some milliseconds.
_PRUNE = 2000
_PRUNE_PAUSE, _PRUNE_IDLE = 0.25, 60.0
# The wall clock runs so much faster or slower at most; more is a clock that was set.
_STEP_MS = 1000


class Source(Protocol):
    """dataplane/log_source.py."""

    @property
    def ring(self) -> Ring | None: ...

    @property
    def name(self) -> str: ...

    def changed(self) -> bool: ...

    def reopen(self) -> None: ...

    def snapshot(self, whole: bool) -> Snapshot | None: ...


@dataclass(frozen=True, slots=True)
class Clocks:
    """Nanoseconds of the wall, of CLOCK_MONOTONIC, and of CLOCK_BOOTTIME, which goes on while the machine sleeps."""

    wall: Callable[[], int] = time.time_ns
    monotonic: Callable[[], int] = time.monotonic_ns
    boottime: Callable[[], int] = lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    @property
    def now(self) -> float:
        return self.monotonic() / 1e9

    @property
    def wall_ms(self) -> int:
        return self.wall() // _NS_PER_MS

    @property
    def offset(self) -> int:
        """Wall-clock time less CLOCK_MONOTONIC."""
        return self.wall() - self.monotonic()

    @property
    def wall_of_boot_ms(self) -> int:
        """When the machine began by today's clock: changes only when the clock is set."""
        return (self.wall() - self.boottime()) // _NS_PER_MS


@dataclass(slots=True)
class Numbers:
    """For `status` and metrics. `trouble` is why the database cannot be written now, `damaged` where a broken one is."""

    events: int = 0
    written: int = 0
    lost: int = 0
    removed: int = 0
    corrected: int = 0
    waiting: int = 0
    trouble: str | None = None
    damaged: str | None = None


@dataclass(slots=True)
class Recorder:
    """`told` gets every event once a worker, in order, before it is written. All times are of `clocks`."""

    source: Source
    path: Path
    boot: str
    settings: LogSettings
    told: Callable[[Sequence[LogEvent], int], None]
    clocks: Clocks = field(default_factory=Clocks)
    numbers: Numbers = field(default_factory=Numbers)
    _store: Store | None = None
    _waiting: list[LogEvent] = field(default_factory=list)
    _at: int = 0
    _resumed: bool = False
    _touched: set[tuple[int, int, int]] = field(default_factory=set)
    _first_look: Differences | None = None
    _due: dict[str, float] = field(default_factory=dict)
    _boot_ms: int | None = None
    _lost_seen_ms: int = 0

    def step(self) -> bool:
        """Whatever is due; True: there may be more to do at once."""
        now = self.clocks.now
        self._follow_clock()
        if self._is_due("follow", now, 1.0) and self.source.changed():
            while self._read() and self._write(now):
                pass
            self.source.reopen()
            self._begin_ring()
        more = self._read()
        self._write(now)
        self._upkeep(now)
        self.numbers.waiting = len(self._waiting)
        return more and not self._waiting

    def finish(self, switched_off: bool = False) -> None:
        """The last events, before an orderly end. `switched_off`: nobody shall log any more."""
        for _turn in range(64):
            if not self._read() or not self._write(self.clocks.now):
                break
        if self._store is not None:
            now_ms = self.clocks.wall_ms
            self._attempt(lambda store: store.switch_off(now_ms) if switched_off else store.seen(now_ms))
            self.close()

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
        self._store = None

    def configure(self, settings: LogSettings) -> None:
        self.settings = settings
        self._attempt(lambda store: store.configure(settings, self.clocks.wall_ms))

    def _read(self) -> bool:
        """Reads on where it stopped; False: nothing was there."""
        ring = self.source.ring
        if ring is None:
            return False
        records, position = ring.read(self._at, BATCH)
        if position == self._at:
            return False
        events = list(parse(records))
        self._at = position
        self.numbers.events += len(events)
        if self._first_look is not None:
            self._touched.update(key_of(event.holding) for event in events)
        self._waiting += events
        self.told(events, self.clocks.offset)
        return True

    def _write(self, now: float) -> bool:
        """Writes what waits and gives it back to the kernel; False: it could not."""
        ring = self.source.ring
        if ring is None or ring.position >= self._at:
            return True
        if not self._resumed and not self._attempt(self._resume, now):
            return False
        events, clocks, name = self._waiting, self.clocks, self.source.name
        if not self._attempt(lambda store: store.write(events, clocks.offset, name, self._at, clocks.wall_ms), now):
            return False
        ring.release(self._at)
        self.numbers.written += len(events)
        self._waiting = []
        return True

    def _begin_ring(self) -> None:
        ring = self.source.ring
        self._waiting, self._first_look, self._resumed = [], None, False
        if ring is not None:
            self._at = ring.position
            self._attempt(self._resume)
            self._due["compare"] = 0.0

    def _resume(self, store: Store) -> None:
        """A worker before this one may have written events and died before it gave them back: go on behind these."""
        ring, written = self.source.ring, store.position(self.source.name)
        if ring is not None and written is not None and written > ring.position:
            self._waiting, self._at = [], written
            ring.release(written)
        self._resumed = True

    def _upkeep(self, now: float) -> None:
        clocks = self.clocks
        if self._is_due("seen", now, _SEEN):
            self._attempt(lambda store: store.seen(clocks.wall_ms), now)
        if self._is_due("lost", now, _LOST):
            self._count_lost()
        if self._is_due("prune", now, _PRUNE_PAUSE):
            self._prune(now)
        if not self._waiting and self.source.ring is not None and self._is_due("compare", now, _COMPARE):
            self._compare(now)

    def _count_lost(self) -> None:
        found, now_ms = self.source.snapshot(whole=False), self.clocks.wall_ms
        if found is None:
            return
        if found.lost > self.numbers.lost:
            self._due["compare"] = 0.0
        self.numbers.lost = found.lost
        since = self._lost_seen_ms or now_ms
        if self._attempt(lambda store: store.lose(since, now_ms, found.lost)):
            self._lost_seen_ms = now_ms

    def _prune(self, now: float) -> None:
        removed = 0

        def do(store: Store) -> None:
            nonlocal removed
            removed = prune(store.database, self.clocks.wall_ms, self.settings.retention * 1000, _PRUNE)

        if self._attempt(do, now):
            self.numbers.removed += removed
        if removed < _PRUNE:
            self._due["prune"] = now + _PRUNE_IDLE

    def _compare(self, now: float) -> None:
        there = self.source.snapshot(whole=True)
        if there is None or self._store is None:
            return
        found = differences(self._store.live(), there.holdings)
        first, self._first_look = self._first_look, found if found else None
        if not found or first is None:
            self._touched = set()
            if found:
                self._due["compare"] = now + _CONFIRM
            return
        sure = first.confirmed(found, self._touched)
        self._first_look, self._touched = None, set()
        clocks = self.clocks
        if sure and self._attempt(
            lambda store: store.correct(sure.gone, sure.found.values(), clocks.offset, clocks.wall_ms), now
        ):
            self.numbers.corrected += len(sure.gone) + len(sure.found)

    def _follow_clock(self) -> None:
        """What began before the wall clock was set began at another time by it."""
        boot_ms = self.clocks.wall_of_boot_ms
        step = 0 if self._boot_ms is None else boot_ms - self._boot_ms
        if self._boot_ms is None or (abs(step) >= _STEP_MS and self._attempt(lambda store: store.shift(step))):
            self._boot_ms = boot_ms

    def _is_due(self, what: str, now: float, period: float) -> bool:
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + period
        return True

    def _attempt(self, do: Callable[[Store], None], now: float | None = None) -> bool:
        """Does something with the database, opened where it is not; False: it cannot now, and `trouble` says why."""
        now = self.clocks.now if now is None else now
        if now < self._due.get("retry", 0.0):
            return False
        try:
            do(self._opened())
        except (sqlite3.Error, OSError, LogError) as error:
            self._due["retry"] = now + _AGAIN
            self.numbers.trouble = f"{self.path}: {error}"
            if isinstance(error, sqlite3.DatabaseError) and _is_damage(error):
                self._set_aside()
            return False
        self.numbers.trouble = None
        return True

    def _opened(self) -> Store:
        if self._store is None:
            store = Store(self.path)
            try:
                store.begin(self.boot, self.clocks.wall_ms)
                store.configure(self.settings, self.clocks.wall_ms)
            except BaseException:
                store.close()
                raise
            self._store = store
        return self._store

    def _set_aside(self) -> None:
        """A damaged database is kept for whoever may mend it; a new one begins."""
        self.close()
        aside = self.path.with_name(f"{self.path.stem}.damaged-{self.clocks.wall_ms // 1000}{self.path.suffix}")
        for suffix in ("", "-wal", "-shm"):
            file = self.path.with_name(self.path.name + suffix)
            if file.exists():
                file.rename(aside.with_name(aside.name + suffix))
        self.numbers.damaged = str(aside)
        self._due["retry"] = 0.0


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
