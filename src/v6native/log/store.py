# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The writer of who-had.db: each event once, whatever dies in between.

What is held now is in `live`, what has ended in `past`. The position in the kernel's ring is written with the events that
it is behind, in one transaction: who comes after a crash goes on exactly there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from v6native.dataplane.log_events import ALL_PROTOS, Holding, LogEvent
from v6native.log.schema import (
    ALL,
    DAY_MS,
    PROTOS,
    Ended,
    client_blob,
    create,
    number_of,
    shape_of,
    transaction,
    window,
)
from v6native.log.settings import LogSettings, NamedClient, StaticHolding

_NS_PER_MS = 1_000_000

# Two holdings of one window never end at a time, but for one that is told twice.
_END = f"""
INSERT OR REPLACE INTO past
SELECT max(?1, start_ms) / {DAY_MS}, address4, shape, slot, max(?1, start_ms), max(?1, start_ms) - start_ms,
       first, last, client, port6, static, ?2 FROM live
"""
_INSERT_PAST = "INSERT OR REPLACE INTO past VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)"
_INSERT_LIVE = "INSERT OR IGNORE INTO live VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_THIS = "WHERE address4 = ? AND shape = ? AND slot = ?"
_END_THIS = _END + "WHERE address4 = ?3 AND shape = ?4 AND slot = ?5"
# No event ends or takes the place of a static entry.
_STATIC = (1 << 63) - 1

Key = tuple[int, int, int]
"""Address, shape and slot: the key of `live`."""


def key_of(holding: Holding | LogEvent) -> Key:
    bits, slot = window(holding.first, holding.last)
    proto = ALL if holding.proto == ALL_PROTOS else holding.proto
    return number_of(holding.address4), shape_of(proto, bits), slot


class Store:
    """The database of one node, open for writing. Every method may raise sqlite3.Error, and has then changed nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db: sqlite3.Connection = create(path)
        self._shapes = {shape for (shape,) in self._db.execute("SELECT shape FROM shapes")}

    def close(self) -> None:
        self._db.close()

    @property
    def database(self) -> sqlite3.Connection:
        return self._db

    def begin(self, boot: str, now_ms: int) -> int:
        """A worker begins, in a boot of that name. What an earlier boot left open ended with it: how many that were.

        The last sign of life is the latest moment at which a client can have had its ports.
        """
        with self._changing():
            ended = 0
            before = self._meta("boot")
            if before != boot:
                ended = self._end_all(int(self._meta("seen_ms") or 0), Ended.REBOOT)
                self._set(boot=boot, ring=None, lost=0)
            if self._meta("since_ms") is None:
                self._set(since_ms=now_ms)
            if (off_ms := self._meta("off_ms")) is not None:
                self._db.execute("INSERT OR REPLACE INTO gaps VALUES (?, ?, NULL)", (off_ms, now_ms))
            self._set(seen_ms=now_ms, off_ms=None)
        return ended

    def position(self, ring: str) -> int | None:
        """Up to where events of that ring are written; None: it is another one than last time."""
        return int(self._meta("position") or 0) if self._meta("ring") == ring else None

    def write(self, events: Iterable[LogEvent], offset_ns: int, ring: str, position: int, now_ms: int) -> None:
        """Events of a ring, up to that position. `offset_ns` is wall-clock time less CLOCK_MONOTONIC."""
        with self._changing():
            for event in events:
                self._write(event, offset_ns)
            self._set(ring=ring, position=position, seen_ms=now_ms)

    def seen(self, now_ms: int) -> None:
        """A sign of life."""
        with self._changing():
            self._set(seen_ms=now_ms)

    def shift(self, step_ms: int) -> None:
        """The wall clock was set: what is held now began so much later by it."""
        with self._changing():
            self._db.execute("UPDATE live SET start_ms = start_ms + ?", (step_ms,))

    def live(self) -> dict[Key, int]:
        """What is held now, static entries left out, with its began_ns."""
        rows = self._db.execute("SELECT address4, shape, slot, began_ns FROM live WHERE static = 0")
        return {(address4, shape, slot): began_ns for address4, shape, slot, began_ns in rows}

    def correct(self, gone: Mapping[Key, int], found: Iterable[Holding], offset_ns: int, now_ms: int) -> None:
        """What the data plane no longer has ends now, at the latest; what it has and nobody told is added."""
        with self._changing():
            for key, began_ns in gone.items():
                if self._began(key) == began_ns:
                    self._end(key, now_ms, Ended.FOUND_GONE)
            for holding in found:
                self._take(holding, (holding.began_ns + offset_ns) // _NS_PER_MS)

    def configure(self, settings: LogSettings, now_ms: int) -> None:
        """What the file says from now on: who is who, the static entries, how long all is kept."""
        with self._changing():
            self._set(retention_ms=settings.retention * 1000)
            self._name(settings.clients, now_ms)
            self._fix(settings.static, now_ms)

    def lose(self, start_ms: int, now_ms: int, total: int) -> None:
        """The kernel has now lost so many events in all; the new ones are missing between these two moments."""
        with self._changing():
            before = int(self._meta("lost") or 0)
            if total > before:
                self._db.execute("INSERT OR REPLACE INTO gaps VALUES (?, ?, ?)", (start_ms, now_ms, total - before))
            self._set(lost=total)

    def switch_off(self, now_ms: int) -> None:
        """From here on nobody tells, so nothing may be said of who holds what."""
        with self._changing():
            self._end_all(now_ms, Ended.SWITCHED_OFF)
            self._set(off_ms=now_ms, seen_ms=now_ms)

    def end_all(self, now_ms: int, ended: Ended) -> int:
        """Nobody holds anything any more."""
        with self._changing():
            return self._end_all(now_ms, ended)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        shapes = set(self._shapes)
        try:
            with transaction(self._db):
                yield
        except BaseException:
            self._shapes = shapes
            raise

    def _write(self, event: LogEvent, offset_ns: int) -> None:
        start = (event.began_ns + offset_ns) // _NS_PER_MS
        if event.begins:
            self._take(event, start)
        else:
            self._give_back(event, start, (event.time_ns + offset_ns) // _NS_PER_MS)

    def _name(self, clients: Iterable[NamedClient], now_ms: int) -> None:
        wanted = {(c.address.packed, c.name, c.tunnel) for c in clients}
        there = set(self._db.execute("SELECT address, name, tunnel FROM names WHERE end_ms IS NULL"))
        gone = [(now_ms, address) for address, _name, _tunnel in there - wanted]
        self._db.executemany("UPDATE names SET end_ms = ? WHERE address = ? AND end_ms IS NULL", gone)
        new = [(address, now_ms, name, tunnel) for address, name, tunnel in wanted - there]
        self._db.executemany("INSERT OR REPLACE INTO names VALUES (?, ?, NULL, ?, ?)", new)

    def _fix(self, static: Iterable[StaticHolding], now_ms: int) -> None:
        wanted = {}
        for s in static:
            address6, proto = s.address6.packed, PROTOS.index(s.proto)
            holding = Holding(0, address6, s.address4.packed, s.port4, s.port4, s.port6, proto, 128)
            wanted[(*key_of(holding), client_blob(address6, 128), s.port6)] = holding
        query = "SELECT address4, shape, slot, client, port6 FROM live WHERE static = 1"
        there = set(self._db.execute(query))
        for *key, _client, _port6 in there - wanted.keys():
            self._end((key[0], key[1], key[2]), now_ms, Ended.GIVEN_BACK)
        for row in wanted.keys() - there:
            self._hold(self._place(wanted[row]), wanted[row], now_ms, static=True)

    def _take(self, held: Holding | LogEvent, start: int) -> None:
        key = self._place(held)
        before = self._began(key)
        if before is not None and before >= held.began_ns:
            return
        if before is not None:
            self._end(key, start, Ended.SUPERSEDED)
        self._hold(key, held, start)

    def _give_back(self, held: LogEvent, start: int, end: int) -> None:
        key = self._place(held)
        before = self._began(key)
        if before == held.began_ns:
            # Its start stays as it was seen then: the wall clock may have been set since.
            self._end(key, end, Ended.GIVEN_BACK)
            return
        if before is not None and before < held.began_ns:
            # An older holding of these ports, whose end nobody told, ended when this one began, at the latest.
            self._end(key, start, Ended.SUPERSEDED)
        end = max(start, end)
        client = client_blob(held.client, held.client_len)
        self._db.execute(_INSERT_PAST, (end // DAY_MS, *key, end, end - start, *_ports(held), client, held.port6))

    def _hold(self, key: Key, held: Holding | LogEvent, start: int, static: bool = False) -> None:
        client = client_blob(held.client, held.client_len)
        self._db.execute(_INSERT_LIVE, (*key, *_ports(held), client, held.port6, static, held.began_ns, start))

    def _began(self, key: Key) -> int | None:
        """When what is held there now began; None: nobody holds it."""
        row = self._db.execute(f"SELECT began_ns, static FROM live {_THIS}", key).fetchone()
        if row is None:
            return None
        began_ns, static = row
        return _STATIC if static else int(began_ns)

    def _end(self, key: Key, end: int, ended: Ended) -> None:
        self._db.execute(_END_THIS, (end, ended, *key))
        self._db.execute(f"DELETE FROM live {_THIS}", key)

    def _end_all(self, end: int, ended: Ended) -> int:
        count = self._db.execute(_END, (end, ended)).rowcount
        self._db.execute("DELETE FROM live")
        return count

    def _place(self, held: Holding | LogEvent) -> Key:
        """Its key; a size of window that is new is noted for whoever looks up."""
        key = key_of(held)
        if key[1] not in self._shapes:
            self._db.execute("INSERT OR IGNORE INTO shapes VALUES (?)", (key[1],))
            self._shapes.add(key[1])
        return key

    def _meta(self, key: str) -> Any:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def _set(self, **values: object) -> None:
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values.items()))


def _ports(held: Holding | LogEvent) -> tuple[int | None, int | None]:
    """First and last, where they are not those of the window."""
    whole = held.last - held.first == (1 << (held.first ^ held.last).bit_length()) - 1
    return (None, None) if whole else (held.first, held.last)
