# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Real processes: adopted by pid file and command line, seen dead, ended for sure."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from v6native.daemon.launcher import ProcessLauncher, end_workers
from v6native.daemon.pidfile import running_pid
from v6native.daemon.workers import Supervisor, WorkerSpec

# A worker as the real ones: it writes its pid file, then serves until SIGTERM. The first argument is that file.
WORKER = """
import os, pathlib, signal, sys
stubborn = sys.argv[2] == "stubborn"
signal.signal(signal.SIGTERM, signal.SIG_IGN if stubborn else signal.SIG_DFL)
pathlib.Path(sys.argv[1]).write_text(f"{os.getpid()}\\n")
signal.pause()
"""


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def spec(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[WorkerSpec]:
    manner = getattr(request, "param", "plain")
    pid_file = tmp_path / "w.pid"
    argv = (sys.executable, "-c", WORKER, str(pid_file), manner)
    yield WorkerSpec("w", argv, pid_file, tmp_path / "w.sock", tmp_path / "w.log")
    # By their command line, which holds this test's own path: one just started has written no pid file yet. More than once, for
    # until its exec it has the command line of this process.
    for _ in range(3):
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if f"\0{pid_file}\0".encode() in (process / "cmdline").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)
        time.sleep(0.05)


def test_the_next_daemon_adopts_what_runs(spec: WorkerSpec) -> None:
    first = Supervisor(ProcessLauncher())
    first.want([spec], 0.0)
    until(spec.pid_file.exists)
    until(lambda: running_pid(spec.pid_file, spec.argv) is not None)
    second = Supervisor(ProcessLauncher())
    second.want([spec], 0.0)
    assert [s.pid for s in second.states()] == [s.pid for s in first.states()]


def test_has_a_session_of_its_own(spec: WorkerSpec) -> None:
    launcher = ProcessLauncher()
    pid = launcher.start(spec)
    assert os.getsid(pid) == pid


def test_a_killed_worker_is_started_again(spec: WorkerSpec) -> None:
    supervisor = Supervisor(ProcessLauncher())
    supervisor.want([spec], time.monotonic())
    until(spec.pid_file.exists)
    (before,) = supervisor.states()
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)

    def replaced() -> bool:
        supervisor.step(time.monotonic())
        (now,) = supervisor.states()
        return now.pid not in (None, before.pid)

    until(replaced, 1.5)


def test_a_pid_of_somebody_else_is_not_adopted(spec: WorkerSpec) -> None:
    spec.pid_file.write_text(f"{os.getpid()}\n")
    assert ProcessLauncher().find(spec) is None


def test_a_dead_pid_is_not_adopted(spec: WorkerSpec) -> None:
    spec.pid_file.write_text("4194303\n")
    assert ProcessLauncher().find(spec) is None


@pytest.mark.parametrize("spec", ["plain", "stubborn"], indirect=True)
def test_ending_leaves_nothing(spec: WorkerSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("v6native.daemon.launcher.PATIENCE", 0.3)
    launcher = ProcessLauncher()
    launcher.start(spec)
    until(lambda: launcher.find(spec) is not None)
    end_workers([spec], launcher)
    assert launcher.find(spec) is None
