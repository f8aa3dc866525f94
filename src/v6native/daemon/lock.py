# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""One daemon a node: a lock that the kernel drops with its holder, however that dies.

An open file description lock (fcntl(2), F_OFD_SETLK): asking who holds it does not take it, so that a look by `status`
cannot make a starting daemon believe that another runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from v6native.errors import EnvironmentRefused

LOCK_NAME = "daemon.lock"


@contextlib.contextmanager
def only_daemon(run: Path) -> Iterator[None]:
    """Holds the daemon's lock in `run`; EnvironmentRefused names the process that holds it already."""
    run.mkdir(mode=0o755, parents=True, exist_ok=True)
    fd = _locked(run / LOCK_NAME)
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        # After `down` it is the last file there.
        if [entry.name for entry in run.iterdir()] == [LOCK_NAME]:
            (run / LOCK_NAME).unlink()
        os.close(fd)


def _locked(file: Path) -> int:
    """The lock's descriptor. One who held it may have removed the file in the instant between opening and locking."""
    while True:
        fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _write_lock())
        except BlockingIOError as error:
            holder = _written_pid(fd)
            os.close(fd)
            raise EnvironmentRefused(
                f"v6native already runs on this node (process {holder or 'unknown'}); change it with `v6native reload`, "
                "or stop that process first"
            ) from error
        with contextlib.suppress(FileNotFoundError):
            if file.stat().st_ino == os.fstat(fd).st_ino:
                return fd
        os.close(fd)


def daemon_pid(run: Path) -> int | None:
    """The daemon that holds the lock now; None where none runs, whatever a dead one left in the file."""
    try:
        fd = os.open(run / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        answer = fcntl.fcntl(fd, fcntl.F_OFD_GETLK, _write_lock())
        kind = struct.unpack(_FLOCK, answer)[0]
        return None if kind == fcntl.F_UNLCK else _written_pid(fd)
    finally:
        os.close(fd)


# struct flock of fcntl(2), with the 64-bit offsets that Python is built with; l_pid must be 0 for these commands.
_FLOCK = "hhqqi"


def _write_lock() -> bytes:
    return struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


def _written_pid(fd: int) -> int | None:
    text = os.pread(fd, 32, 0).decode(errors="replace").strip()
    return int(text) if text.isdigit() else None
