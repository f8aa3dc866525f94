# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The slow path's process: frames from the TAP through the core and back, statistics for who asks, an end on SIGTERM.

It needs nothing of the daemon: it goes on when that dies, and the next one finds it by its pid file.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from v6native.errors import SystemActionError
from v6native.slowpath.core import LONGEST_FRAME, SlowPath

# Frames taken at a time, before the clock and the other descriptors are looked at again.
_BATCH = 64
_TICK_SECONDS = 1.0
# A frame that the interface cannot take (down, out of memory) is lost, as on any wire.
_LOST = (errno.EIO, errno.ENOBUFS, errno.EAGAIN, errno.EINVAL, errno.ENOMEM, errno.E2BIG)


class Worker:
    """`run` returns when a signal asks for the end."""

    def __init__(self, tap: int, stats: socket.socket, wakeup: int, core: SlowPath, clock: Callable[[], float]) -> None:
        self._tap, self._stats, self._wakeup = tap, stats, wakeup
        self._core, self._clock = core, clock

    def run(self) -> None:
        with select.epoll() as poll:
            for fd in (self._tap, self._stats.fileno(), self._wakeup):
                poll.register(fd, select.EPOLLIN)
            while True:
                ready = {fd for fd, _event in poll.poll(_TICK_SECONDS)}
                if self._wakeup in ready:
                    return
                if self._tap in ready:
                    self._frames()
                if self._stats.fileno() in ready:
                    self._tell()
                self._core.tick(self._clock())

    def _frames(self) -> None:
        now = self._clock()
        for _turn in range(_BATCH):
            try:
                frame = os.read(self._tap, LONGEST_FRAME + 1)
            except BlockingIOError:
                return
            except OSError as why:
                raise SystemActionError(f"the slow path's interface is gone: {why.strerror}") from why
            for answer in self._core.handle(frame, now):
                self._send(answer)

    def _send(self, frame: bytes) -> None:
        try:
            os.write(self._tap, frame)
            self._core.counters["sent"] += 1
        except OSError as why:
            if why.errno not in _LOST:
                raise SystemActionError(f"the slow path's interface is gone: {why.strerror}") from why
            self._core.counters["not_sent"] += 1

    def _tell(self) -> None:
        """One JSON document for each connection."""
        with contextlib.suppress(OSError):
            connection, _address = self._stats.accept()
            with connection:
                connection.setblocking(False)
                connection.sendall(json.dumps({"worker": "slowpath", **self._core.stats()}).encode() + b"\n")


@contextlib.contextmanager
def ending_signals() -> Iterator[int]:
    """A descriptor that becomes readable on SIGTERM or SIGINT. SIGHUP (a closed terminal, a reload) means nothing here."""
    read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    old_fd = signal.set_wakeup_fd(write)
    asked = {s: signal.signal(s, lambda *_: None) for s in (signal.SIGTERM, signal.SIGINT)}
    asked[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield read
    finally:
        for number, handler in asked.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(old_fd)
        os.close(read)
        os.close(write)


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
