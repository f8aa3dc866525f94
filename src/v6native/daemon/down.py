# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`down` where no daemon answers: the workers end, then the host becomes as it was found."""

from __future__ import annotations

import shutil
import sqlite3
import time

import structlog

from v6native.daemon import confirm
from v6native.daemon.launcher import ProcessLauncher, end_workers
from v6native.daemon.lock import only_daemon
from v6native.daemon.node import Change, NodeWork, Progress
from v6native.daemon.snapshot import Snapshots
from v6native.errors import LogError
from v6native.health import report as health
from v6native.log.schema import Ended
from v6native.log.store import Store
from v6native.paths import Paths
from v6native.unbound.worker import state_folder


def take_down(node: NodeWork, paths: Paths, progress: Progress) -> tuple[Change, ...]:
    """For the command; EnvironmentRefused when a daemon runs that does not answer."""
    with only_daemon(paths.run):
        # What is removed on purpose need not be undone a minute later.
        confirm.confirm(paths.run)
        return remove_all(node, paths, progress)


def remove_all(node: NodeWork, paths: Paths, progress: Progress) -> tuple[Change, ...]:
    """The caller holds the daemon's lock."""
    end_workers(node.workers(None), ProcessLauncher())
    changes = node.remove(progress)
    forget(paths)
    return changes


def forget(paths: Paths) -> None:
    """Removes what this v6native wrote for itself, but for the lock's file: that goes with the lock (lock.py).

    The log of who had which ports stays, too: it is asked for long after.
    """
    _close_log(paths)
    shutil.rmtree(state_folder(paths.run, paths.instance()), ignore_errors=True)
    Snapshots(paths).forget()
    leftovers = [path for suffix in ("pid", "sock", "log") for path in paths.run.glob(f"*.{suffix}")]
    for path in leftovers:
        # undo.log is still being written where the undo itself takes everything down, and tells why.
        if path.name != "undo.log":
            path.unlink(missing_ok=True)
    (paths.run / health.FILE).unlink(missing_ok=True)


def _close_log(paths: Paths) -> None:
    """Nobody has a port any more. Where that cannot be written, the next worker finds it out: `down` goes on."""
    if not paths.log_database.exists():
        return
    try:
        store = Store(paths.log_database)
        try:
            store.end_all(time.time_ns() // 1_000_000, Ended.DOWN)
        finally:
            store.close()
    except (sqlite3.Error, OSError, LogError) as error:
        structlog.get_logger("v6native.daemon").warning("log_not_closed", error=str(error))
