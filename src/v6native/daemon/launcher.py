# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Real worker processes: found by pid file and command line, started in sessions of their own, ended for sure."""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Iterable

from v6native.daemon.pidfile import running_pid, runs
from v6native.daemon.workers import WorkerSpec
from v6native.system.spawn import reap, spawn

# Seconds that a worker has to end by itself.
PATIENCE = 3.0


class ProcessLauncher:
    """The real twin of workers.Launcher. Those it started itself are reaped when they are found dead.

    `journal`: the daemon's own output goes to the journal, so the workers' does too; else each has a file.
    """

    def __init__(self, journal: bool = False) -> None:
        self._journal = journal
        self._children: set[int] = set()

    def find(self, spec: WorkerSpec) -> int | None:
        return running_pid(spec.pid_file, spec.argv)

    def start(self, spec: WorkerSpec) -> int:
        pid = spawn(spec.argv, None if self._journal else spec.log)
        self._children.add(pid)
        return pid

    def alive(self, pid: int, spec: WorkerSpec) -> bool:
        if pid in self._children and reap(pid):
            self._children.remove(pid)
        # Between fork and exec the command line is still the daemon's: a child of ours counts as it is.
        return pid in self._children or runs(pid, spec.argv)

    def signal(self, pid: int, number: signal.Signals) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return

    def end(self, pid: int, spec: WorkerSpec) -> None:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        try:
            if not self.alive(pid, spec):
                return
            signal.pidfd_send_signal(handle, signal.SIGTERM)
            if not _gone(handle, PATIENCE):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                _gone(handle, PATIENCE)
        except ProcessLookupError:
            return
        finally:
            os.close(handle)
            self.alive(pid, spec)

    def listens(self, spec: WorkerSpec) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as sock:
            return sock.connect_ex(str(spec.stats)) == 0

    def stamp(self, spec: WorkerSpec) -> int | None:
        try:
            return None if spec.config is None else spec.config.stat().st_mtime_ns
        except FileNotFoundError:
            return None


def end_workers(specs: Iterable[WorkerSpec], launcher: ProcessLauncher) -> None:
    """Ends those of `specs` that run, where no supervisor knows their pids."""
    for spec in specs:
        pid = launcher.find(spec)
        if pid is not None:
            launcher.end(pid, spec)


def _gone(handle: int, seconds: float) -> bool:
    """A pidfd becomes readable when its process ends (pidfd_open(2))."""
    return bool(select.select([handle], [], [], seconds)[0])
