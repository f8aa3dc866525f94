# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The supervisor keeps exactly the wanted workers running, and adopts what another daemon left."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.unit.daemon.rig import FakeLauncher
from v6native.daemon.workers import Supervisor, WorkerSpec, dns64_worker, log_worker, slowpath_worker
from v6native.paths import Paths

PATHS = Paths(run=Path("/run/x"))
DNS, SLOW = dns64_worker(PATHS), slowpath_worker(PATHS, "v6n-slow")


@pytest.fixture
def launcher() -> FakeLauncher:
    return FakeLauncher()


def pid_of(supervisor: Supervisor, spec: WorkerSpec) -> int | None:
    return next(state.pid for state in supervisor.states() if state.spec == spec)


def test_starts_what_is_wanted(launcher: FakeLauncher) -> None:
    supervisor = Supervisor(launcher)
    supervisor.want([DNS, SLOW], 0.0)
    assert sorted(spec.name for spec in launcher.running.values()) == ["dns64", "slowpath"]
    assert launcher.told == []


def test_adopts_what_runs_and_tells_it_to_read_again(launcher: FakeLauncher) -> None:
    launcher.running[7] = DNS
    launcher.stamps["dns64"] = 1
    supervisor = Supervisor(launcher)
    supervisor.want([DNS], 0.0)
    supervisor.step(0.2)
    supervisor.step(0.4)
    assert launcher.started == 0
    assert launcher.told == [(7, signal.SIGHUP)]


def test_a_dead_worker_is_back_within_a_second(launcher: FakeLauncher) -> None:
    supervisor = Supervisor(launcher)
    supervisor.want([SLOW], 0.0)
    launcher.running.clear()
    wait = supervisor.step(20.0)
    assert wait is not None and wait < 0.8
    supervisor.step(20.0 + wait)
    assert list(launcher.running.values()) == [SLOW]
    assert [state.restarts for state in supervisor.states()] == [1]


def test_one_that_dies_again_and_again_is_tried_more_rarely(launcher: FakeLauncher) -> None:
    supervisor = Supervisor(launcher)
    supervisor.want([SLOW], 0.0)
    now, waits = 0.0, []
    for _ in range(12):
        launcher.running.clear()
        wait = supervisor.step(now)
        assert wait is not None
        waits.append(wait)
        now += wait
        supervisor.step(now)
    assert waits == sorted(waits)
    assert waits[0] < 1 and waits[-1] == 30.0


def test_a_long_life_forgives(launcher: FakeLauncher) -> None:
    supervisor = Supervisor(launcher)
    supervisor.want([SLOW], 0.0)
    for now in (1.0, 2.0, 4.0, 8.0):
        launcher.running.clear()
        supervisor.step(now)
        supervisor.step(now + 0.9)
    launcher.running.clear()
    wait = supervisor.step(1000.0)
    assert wait is not None and wait < 0.8


def test_a_refused_start_is_tried_again(launcher: FakeLauncher) -> None:
    launcher.refusing = True
    supervisor = Supervisor(launcher)
    supervisor.want([SLOW], 0.0)
    assert pid_of(supervisor, SLOW) is None
    launcher.refusing = False
    supervisor.step(0.5)
    assert pid_of(supervisor, SLOW) is not None


def test_a_changed_file_is_told_once(launcher: FakeLauncher) -> None:
    launcher.stamps["dns64"] = 1
    supervisor = Supervisor(launcher)
    supervisor.want([DNS], 0.0)
    launcher.stamps["dns64"] = 2
    supervisor.step(0.2)
    supervisor.step(0.4)
    assert launcher.told == [(pid_of(supervisor, DNS), signal.SIGHUP)]


def test_ends_what_is_no_longer_wanted(launcher: FakeLauncher) -> None:
    supervisor = Supervisor(launcher)
    supervisor.want([DNS, SLOW], 0.0)
    supervisor.want([SLOW], 1.0)
    assert list(launcher.running.values()) == [SLOW]


def test_a_released_worker_goes_on_unattended(launcher: FakeLauncher) -> None:
    supervisor = Supervisor(launcher)
    supervisor.want([DNS], 0.0)
    released = supervisor.release()
    launcher.running.clear()
    supervisor.step(5.0)
    assert [state.spec for state in released] == [DNS]
    assert launcher.running == {}


def test_the_log_is_kept_by_instance(tmp_path: Path) -> None:
    (tmp_path / "instance").write_text("lab-edge1\n")
    spec = log_worker(Paths(etc=tmp_path, run=Path("/run/x"), var=Path("/var/x"), bpffs=Path("/bpf")))
    assert spec.config == Path("/run/x/log.json")
    assert " ".join(spec.argv[3:]) == (
        "--config /run/x/log.json --database /var/x/lab-edge1/who-had.db --bpffs /bpf --instance lab-edge1"
    )
