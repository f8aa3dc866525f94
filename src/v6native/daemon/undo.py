# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The process that undoes an unconfirmed change: `python -m v6native.daemon.undo JSON`, started before the change.

It has a session of its own and loads all it needs first, so that neither the end of the terminal, nor `kill -9` of the
daemon, nor a full disk can stop it. What fails it tries again: nobody else will.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from v6native.daemon import confirm
from v6native.daemon.down import remove_all
from v6native.daemon.launcher import ProcessLauncher
from v6native.daemon.lock import daemon_pid, only_daemon
from v6native.daemon.node import NodeWork
from v6native.daemon.snapshot import Snapshots
from v6native.daemon.workers import Supervisor
from v6native.errors import EnvironmentRefused, V6nativeError
from v6native.paths import Paths
from v6native.system.spawn import spawn

ARGV = (sys.executable, "-m", "v6native.daemon.undo")
# Seconds: for the undo process to load, between looks at the clock, and for the daemon to leave.
START_TIMEOUT, TICK, LEAVE_TIMEOUT = 20.0, 0.2, 10.0
# Seconds between one try to undo and the next.
TRIES = (0.5, 2.0, 5.0)


def boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def start(paths: Paths, node_name: str | None, seconds: float, was_up: bool, argv: Sequence[str] = ARGV) -> None:
    """Starts the undo process and returns when it is ready; EnvironmentRefused when it does not get there.

    `was_up`: a data plane is in place, so the undo goes back to what was applied last, not to nothing.
    """
    before = Snapshots(paths).set_aside() if was_up else None
    confirm.begin(paths.run, confirm.Pending(boottime() + seconds, None if before is None else str(before)))
    folders = {name: str(getattr(paths, name)) for name in ("etc", "run", "var", "bpffs")}
    reader, writer = os.pipe()
    try:
        spawn(
            [*argv, json.dumps({"paths": folders, "node": node_name, "ready": writer})],
            paths.run / "undo.log",
            (writer,),
        )
        os.close(writer)
        # The pipe closes, with nothing in it, when the process dies before it is ready.
        ready = select.select([reader], [], [], START_TIMEOUT)[0] and os.read(reader, 1)
    finally:
        os.close(reader)
    if not ready:
        confirm.confirm(paths.run)
        raise EnvironmentRefused(
            f"the process that would undo the change does not start, so nothing was changed; {paths.run / 'undo.log'} says why"
        )


def keep_watch(paths: Paths, node: NodeWork, clock: Callable[[], float] = boottime) -> bool:
    """Waits for the confirmation or the deadline; True when it undid the change."""
    while (waiting := confirm.pending(paths.run)) is not None:
        if waiting.seconds_left(clock()) <= 0:
            claimed = confirm.claim_undo(paths.run)
            if claimed is not None:
                confirm.undone(paths.run, undo(paths, node, claimed))
                return True
        time.sleep(TICK)
    return False


def undo(paths: Paths, node: NodeWork, change: confirm.Pending) -> str | None:
    """Ends the daemon, then goes back to what ran before, or to nothing. Returns why it failed; None: it did not."""
    failed: Exception | None = None
    for pause in (*TRIES, None):
        try:
            _end_daemon(paths.run)
            with only_daemon(paths.run):
                _go_back(paths, node, change)
            return None
        except Exception as error:
            _tell(f"the undo failed: {error or repr(error)}")
            failed = error
        if pause is not None:
            time.sleep(pause)
    return str(failed) or repr(failed)


def _go_back(paths: Paths, node: NodeWork, change: confirm.Pending) -> None:
    if change.restore is not None:
        try:
            _restore(node, Path(change.restore), Snapshots(paths))
            return
        except Exception as error:
            # Better no NAT64 than a node that nobody reaches.
            _tell(f"going back failed, so everything is removed: {error or repr(error)}")
    remove_all(node, paths, _tell)


def _restore(node: NodeWork, folder: Path, snapshots: Snapshots) -> None:
    config = node.load(folder)
    node.apply(config, _tell)
    try:
        snapshots.keep_copy(folder)
    except V6nativeError as error:
        # It runs; only the next `up --confirm` would have nothing to go back to.
        _tell(str(error))
    supervisor = Supervisor(ProcessLauncher())
    now = time.monotonic()
    supervisor.want(node.workers(config), now)
    # The second step tells adopted workers to read their configuration again.
    supervisor.step(now)


def _end_daemon(run: Path) -> None:
    """SIGTERM, then SIGKILL: the daemon must not put the change back while it is undone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        pid = daemon_pid(run)
        if pid is None:
            return
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        try:
            signal.pidfd_send_signal(handle, number)
            select.select([handle], [], [], LEAVE_TIMEOUT)
        except ProcessLookupError:
            return
        finally:
            os.close(handle)


def _tell(step: str) -> None:
    print(step, file=sys.stderr, flush=True)


def main(argv: Sequence[str], make_node: Callable[[Paths, str | None], NodeWork]) -> int:
    """The undo process; its only argument is the JSON that `start` made."""
    asked = json.loads(argv[0])
    paths = Paths(**{name: Path(folder) for name, folder in asked["paths"].items()})
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    node = make_node(paths, asked["node"])
    os.write(asked["ready"], b"1")
    os.close(asked["ready"])
    keep_watch(paths, node)
    return 0


if __name__ == "__main__":
    from v6native.daemon.host import HostNode

    sys.exit(main(sys.argv[1:], HostNode))
