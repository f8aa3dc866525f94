# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder on a ring in memory, with the test's clocks: when it writes, waits, compares and forgets."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.log.events import POOL, SECOND, SIZE, block
from v6native.dataplane.log_events import Holding, LogEvent, LogKind, pack
from v6native.dataplane.log_source import Snapshot
from v6native.log import recorder as module
from v6native.log.lookup import Answer, look_up
from v6native.log.question import Question
from v6native.log.recorder import Clocks, Recorder
from v6native.log.settings import LogSettings
from v6native.log.store import Store

BOOT = datetime(2026, 11, 20, 12, tzinfo=UTC)
SETTINGS = LogSettings("edge1", 180 * 86400)


@dataclass
class FakeRing:
    """Positions count records."""

    records: list[bytes] = field(default_factory=list)
    position: int = 0
    room: int = 100
    fd: int = -1

    def put(self, *events: LogEvent) -> None:
        assert len(self.records) + len(events) - self.position <= self.room
        self.records += [pack(event) for event in events]

    def read(self, start: int, most: int) -> tuple[list[bytes], int]:
        found = self.records[start : start + most]
        return found, start + len(found)

    def release(self, position: int) -> None:
        self.position = position


@dataclass
class FakeSource:
    pinned: FakeRing = field(default_factory=FakeRing)
    name: str = "ring"
    following: FakeRing | None = None
    lost: int = 0
    there: tuple[Holding, ...] = ()
    opened: bool = False

    @property
    def ring(self) -> FakeRing | None:
        return self.pinned if self.opened else None

    def changed(self) -> bool:
        return not self.opened or self.following is not None

    def reopen(self) -> None:
        self.opened = True
        if self.following is not None:
            self.pinned, self.following, self.name = self.following, None, "another"

    def snapshot(self, whole: bool) -> Snapshot | None:
        return Snapshot(self.lost, self.there)


@dataclass
class Rig:
    """`seconds` since the boot, and how far the wall clock was set since."""

    path: Path
    source: FakeSource = field(default_factory=FakeSource)
    seconds: float = 100.0
    set_by: float = 0.0
    told: list[LogEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.recorder = self.another()

    def another(self, boot: str = "boot") -> Recorder:
        """A worker that begins; the source is a new one to it."""
        self.source.opened = False
        clocks = Clocks(
            lambda: int((BOOT.timestamp() + self.set_by + self.seconds) * SECOND),
            lambda: int(self.seconds * SECOND),
            lambda: int(self.seconds * SECOND),
        )
        return Recorder(self.source, self.path, boot, SETTINGS, self.hear, clocks)

    def hear(self, events: Sequence[LogEvent], _offset: int) -> None:
        self.told += events

    @property
    def ring(self) -> FakeRing:
        return self.source.pinned

    def run(self, seconds: float, step: float = 0.5) -> None:
        """The recorder, stepped through so much time."""
        end = self.seconds + seconds
        while self.seconds < end:
            self.recorder.step()
            self.seconds += step

    def ask(self, number: int, at: float) -> Answer:
        moment = BOOT + timedelta(seconds=at)
        question = Question(POOL, 1024 + number * SIZE, moment, moment)
        return look_up(self.path, question, BOOT + timedelta(seconds=max(self.seconds, at) + self.set_by))

    def ended(self, number: int, at: float) -> str | None:
        (found,) = self.ask(number, at).holders
        return found.ended

    def end_of(self, number: int, at: float) -> float | None:
        (found,) = self.ask(number, at).holders
        return None if found.end is None else (found.end - BOOT).total_seconds()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path / "log" / "who-had.db")
    yield made
    made.recorder.close()


def back(number: int, began: float, at: float) -> LogEvent:
    return block(number, began=began, at=at, kind=LogKind.BLOCK_GIVEN_BACK)


def test_written_then_given_back_to_the_kernel(rig: Rig) -> None:
    rig.ring.put(block(0, began=99))
    rig.recorder.step()
    assert rig.ring.position == 1
    assert len(rig.ask(0, 100).holders) == 1
    assert rig.told == [block(0, began=99)]
    assert (rig.recorder.numbers.events, rig.recorder.numbers.written) == (1, 1)


class FullDisk:
    """Refuses to write while `full`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        write = Store.write

        def refuse(store: Store, *arguments: object) -> None:
            if self.full:
                raise sqlite3.OperationalError("database or disk is full")
            write(store, *arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(module.Store, "write", refuse)


def test_a_full_disk(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk(monkeypatch)
    rig.run(1)
    disk.full = True
    for number in range(5):
        rig.ring.put(block(number, began=rig.seconds))
        rig.run(1)
    assert rig.ring.position == 0, "nothing is given back that is not written"
    assert len(rig.told) == 5, "collectors are told all the same, once"
    assert rig.recorder.numbers.waiting == 5
    assert "full" in (rig.recorder.numbers.trouble or "") and str(rig.path) in (rig.recorder.numbers.trouble or "")
    disk.full = False
    rig.run(3)
    assert (rig.ring.position, rig.recorder.numbers.waiting, rig.recorder.numbers.trouble) == (5, 0, None)
    assert all(len(rig.ask(number, rig.seconds).holders) == 1 for number in range(5))
    assert len(rig.told) == 5


def test_a_worker_that_died_between_writing_and_giving_back(rig: Rig) -> None:
    told = [block(0, began=90), back(0, 90, 95), block(0, client="2001:db8:64:2::/64", began=96)]
    rig.ring.put(*told)
    rig.recorder.step()
    rig.ring.position = 0
    rig.recorder.close()
    rig.recorder = rig.another()
    rig.ring.put(block(1, began=100))
    rig.run(1)
    assert rig.told == [*told, block(1, began=100)]
    with sqlite3.connect(rig.path) as database:
        assert database.execute("SELECT count(*) FROM past").fetchone() == (1,)
        assert database.execute("SELECT count(*) FROM live").fetchone() == (2,)
    database.close()


def test_a_database_that_could_not_be_opened_at_first(rig: Rig) -> None:
    """The position is asked for when it can be."""
    rig.ring.put(block(0, began=90), back(0, 90, 95))
    rig.recorder.step()
    rig.ring.position = 0
    rig.recorder.close()
    aside = rig.path.parent.rename(rig.path.parent.with_name("elsewhere"))
    rig.path.parent.write_text("a file where the folder should be")
    rig.recorder = rig.another()
    rig.run(3)
    assert rig.recorder.numbers.trouble is not None
    rig.path.parent.unlink()
    aside.rename(rig.path.parent)
    rig.ring.put(block(1, began=100))
    rig.run(3)
    with sqlite3.connect(rig.path) as database:
        assert database.execute("SELECT count(*) FROM past").fetchone() == (1,)
    database.close()
    assert (rig.ring.position, rig.recorder.numbers.trouble) == (3, None)
    assert len(rig.ask(1, 101).holders) == 1


def test_the_old_ring_is_read_to_its_end_before_the_new_one(rig: Rig) -> None:
    rig.run(1)
    rig.ring.put(*(block(n, began=100) for n in range(60)))
    rig.source.following = FakeRing()
    rig.source.following.put(block(60, began=101))
    rig.run(2)
    assert [event.first for event in rig.told] == [block(n).first for n in range(61)]


def test_a_sign_of_life_bounds_the_end_at_a_reboot(rig: Rig) -> None:
    rig.ring.put(block(0, began=99))
    rig.source.there = (block(0, began=99).holding,)
    rig.run(60)
    rig.recorder.close()
    last = rig.seconds
    rig.source.pinned, rig.source.name, rig.seconds = FakeRing(), "new", 5.0
    rig.set_by += 1000
    rig.recorder = rig.another("another boot")
    rig.run(1)
    (found,) = rig.ask(0, 100).holders
    assert found.ended == "reboot" and found.end is not None
    assert last - 11 <= (found.end - BOOT).total_seconds() <= last


def test_lost_events_are_a_gap(rig: Rig) -> None:
    rig.run(10)
    rig.source.lost = 4
    rig.run(10)
    assert rig.recorder.numbers.lost == 4
    lost = {at: rig.ask(0, at).lost for at in range(95, 125)}
    told = [at for at, count in lost.items() if count]
    assert set(lost.values()) == {0, 4} and told[0] >= 104 and told[-1] <= 116


def test_after_a_loss_the_log_is_compared(rig: Rig) -> None:
    """A lost end is found at once, a lost beginning too."""
    kept, unheard = block(0, began=99).holding, block(7, began=103).holding
    rig.source.there = (kept,)
    rig.ring.put(block(0, began=99), block(1, began=99))
    rig.source.there = (kept, block(1, began=99).holding)
    rig.run(10)
    assert rig.recorder.numbers.corrected == 0
    rig.source.there, rig.source.lost = (kept, unheard), 2
    rig.run(10)
    assert rig.recorder.numbers.corrected == 2
    assert (rig.ended(0, 105), rig.ended(1, 105), rig.ended(7, 105)) == (None, "found_gone", None)
    assert (rig.ask(7, 105).holders[0].start - BOOT).total_seconds() == 103


def test_what_is_told_while_it_compares_is_left_alone(rig: Rig) -> None:
    rig.ring.put(block(0, began=99))
    rig.source.there = ()
    rig.recorder.step()
    # The second look is 2 s later; in between the event arrives.
    rig.ring.put(back(0, 99, 100.5))
    rig.run(5)
    assert (rig.recorder.numbers.corrected, rig.ended(0, 100), rig.end_of(0, 100)) == (0, "given_back", 100.5)


def test_a_clock_that_is_set_after_the_boot(rig: Rig) -> None:
    """A router without a clock of its own begins in 1970, say."""
    rig.ring.put(block(0, began=99))
    rig.source.there = (block(0, began=99).holding,)
    rig.run(5)
    rig.set_by = 5000.0
    rig.run(5)
    rig.ring.put(back(0, 99, 108))
    rig.run(2)
    (found,) = rig.ask(0, 5105).holders
    assert (found.start - BOOT).total_seconds() == 5099
    assert found.end is not None and (found.end - BOOT).total_seconds() == 5108


def test_a_clock_that_drifts_is_not_set(rig: Rig) -> None:
    rig.ring.put(block(0, began=99))
    rig.source.there = (block(0, began=99).holding,)
    for _second in range(100):
        rig.set_by += 0.0005
        rig.run(1)
    assert (rig.ask(0, 150).holders[0].start - BOOT).total_seconds() == 99


def test_new_settings(rig: Rig) -> None:
    rig.run(1)
    rig.recorder.configure(replace(SETTINGS, retention=5))
    rig.ring.put(block(0, began=99), back(0, 99, 100))
    rig.run(10)
    assert rig.ask(0, 99.5).holders == ()


def test_the_end(rig: Rig) -> None:
    rig.run(1)
    rig.ring.put(block(0, began=99))
    rig.recorder.finish()
    assert len(rig.ask(0, 100).holders) == 1
    assert rig.ask(0, 100).seen == BOOT + timedelta(seconds=rig.seconds)
