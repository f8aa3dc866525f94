# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The log's worker beside a real data plane: nothing is lost, whoever dies."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.system.dataplane.conftest import Open
from tests.system.dataplane.flows import CONFIG
from tests.system.dataplane.injector import Injector, injector
from tests.system.dataplane.log_rig import INSTANCE, SETTINGS, Rig, until
from tests.unit.log.events import POOL, SIZE, block
from v6native.dataplane.log_events import MAP, LogEvent, LogKind
from v6native.dataplane.maps import BpfMap
from v6native.log.schema import Ended
from v6native.log.settings import LogSettings
from v6native.log.store import Store
from v6native.paths import Paths


@dataclass
class Node:
    rig: Rig
    source: Injector

    def put(self, *events: LogEvent) -> None:
        assert all(self.source.put(event) for event in events)

    def rows(self, table: str) -> int:
        with sqlite3.connect(self.rig.database) as database:
            (count,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()
        database.close()
        return int(count)


def pinned_ring(paths: Paths) -> Path:
    (folder,) = [p for p in paths.pins(INSTANCE).iterdir() if p.is_dir()]
    return folder / "maps" / "nat64" / MAP


@pytest.fixture
def node(open_plane: Open, paths: Paths) -> Iterator[Node]:
    """Its data plane is the real one; the ring is the data plane's, or pinned beside it."""
    open_plane(INSTANCE).configure(CONFIG)
    pin = pinned_ring(paths)
    ring = BpfMap.pinned(pin) if pin.exists() else None
    rig = Rig(paths, paths.var / INSTANCE / "who-had.db")
    rig.write(SETTINGS)
    with injector(ring) as source:
        if ring is None:
            source.ring.pin(pin)
        yield Node(rig, source)


def now(since: float = 0.0) -> float:
    return time.monotonic() - since


def taken(number: int, client: str = "2001:db8:64:1::/64") -> LogEvent:
    return block(number, client=client, began=now())


def ended(event: LogEvent) -> LogEvent:
    return event._replace(time_ns=time.monotonic_ns(), kind=LogKind.BLOCK_GIVEN_BACK)


def test_from_the_ring_to_the_answer(node: Node) -> None:
    with node.rig.worker() as worker:
        event = taken(0)
        node.put(event)
        (held,) = until(lambda: node.rig.holders(POOL, 1030))
        assert str(held.client) == "2001:db8:64:1::/64" and held.end is None
        assert abs((datetime.now(UTC) - held.start).total_seconds()) < 5
        node.put(ended(event))
        (held,) = until(lambda: [h for h in node.rig.holders(POOL, 1030, held.start) if h.end is not None])
        assert held.ended == "given_back"
        stats = node.rig.stats()
        assert (stats["worker"], stats["events"], stats["written"], stats["waiting"]) == ("log", 2, 2, 0)
        assert stats["trouble"] is None
        assert os.getpriority(os.PRIO_PROCESS, worker.pid) > os.getpriority(os.PRIO_PROCESS, 0), "names come first"
        worker.terminate()
        assert worker.wait(10) == 0
    assert node.rig.database.stat().st_mode & 0o777 == 0o600
    assert node.rig.database.parent.stat().st_mode & 0o777 == 0o700
    assert sorted(file.name for file in node.rig.paths.run.iterdir()) == ["log.json"]


def test_events_wait_while_no_worker_runs(node: Node) -> None:
    told = [taken(n) for n in range(50)]
    node.put(*told)
    with node.rig.worker():
        until(lambda: node.rig.stats()["written"] == 50)
    assert node.rows("live") + node.rows("past") == 50


def test_killed_again_and_again_it_loses_and_doubles_nothing(node: Node, rng: random.Random) -> None:
    """SIGKILL at any moment, while events come."""
    told = 0
    for _life in range(8):
        with node.rig.worker() as worker:
            for _burst in range(rng.randrange(1, 30)):
                event = taken(told)
                node.put(event, ended(event))
                told += 1
            time.sleep(rng.random() * 0.02)
            worker.kill()
            worker.wait(10)
    with node.rig.worker():
        until(lambda: node.rows("past") >= told and node.rig.stats()["waiting"] == 0)
    assert (node.rows("past"), node.rows("live")) == (told, 0)


def test_a_second_worker_waits_for_the_first(node: Node) -> None:
    with node.rig.worker() as first:
        event = taken(0)
        node.put(event)
        first.send_signal(signal.SIGTERM)
        with node.rig.worker():
            node.put(ended(event))
            until(lambda: node.rows("past") == 1)
        assert first.wait(10) == 0


def test_a_full_disk_stops_nothing_and_costs_nothing(node: Node, tmp_path: Path) -> None:
    """Events wait in the ring; what is told to others goes on; when there is room again, all is written."""
    disk = tmp_path / "small"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], check=True, timeout=10)
    try:
        rig = replace(node.rig, database=disk / "log" / "who-had.db")
        with rig.worker():
            event = taken(0)
            node.put(event)
            until(lambda: rig.holders(POOL, 1030))
            with (disk / "ballast").open("wb", buffering=0) as ballast, pytest.raises(OSError, match="No space"):
                while True:
                    ballast.write(bytes(4096))
            more = [taken(n, f"2001:db8:64:{n:x}::/64") for n in range(1, 400)]
            node.put(*more)
            stats = until(lambda: (told := rig.stats())["trouble"] and told)
            assert "full" in stats["trouble"] and str(rig.database) in stats["trouble"]
            assert stats["waiting"] > 0
            (disk / "ballast").unlink()
            until(lambda: (told := rig.stats())["waiting"] == 0 and told["trouble"] is None)
            assert rig.stats()["written"] == 400
        assert len(rig.holders(POOL, 1030 + 399 * SIZE)) == 1
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True, timeout=10)


def test_a_damaged_database_is_set_aside(node: Node) -> None:
    node.rig.database.parent.mkdir(parents=True)
    node.rig.database.write_bytes(b"this was a database once" * 1000)
    with node.rig.worker():
        node.put(taken(0))
        until(lambda: node.rig.stats()["written"] == 1)
        aside = Path(node.rig.stats()["damaged"])
        assert aside.read_bytes().startswith(b"this was")
    assert len(node.rig.holders(POOL, 1030)) == 1


def test_it_reads_its_settings_again(node: Node) -> None:
    with node.rig.worker() as worker:
        node.rig.write(replace(SETTINGS, retention=7))
        worker.send_signal(signal.SIGHUP)

        def retention() -> int:
            with sqlite3.connect(node.rig.database) as database:
                row = database.execute("SELECT value FROM meta WHERE key = 'retention_ms'").fetchone()
            database.close()
            return int(row[0]) if row else 0

        until(lambda: retention() == 7000)
        (node.rig.paths.run / "log.json").write_text("nonsense")
        worker.send_signal(signal.SIGHUP)
        node.put(taken(0))
        until(lambda: node.rig.stats()["written"] == 1)
        worker.terminate()
        assert worker.stderr is not None
        assert "the old settings stay" in worker.stderr.read()


def test_switched_off_it_says_so(node: Node) -> None:
    """The file goes first, then the worker: `reload` with enabled = false. A worker that only ends leaves all open."""
    with node.rig.worker() as worker:
        node.put(taken(0))
        until(lambda: node.rows("live") == 1)
        worker.terminate()
        assert worker.wait(10) == 0
    assert node.rig.holders(POOL, 1030)[0].ended is None
    with node.rig.worker() as worker:
        node.put(taken(1))
        until(lambda: node.rig.holders(POOL, 1030 + SIZE))
        (node.rig.paths.run / "log.json").unlink()
        worker.terminate()
        assert worker.wait(10) == 0
    (held,) = node.rig.holders(POOL, 1030 + SIZE, datetime.now(UTC) - timedelta(seconds=60))
    assert held.ended == "switched_off"


def test_wrong_settings_are_refused_plainly(node: Node) -> None:
    (node.rig.paths.run / "log.json").write_text('{"retention": "long"}')
    with pytest.raises(AssertionError, match="retention: a whole number is wanted"), node.rig.worker():
        pass


def test_what_is_too_old_goes(node: Node) -> None:
    """Days that are older than the retention are removed step by step."""
    store = Store(node.rig.database)
    store.begin("boot", 0)
    wall = time.time() - 10 * 86400
    offset = int((wall - now()) * 1e9)
    events = [ended(taken(n)) for n in range(5000)]
    store.write(events, offset, "ring", 1, 0)
    store.write([ended(taken(n)) for n in range(100)], time.time_ns() - time.monotonic_ns(), "ring", 2, 0)
    store.close()
    assert node.rows("past") > 1000
    with node.rig.worker():
        until(lambda: node.rows("past") == 100)
        assert node.rig.stats()["removed"] > 0


def test_another_ring_takes_over(node: Node, paths: Paths) -> None:
    """As when a new generation of maps comes: what is left in the old ring is read first."""
    with node.rig.worker():
        node.put(taken(0))
        until(lambda: node.rows("live") == 1)
        with injector() as newer:
            pin = pinned_ring(paths)
            fresh = pin.with_name(f"{MAP}-new")
            newer.ring.pin(fresh)
            node.put(taken(1))
            fresh.rename(pin)
            assert newer.put(taken(2))
            until(lambda: node.rows("live") + node.rows("past") == 3)


def test_the_node_goes_down_and_comes_up(node: Node, open_plane: Open, paths: Paths) -> None:
    with node.rig.worker():
        open_plane(INSTANCE).remove()
        time.sleep(1.5)
        assert node.rig.stats()["trouble"] is None
        open_plane(INSTANCE).configure(CONFIG)
        pin = pinned_ring(paths)
        with injector(BpfMap.pinned(pin) if pin.exists() else None) as newer:
            if not pin.exists():
                newer.ring.pin(pin)
            assert newer.put(taken(5))
            until(lambda: node.rig.holders(POOL, 1024 + 5 * SIZE))


def test_what_the_data_plane_does_not_have_is_closed(node: Node) -> None:
    """The end of a holding was lost: the comparison at the start finds that it is gone."""
    node.put(taken(0))
    with node.rig.worker():
        (held,) = until(
            lambda: [h for h in node.rig.holders(POOL, 1030, datetime.now(UTC) - timedelta(seconds=60)) if h.end]
        )
        assert held.ended == Ended.FOUND_GONE.name.lower()


def test_settings_round_trip(tmp_path: Path) -> None:
    assert LogSettings.from_json(SETTINGS.to_json()) == SETTINGS
