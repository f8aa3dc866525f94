# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Starts a process that outlives the one that started it: a session of its own, no terminal, no working folder to hold."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from v6native.errors import SystemActionError

# A log in /run is memory: past this size (bytes) it begins anew at the next start.
LOG_LIMIT = 1 << 20


def spawn(argv: Sequence[str], log: Path | None, pass_fds: Sequence[int] = ()) -> int:
    """The pid of the started process, for `reap` by whoever lives that long. `log` None: it shares our standard error."""
    try:
        if log is None:
            return _start(argv, None, pass_fds)
        log.parent.mkdir(parents=True, exist_ok=True)
        large = log.exists() and log.stat().st_size > LOG_LIMIT
        with log.open("wb" if large else "ab") as output:
            return _start(argv, output.fileno(), pass_fds)
    except OSError as error:
        raise SystemActionError(f"{argv[0]} does not start: {error}") from error


def reap(pid: int) -> bool:
    """Collects a dead child of ours; False while it lives, or is somebody else's child."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False


def _start(argv: Sequence[str], output: int | None, pass_fds: Sequence[int]) -> int:
    child = subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=pass_fds,
        start_new_session=True,
        cwd="/",
    )
    # The process outlives this object, which would warn about that at its own end.
    child.returncode = 0
    return child.pid
