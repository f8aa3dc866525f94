# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The undo of an unconfirmed change: back to what ran, or to nothing."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from tests.unit.daemon.rig import FILE, Rig, rig
from v6native.daemon import confirm, undo
from v6native.daemon.core import Daemon
from v6native.daemon.host import HostNode
from v6native.daemon.node import Change, Progress
from v6native.daemon.snapshot import Snapshots
from v6native.errors import SystemActionError

OTHER = FILE.replace("40000-59999", "41000-42000")


@pytest.fixture
def made(tmp_path: Path) -> Rig:
    return rig(tmp_path)


def apply(made: Rig) -> None:
    Daemon(made.node, Snapshots(made.paths), lambda: datetime.datetime.now(datetime.UTC), lambda _step: None).start()


def begin(made: Rig, deadline: float) -> None:
    before = Snapshots(made.paths).set_aside() if made.node.in_place() else None
    confirm.begin(made.paths.run, confirm.Pending(deadline, None if before is None else str(before)))


def test_the_first_up_is_undone_to_nothing(made: Rig) -> None:
    before = made.doors.machine.state
    begin(made, deadline=60.0)
    apply(made)
    assert undo.keep_watch(made.paths, made.node, clock=lambda: 61.0)
    assert made.doors.machine.state == before
    assert confirm.last_undo(made.paths.run) == "the last change was not confirmed and was undone"


def test_a_later_change_is_undone_to_what_ran(made: Rig) -> None:
    made.write(FILE.replace("[nat64]", "[clat]\n[nat64]"))
    apply(made)
    state, told = made.doors.machine.state, made.doors.machine.dataplane.config
    begin(made, deadline=60.0)
    made.write(OTHER)
    apply(made)
    assert made.doors.machine.dataplane.config != told
    assert undo.keep_watch(made.paths, made.node, clock=lambda: 61.0)
    assert (made.doors.machine.state, made.doors.machine.dataplane.config) == (state, told)


def test_where_going_back_fails_everything_is_removed(made: Rig) -> None:
    before = made.doors.machine.state
    apply(made)
    begin(made, deadline=60.0)
    (made.paths.var / "before-confirm" / "network.toml").write_text("damaged")
    made.write(OTHER)
    apply(made)
    assert undo.keep_watch(made.paths, made.node, clock=lambda: 61.0)
    assert made.doors.machine.state == before


def test_what_fails_is_tried_again(made: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody thought of, then one of ours: the third time it goes, and the next `up --confirm` may come."""
    before = made.doors.machine.state
    begin(made, deadline=60.0)
    apply(made)
    errors: list[Exception] = [RuntimeError("nobody thought of it"), SystemActionError("busy")]
    remove = HostNode.remove

    def sometimes(self: HostNode, progress: Progress) -> tuple[Change, ...]:
        if errors:
            raise errors.pop(0)
        return remove(self, progress)

    monkeypatch.setattr(HostNode, "remove", sometimes)
    monkeypatch.setattr(undo, "TRIES", (0.0, 0.0))
    assert undo.keep_watch(made.paths, made.node, clock=lambda: 61.0)
    assert not errors and made.doors.machine.state == before
    assert confirm.last_undo(made.paths.run) == "the last change was not confirmed and was undone"
    confirm.begin(made.paths.run, confirm.Pending(99.0, None))


def test_an_undo_that_fails_for_good_is_told(made: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(made, deadline=60.0)

    def never(self: HostNode, progress: Progress) -> tuple[Change, ...]:
        raise RuntimeError("nobody thought of it")

    monkeypatch.setattr(HostNode, "remove", never)
    monkeypatch.setattr(undo, "TRIES", (0.0,))
    assert undo.keep_watch(made.paths, made.node, clock=lambda: 61.0)
    assert confirm.last_undo(made.paths.run) == "the undo failed: nobody thought of it"
    confirm.begin(made.paths.run, confirm.Pending(99.0, None))


def test_going_back_needs_no_room_for_a_copy(made: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(made)
    told = made.doors.machine.dataplane.config
    begin(made, deadline=60.0)
    made.write(OTHER)
    apply(made)

    def full(self: Snapshots, folder: Path) -> None:
        raise SystemActionError("no space left on device")

    monkeypatch.setattr(Snapshots, "keep_copy", full)
    assert undo.keep_watch(made.paths, made.node, clock=lambda: 61.0)
    assert made.doors.machine.dataplane.config == told


def test_what_is_removed_on_purpose_is_not_put_back(made: Rig) -> None:
    apply(made)
    begin(made, deadline=60.0)
    made.write(OTHER)
    daemon = Daemon(made.node, Snapshots(made.paths), lambda: datetime.datetime.now(datetime.UTC), lambda _step: None)
    daemon.start()
    daemon.remove()
    assert confirm.pending(made.paths.run) is None
    assert not undo.keep_watch(made.paths, made.node, clock=lambda: 61.0)
    assert not (made.paths.var / "before-confirm").exists()


def test_a_confirmed_change_stays(made: Rig) -> None:
    begin(made, deadline=60.0)
    apply(made)
    state = made.doors.machine.state
    assert confirm.confirm(made.paths.run)
    assert not undo.keep_watch(made.paths, made.node, clock=lambda: 61.0)
    assert made.doors.machine.state == state


def test_a_failed_change_does_not_wait_for_its_deadline(made: Rig) -> None:
    begin(made, deadline=1e9)
    confirm.hurry(made.paths.run)
    assert undo.keep_watch(made.paths, made.node, clock=lambda: 5.0)
