# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What `down` does with the log of who had which ports: closes it, and keeps it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from tests.unit.daemon.rig import rig
from tests.unit.log.events import POOL, block
from v6native.daemon.down import forget, remove_all
from v6native.log.lookup import Holder, look_up
from v6native.log.question import Question
from v6native.log.store import Store
from v6native.paths import Paths


def holder(paths: Paths, port: int, seconds_ago: float) -> Holder:
    now = datetime.now(UTC)
    when = datetime.fromtimestamp(time.time() - seconds_ago, UTC)
    (found,) = look_up(paths.log_database, Question(POOL, port, when, when), now).holders
    return found


def test_down_closes_the_log(tmp_path: Path) -> None:
    made = rig(tmp_path)
    now = int(time.time() * 1000)
    store = Store(made.paths.log_database)
    store.begin("boot", now - 60_000)
    store.write([block(0, began=1)], (now - 60_000) * 1_000_000, "ring", 1, now)
    store.close()
    assert holder(made.paths, 1030, 30).end is None
    remove_all(made.node, made.paths, lambda _step: None)
    found = holder(made.paths, 1030, 30)
    assert found.ended == "down" and found.end is not None
    assert abs(found.end.timestamp() - time.time()) < 10


def test_down_makes_no_log_and_minds_no_broken_one(tmp_path: Path) -> None:
    made = rig(tmp_path)
    forget(made.paths)
    assert not made.paths.log_database.exists()
    made.paths.log_database.parent.mkdir(parents=True)
    made.paths.log_database.write_bytes(b"no database" * 100)
    forget(made.paths)
    assert made.paths.log_database.exists()
