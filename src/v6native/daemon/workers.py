# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The worker processes of a node (DNS64, unbound, slow path, log): started in sessions of their own, adopted, started again.

A worker is nobody's child for long: it outlives the daemon, and the next daemon finds it by its pid file. So its death
is seen by looking, a few times a second, not by waiting for a child.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from v6native.daemon.backoff import Backoff
from v6native.errors import SystemActionError
from v6native.paths import Paths
from v6native.unbound.render import PID
from v6native.unbound.worker import command, state_folder


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """One worker: `argv` identifies it, too; `stats` is the socket on which it tells its statistics.

    `config` is a file that the worker reads again on SIGHUP; None: it has none, and is never sent that signal.
    """

    name: str
    argv: tuple[str, ...]
    pid_file: Path
    stats: Path
    log: Path
    config: Path | None = None


def dns64_worker(paths: Paths) -> WorkerSpec:
    config = paths.run / "dns64.json"
    argv = (sys.executable, "-m", "v6native.dns64", "--config", str(config))
    return replace(_spec("dns64", argv, paths), config=config)


def dns64_top(paths: Paths) -> Path:
    """The socket on which the DNS64 tells which domains are asked for."""
    return paths.run / "dns64-top.sock"


def unbound_worker(paths: Paths) -> WorkerSpec:
    config = paths.run / "unbound.json"
    argv = (sys.executable, "-m", "v6native.unbound", "--config", str(config), "--instance", paths.instance())
    return replace(_spec("unbound", argv, paths), config=config)


def unbound_itself(paths: Paths) -> WorkerSpec:
    """The program that the worker runs, for where that was killed; nobody starts it by this."""
    folder = state_folder(paths.run, paths.instance())
    spec = _spec("unbound", command(folder), paths)
    return replace(spec, pid_file=folder / PID)


def slowpath_worker(paths: Paths, tap: str) -> WorkerSpec:
    pins = str(paths.pins(paths.instance()))
    argv = (sys.executable, "-m", "v6native.slowpath", "--tap", tap, "--run", str(paths.run), "--pins", pins)
    return _spec("slowpath", argv, paths)


def log_worker(paths: Paths) -> WorkerSpec:
    config = paths.run / "log.json"
    where = ("--config", str(config), "--database", str(paths.log_database))
    pins = ("--bpffs", str(paths.bpffs), "--instance", paths.instance())
    argv = (sys.executable, "-m", "v6native.log", *where, *pins)
    return replace(_spec("log", argv, paths), config=config)


def _spec(name: str, argv: tuple[str, ...], paths: Paths) -> WorkerSpec:
    return WorkerSpec(name, argv, paths.run / f"{name}.pid", paths.run / f"{name}.sock", paths.run / f"{name}.log")


class Launcher(Protocol):
    """What the supervisor needs from the outside; a twin stands in for it in tests."""

    def find(self, spec: WorkerSpec) -> int | None:
        """The pid of a running worker of that very command line, by its pid file."""

    def start(self, spec: WorkerSpec) -> int: ...

    def alive(self, pid: int, spec: WorkerSpec) -> bool: ...

    def signal(self, pid: int, number: signal.Signals) -> None:
        """Sends a signal; a process that is gone is fine."""

    def end(self, pid: int, spec: WorkerSpec) -> None:
        """Ends a worker and waits until it is gone, by force where it does not go by itself."""

    def listens(self, spec: WorkerSpec) -> bool:
        """Whether the worker has begun its work: it tells its statistics."""

    def stamp(self, spec: WorkerSpec) -> int | None:
        """Differs whenever the worker's configuration file was written anew; None where there is none."""


@dataclass(frozen=True, slots=True)
class WorkerState:
    """What `status` tells of a worker; `since` is the daemon's monotonic clock, `wait_until` the next try."""

    spec: WorkerSpec
    pid: int | None = None
    since: float | None = None
    restarts: int = 0
    backoff: Backoff = field(default_factory=Backoff)
    wait_until: float = 0.0
    stamp: int | None = None

    @property
    def running(self) -> bool:
        return self.pid is not None


class Supervisor:
    """Keeps exactly the wanted workers running. Every step takes `now` (monotonic seconds) and never waits."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._states: dict[str, WorkerState] = {}

    def want(self, specs: Sequence[WorkerSpec], now: float) -> None:
        """Sets what shall run: adopts or starts what is new, ends what is no longer wanted or was changed."""
        wanted = {spec.name: spec for spec in specs}
        for name, state in list(self._states.items()):
            if wanted.get(name) != state.spec:
                if state.pid is not None:
                    self._launcher.signal(state.pid, signal.SIGTERM)
                del self._states[name]
        for spec in specs:
            self._states.setdefault(spec.name, WorkerState(spec))
        self.step(now)

    def step(self, now: float) -> float | None:
        """Looks after every worker; returns the seconds until a worker is to be tried again, None if all run."""
        for name, state in self._states.items():
            self._states[name] = self._look_after(state, now)
        waits = [state.wait_until - now for state in self._states.values() if not state.running]
        return max(0.0, min(waits)) if waits else None

    def release(self) -> tuple[WorkerState, ...]:
        """Looks after nobody any longer; the workers go on. For `down`, which ends them next."""
        released = self.states()
        self._states = {}
        return released

    def states(self) -> tuple[WorkerState, ...]:
        return tuple(self._states.values())

    def _look_after(self, state: WorkerState, now: float) -> WorkerState:
        if state.pid is not None:
            if self._launcher.alive(state.pid, state.spec):
                return self._follow_config(state, state.pid)
            state = _failed(state, now)
        if now < state.wait_until:
            return state
        stamp = self._launcher.stamp(state.spec)
        started = replace(state, since=now, backoff=state.backoff.start(now), stamp=stamp)
        found = self._launcher.find(state.spec)
        if found is not None:
            # What an adopted worker has read is not known: with no stamp, the next look tells it to read again.
            return replace(started, pid=found, stamp=None)
        try:
            return replace(started, pid=self._launcher.start(state.spec))
        except SystemActionError:
            return _failed(state, now)

    def _follow_config(self, state: WorkerState, pid: int) -> WorkerState:
        stamp = self._launcher.stamp(state.spec)
        if stamp == state.stamp:
            return state
        self._launcher.signal(pid, signal.SIGHUP)
        return replace(state, stamp=stamp)


def _failed(state: WorkerState, now: float) -> WorkerState:
    backoff = state.backoff.fail(now)
    return replace(
        state, pid=None, since=None, restarts=state.restarts + 1, backoff=backoff, wait_until=now + backoff.delay
    )
