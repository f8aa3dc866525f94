# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The slow path's process: frames from the TAP through the core and back, statistics for who asks, an end on SIGTERM.

It needs nothing of the daemon: it goes on when that dies, and the next one finds it by its pid file.
"""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Callable

from v6native.errors import SystemActionError
from v6native.slowpath.core import LONGEST_FRAME, SlowPath
from v6native.worker import tell

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
                    tell(self._stats, {"worker": "slowpath", **self._core.stats()})
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
