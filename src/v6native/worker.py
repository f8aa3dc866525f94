# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What a worker process needs beside its work: signals as a descriptor, a socket for its statistics, a pid file.

A successor may start before a worker has ended: each takes the names over, and on its end removes only its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path


@contextlib.contextmanager
def signals(*wanted: signal.Signals) -> Iterator[int]:
    """A descriptor that gives one byte, its number, for each of these signals.

    SIGHUP, where it is not wanted, means nothing: a closed terminal ends no worker.
    """
    read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    old_fd = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    before = {number: signal.signal(number, lambda *_: None) for number in wanted}
    if signal.SIGHUP not in wanted:
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield read
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(old_fd)
        os.close(read)
        os.close(write)


def tell(listener: socket.socket, document: Mapping[str, object]) -> None:
    """One JSON document for whoever waits to connect; what does not fit into the socket's buffer is cut off."""
    with contextlib.suppress(OSError):
        connection, _address = listener.accept()
        with connection:
            connection.setblocking(False)
            connection.sendall(json.dumps(document).encode() + b"\n")


@contextlib.contextmanager
def stats_socket(path: Path) -> Iterator[socket.socket]:
    """A listening socket that takes the place of whatever a predecessor left there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as listener:
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        listener.bind(str(fresh))
        fresh.chmod(0o600)
        listener.listen()
        fresh.replace(path)
        inode = path.stat().st_ino
        try:
            yield listener
        finally:
            _unlink_own(path, inode)


@contextlib.contextmanager
def pid_file(path: Path) -> Iterator[None]:
    """This process's number in a file, complete from the first moment that it is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(f"{os.getpid()}\n")
    fresh.replace(path)
    inode = path.stat().st_ino
    try:
        yield
    finally:
        _unlink_own(path, inode)


def _unlink_own(path: Path, inode: int) -> None:
    """A successor may have put its own there."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_ino == inode:
            path.unlink()
