# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Who had an address and port in a span of time: one search in the table for each size of window in use, and each day on.

From the first holding of a window that ended within the span or later, one steps through the holdings that follow until
one begins after the span. A day without any sends the search into the next one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Network
from pathlib import Path
from typing import Any

from v6native.log.question import Question
from v6native.log.schema import ALL, DAY_MS, PROTOS, Ended, number_of, parts_of, reading

# Holdings that began after the span, before a search ends: where the clock was set back, they are out of order.
_OUT_OF_ORDER = 3
# One port can change hands so often within a span of a day that nobody would read it all.
MOST = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_LIVE = """
SELECT first, last, client, port6, static, start_ms FROM live WHERE address4 = ? AND shape = ? AND slot = ?
"""
_PAST = """
SELECT first, last, client, port6, static, end_ms, held_ms, ended FROM past
WHERE day = ? AND address4 = ? AND shape = ? AND slot = ? AND end_ms >= ? ORDER BY end_ms
"""


@dataclass(frozen=True, slots=True)
class ClientName:
    """A tunnel's client that had the holder's address at that time; `tunnel` None: the node itself."""

    name: str
    tunnel: str | None


@dataclass(frozen=True, slots=True)
class Holder:
    """Who held the port, as part of `first_port` to `last_port`, from `start` to `end` (None: still).

    `proto` "all" is a port block. `client_port` is the client's own, where each binding is logged. `ended` says how the
    end is known: all but given_back are the latest that it can have been.
    """

    client: IPv6Network
    names: tuple[ClientName, ...]
    proto: str
    first_port: int
    last_port: int
    client_port: int | None
    static: bool
    start: datetime
    end: datetime | None
    ended: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """`since` is when the log began, or how far back it is kept; `seen` the last sign of life of who writes it.

    `lost`: events of the span that the log missed, so that what it says may not be all; `off`: it was switched off for a
    part of it. `cut`: there are more holders.
    """

    question: Question
    holders: tuple[Holder, ...]
    since: datetime | None
    seen: datetime | None
    lost: int
    off: bool
    cut: bool


def look_up(path: Path, question: Question, now: datetime) -> Answer:
    """LogError where the log cannot be read."""
    with reading(path) as database:
        meta: dict[str, Any] = dict(database.execute("SELECT key, value FROM meta"))
        start, end = _ms(question.start), _ms(question.end)
        oldest = _ms(now) - int(meta["retention_ms"]) if "retention_ms" in meta else 0
        rows = [row for shape in _shapes(database, question) for row in _rows(database, shape, question, start, end)]
        kept = [row for row in rows if row.end is None or row.end >= oldest]
        # The narrowest first: a binding says more than the block around it.
        kept.sort(key=lambda row: (row.last - row.first, row.start))
        (lost, off) = database.execute(
            "SELECT total(lost), count(*) - count(lost) FROM gaps WHERE start_ms <= ? AND end_ms >= ?", (end, start)
        ).fetchone()
        off_since = meta.get("off_ms")
        since = max(meta["since_ms"], oldest) if "since_ms" in meta else None
        return Answer(
            question,
            tuple(_holder(database, row) for row in kept[:MOST]),
            _moment(since),
            _moment(meta.get("seen_ms")),
            int(lost),
            bool(off) or (off_since is not None and off_since <= end),
            len(kept) > MOST,
        )


@dataclass(frozen=True, slots=True)
class _Row:
    proto: int
    first: int
    last: int
    client: bytes
    port6: int
    static: int
    start: int
    end: int | None
    ended: int | None


def _shapes(database: sqlite3.Connection, question: Question) -> list[int]:
    """Those in use that may hold the port."""
    wanted = set(range(len(PROTOS))) if question.proto is None else {PROTOS.index(question.proto), ALL}
    return [shape for (shape,) in database.execute("SELECT shape FROM shapes") if parts_of(shape)[0] in wanted]


def _rows(database: sqlite3.Connection, shape: int, question: Question, start: int, end: int) -> Iterator[_Row]:
    proto, bits = parts_of(shape)
    slot = question.port >> bits
    whole = (slot << bits, (slot + 1 << bits) - 1)
    place = (number_of(question.address.packed), shape, slot)

    def row(first: int | None, last: int | None, *rest: Any) -> _Row:
        return _Row(proto, whole[0] if first is None else first, whole[1] if last is None else last, *rest)

    for first, last, client, port6, static, began in database.execute(_LIVE, place):
        now = row(first, last, client, port6, static, began, None, None)
        if began <= end and now.first <= question.port <= now.last:
            yield now
        if began <= start:
            return
    after = 0
    for first, last, client, port6, static, ended_at, held, ended in _ended_since(database, place, start):
        then = row(first, last, client, port6, static, ended_at - held, ended_at, ended)
        if then.start > end:
            after += 1
            if after > _OUT_OF_ORDER:
                return
        elif then.first <= question.port <= then.last:
            yield then


def _ended_since(database: sqlite3.Connection, place: tuple[int, int, int], start: int) -> Iterator[Any]:
    """The holdings of one window that ended at `start` or later, in that order."""
    (newest,) = database.execute("SELECT max(day) FROM past").fetchone()
    (oldest,) = database.execute("SELECT min(day) FROM past").fetchone()
    if newest is None:
        return
    for day in range(max(start // DAY_MS, oldest), newest + 1):
        yield from database.execute(_PAST, (day, *place, start))


def _holder(database: sqlite3.Connection, row: _Row) -> Holder:
    client = IPv6Network((row.client[1:].ljust(16, b"\0"), row.client[0]))
    start = _EPOCH + timedelta(milliseconds=row.start)
    return Holder(
        client=client,
        names=_names(database, client, row),
        proto=PROTOS[row.proto],
        first_port=row.first,
        last_port=row.last,
        client_port=None if row.proto == ALL else row.port6,
        static=bool(row.static),
        start=start,
        end=_moment(row.end),
        ended=None if row.ended is None else Ended(row.ended).name.lower(),
    )


def _names(database: sqlite3.Connection, client: IPv6Network, row: _Row) -> tuple[ClientName, ...]:
    """Who had the address while it held the ports. Who counts as a whole prefix is no tunnel's client."""
    if client.prefixlen < client.max_prefixlen:
        return ()
    found = database.execute(
        "SELECT DISTINCT name, tunnel FROM names WHERE address = ? "
        "AND (end_ms IS NULL OR end_ms >= ?) AND (? IS NULL OR start_ms <= ?) ORDER BY name",
        (client.network_address.packed, row.start, row.end, row.end),
    )
    return tuple(ClientName(*name) for name in found)


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _moment(ms: int | None) -> datetime | None:
    return None if ms is None else _EPOCH + timedelta(milliseconds=ms)
