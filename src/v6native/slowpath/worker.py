# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The slow path's process: frames from the TAP through the core and back, events into frames, statistics for who asks.

It needs nothing of the daemon: it goes on when that dies, and the next one finds it by its pid file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
from collections.abc import Callable

from v6native.errors import SystemActionError
from v6native.slowpath.core import LONGEST_FRAME, SlowPath
from v6native.slowpath.events import Events
from v6native.worker import tell

# Frames taken at a time, before the clock and the other descriptors are looked at again.
_BATCH = 64
_TICK_SECONDS = 1.0
# A frame that the interface cannot take (down, out of memory) is lost, as on any wire.
_LOST = (errno.EIO, errno.ENOBUFS, errno.EAGAIN, errno.EINVAL, errno.ENOMEM, errno.E2BIG)


class Worker:
    """`run` returns when a signal asks for the end."""

    def __init__(
        self,
        tap: int,
        stats: socket.socket,
        wakeup: int,
        core: SlowPath,
        clock: Callable[[], float],
        events: Events | None = None,
    ) -> None:
        self._tap, self._stats, self._wakeup = tap, stats, wakeup
        self._core, self._clock, self._events = core, clock, events
        self._look_at = 0.0

    def run(self) -> None:
        with select.epoll() as poll:
            for fd in (self._tap, self._stats.fileno(), self._wakeup):
                poll.register(fd, select.EPOLLIN)
            rings: tuple[int, ...] = ()
            while True:
                rings = self._follow(poll, rings)
                ready = {fd for fd, _event in poll.poll(_TICK_SECONDS)}
                if self._wakeup in ready:
                    return
                if self._tap in ready:
                    self._frames()
                if self._stats.fileno() in ready:
                    tell(self._stats, {"worker": "slowpath", **self._core.stats()})
                if self._events is not None:
                    self._originate(self._events)
                self._core.tick(self._clock())

    def _follow(self, poll: select.epoll, rings: tuple[int, ...]) -> tuple[int, ...]:
        """The rings of the generation that is pinned now, looked for once a second."""
        now = self._clock()
        if self._events is None or now < self._look_at:
            return rings
        self._look_at = now + _TICK_SECONDS
        if not self._events.refresh():
            return rings
        # Those that are gone were closed, which took them out of `poll`.
        found = self._events.fds()
        for fd in found:
            with contextlib.suppress(FileExistsError):
                poll.register(fd, select.EPOLLIN)
        return found

    def _originate(self, events: Events) -> None:
        now = self._clock()
        for time, event in events.read():
            if (frame := self._core.originate(event, now - time)) is not None:
                self._send(frame)

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
