# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`up --confirm`: what is not confirmed is undone, whatever happens to the daemon."""

from __future__ import annotations

import pytest

from tests.system.daemon.machine import FILE, Machine, until

pytestmark = pytest.mark.root
SECONDS = "6"


def undone(machine: Machine) -> bool:
    return (machine.folder / "run" / "undone.json").exists()


def test_unconfirmed_it_is_undone_even_when_killed(machine: Machine) -> None:
    before = machine.picture()
    daemon = machine.up("--confirm", SECONDS)
    assert 0 < machine.ask("status")["confirm"]["seconds_left"] <= 6
    daemon.kill()
    daemon.wait()
    until(lambda: undone(machine), what="the undo")
    assert machine.picture() == before


def test_unconfirmed_it_ends_the_daemon_too(machine: Machine) -> None:
    before = machine.picture()
    daemon = machine.up("--confirm", SECONDS)
    assert daemon.wait(20) == 0
    until(lambda: undone(machine), what="the undo")
    assert machine.picture() == before


def test_it_goes_back_to_what_ran_before(machine: Machine) -> None:
    machine.up().terminate()
    machine.daemons[0].wait(10)
    placed = machine.picture()
    machine.network_toml.write_text(FILE.replace("40000-59999", "41000-42000").replace("64:64::", "64:65::"))
    daemon = machine.up("--confirm", SECONDS)
    assert machine.picture() != placed
    daemon.kill()
    daemon.wait()
    until(lambda: undone(machine), what="the undo")
    assert machine.picture() == placed
    assert until(machine.worker)


def test_confirmed_it_stays(machine: Machine) -> None:
    daemon = machine.up("--confirm", SECONDS)
    placed = machine.picture()
    assert machine.v6native("confirm").returncode == 0
    assert machine.ask("status")["confirm"]["seconds_left"] is None
    assert machine.v6native("confirm").returncode == 1
    with pytest.raises(AssertionError):
        until(lambda: undone(machine) or daemon.poll() is not None, 8)
    assert machine.picture() == placed


def test_a_confirmation_needs_no_daemon(machine: Machine) -> None:
    daemon = machine.up("--confirm", SECONDS)
    daemon.kill()
    daemon.wait()
    assert machine.v6native("confirm").returncode == 0


def test_a_wrong_file_starts_no_undo(machine: Machine) -> None:
    machine.network_toml.write_text("nonsense")
    assert machine.v6native("up", "--confirm", SECONDS).returncode == 1
    assert not (machine.folder / "run" / "confirm.json").exists()
