# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What is too old goes, step by step; what is not stays to the last row."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address
from pathlib import Path

import pytest

from tests.unit.log.events import SECOND, block
from v6native.dataplane.log_events import LogKind
from v6native.log.retention import prune
from v6native.log.schema import DAY_MS
from v6native.log.settings import LogSettings, NamedClient
from v6native.log.store import Store

HOUR_MS = DAY_MS // 24
# Noon of the hundredth day.
NOW = 100 * DAY_MS + 12 * HOUR_MS
RETENTION = 10 * DAY_MS


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "who-had.db")
    made.begin("boot", 0)
    yield made
    made.close()


def ended(store: Store, number: int, at_ms: int) -> None:
    event = block(number, began=1, at=2, kind=LogKind.BLOCK_GIVEN_BACK)
    store.write([event], at_ms * 1_000_000 - 2 * SECOND, "ring", number, at_ms)


def ends(store: Store) -> list[int]:
    return [end for (end,) in store.database.execute("SELECT end_ms FROM past ORDER BY end_ms")]


def test_whole_days_go_and_nothing_that_is_to_be_kept(store: Store) -> None:
    times = [NOW - RETENTION + hours * HOUR_MS for hours in (-48, -13, -12, -1, 0, 1, 24)]
    for number, at in enumerate(times):
        ended(store, number, at)
    assert prune(store.database, NOW, RETENTION, 100) == 2
    # The day in which the retention ends is still there as a whole, for at most a day.
    assert ends(store) == times[2:]
    assert prune(store.database, NOW, RETENTION, 100) == 0
    assert prune(store.database, NOW + DAY_MS, RETENTION, 100) == 4
    assert ends(store) == times[6:]


def test_in_steps_the_oldest_first(store: Store) -> None:
    times = [n * HOUR_MS for n in range(25)]
    for number, at in enumerate(times):
        ended(store, number, at)
    assert [prune(store.database, NOW, RETENTION, 10) for _step in range(3)] == [10, 10, 5]
    assert ends(store) == []


def test_old_names_and_gaps_go_too(store: Store) -> None:
    laptop = NamedClient(IPv6Address("2001:db8:64:a::2"), "laptop", "friends")
    store.configure(LogSettings("edge1", 1, clients=(laptop,)), 0)
    store.configure(LogSettings("edge1", 1), HOUR_MS)
    store.configure(LogSettings("edge1", 1, clients=(laptop,)), NOW)
    store.lose(0, HOUR_MS, 1)
    store.lose(NOW - HOUR_MS, NOW, 2)
    prune(store.database, NOW, RETENTION, 100)
    assert store.database.execute("SELECT count(*) FROM names").fetchone() == (1,)
    assert store.database.execute("SELECT start_ms FROM gaps").fetchall() == [(NOW - HOUR_MS,)]
