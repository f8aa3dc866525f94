# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What is older than the file allows is removed: day by day, in steps that hold up nobody."""

from __future__ import annotations

import sqlite3

from v6native.log.schema import DAY_MS, transaction

_KEY = "day, address4, shape, slot, end_ms"
# The first row behind the step; none: the step takes all.
_BEHIND = f"SELECT {_KEY} FROM past WHERE day < ? ORDER BY {_KEY} LIMIT 1 OFFSET ?"


def prune(database: sqlite3.Connection, now_ms: int, retention_ms: int, most: int) -> int:
    """Removes at most so many holdings that ended before whole days ago, and returns how many; fewer: nothing is left.

    A day goes when its last moment is old enough; questions see nothing older than the retention anyway (lookup.py).
    """
    oldest = now_ms - retention_ms
    first_kept = oldest // DAY_MS
    with transaction(database):
        behind = database.execute(_BEHIND, (first_kept, most)).fetchone()
        if behind is None:
            removed = database.execute("DELETE FROM past WHERE day < ?", (first_kept,)).rowcount
        else:
            removed = database.execute(f"DELETE FROM past WHERE ({_KEY}) < (?, ?, ?, ?, ?)", behind).rowcount
        database.execute("DELETE FROM names WHERE end_ms < ?", (oldest,))
        database.execute("DELETE FROM gaps WHERE end_ms < ?", (oldest,))
    return removed
