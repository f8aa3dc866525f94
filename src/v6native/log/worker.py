# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The log's process: the recorder, the collectors, statistics for who asks, an end on SIGTERM, a new look on SIGHUP."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict

from v6native.config.model import Collector
from v6native.dataplane.log_events import LogEvent
from v6native.errors import LogError
from v6native.log.collector import Sender, sender
from v6native.log.language import Ipfix, Language, Syslog
from v6native.log.notice import notice
from v6native.log.recorder import Clocks, Recorder
from v6native.log.settings import LogSettings
from v6native.worker import tell

# Seconds. After some events the worker rests, so that those that follow share a transaction.
_TICK, _REST = 1.0, 0.05
# At the end: how long collectors may take for what they have not got yet.
_LAST_WORDS = 0.5


class Senders:
    """The collectors that the settings name, and what tunnel clients are called."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self._names: dict[bytes, str] = {}
        self._node = ""
        self._senders: dict[tuple[str, Collector], Sender] = {}

    def configure(self, settings: LogSettings) -> None:
        """Those that stay keep their connections."""
        self._names = {client.address.packed: client.name for client in settings.clients}
        wanted = {("syslog", to) for to in settings.syslog} | {("ipfix", to) for to in settings.ipfix}
        renamed, self._node = settings.node != self._node, settings.node
        for key in list(self._senders):
            if key not in wanted or renamed:
                self._senders.pop(key).close()
        for key in wanted - self._senders.keys():
            self._senders[key] = sender(key[1], self._language(*key))

    def offer(self, events: Sequence[LogEvent], offset_ns: int) -> None:
        if self._senders:
            notices = [notice(event, offset_ns, self._names) for event in events]
            for each in self._senders.values():
                each.offer(notices, self._clocks.now, self._wall)

    def step(self) -> None:
        for each in self._senders.values():
            each.step(self._clocks.now, self._wall)

    def interests(self) -> list[tuple[int, int]]:
        return [found for each in self._senders.values() if (found := each.interest()) is not None]

    @property
    def busy(self) -> bool:
        return any(mask & select.POLLOUT for _fd, mask in self.interests())

    def close(self) -> None:
        for each in self._senders.values():
            each.close()

    def stats(self) -> dict[str, object]:
        each = {f"{kind} {to}": sender.tally for (kind, to), sender in self._senders.items()}
        return {
            "sent": {name: tally.sent for name, tally in each.items()},
            "not_sent": {name: tally.lost for name, tally in each.items()},
            "collector_trouble": {name: tally.trouble for name, tally in each.items() if tally.trouble is not None},
        }

    @property
    def _wall(self) -> int:
        return self._clocks.wall() // 1_000_000_000

    def _language(self, kind: str, to: Collector) -> Callable[[], Language]:
        if kind == "ipfix":
            return Ipfix
        host, stream = self._node, to.transport.value == "tcp"
        return lambda: Syslog(host, os.getpid(), stream)


class Worker:
    """`run` returns when a signal asks for the end; `settings` reads the file again, and may raise LogError.

    Where the file is gone at the end, the log was switched off.
    """

    def __init__(
        self,
        recorder: Recorder,
        senders: Senders,
        stats: socket.socket,
        wakeup: int,
        settings: Callable[[], LogSettings],
    ) -> None:
        self._recorder, self._senders = recorder, senders
        self._stats, self._wakeup, self._settings = stats, wakeup, settings

    def run(self) -> None:
        while True:
            more = self._recorder.step()
            self._senders.step()
            ready = self._wait(0.0 if more else _TICK)
            if self._wakeup in ready and self._signalled():
                self._end()
                return
            if self._stats.fileno() in ready:
                tell(self._stats, {"worker": "log", **asdict(self._recorder.numbers), **self._senders.stats()})

    def _wait(self, seconds: float) -> set[int]:
        """The descriptors that are ready. While events wait for the disk, the ring is ready all the time: not polled."""
        ring, poll = self._recorder.source.ring, select.poll()
        for fd in (self._wakeup, self._stats.fileno()):
            poll.register(fd, select.POLLIN)
        for fd, mask in self._senders.interests():
            poll.register(fd, mask)
        if not seconds:
            return {fd for fd, _event in poll.poll(0)}
        if ring is None or self._recorder.numbers.waiting:
            return {fd for fd, _event in poll.poll(int(seconds * 1000))}
        early = {fd for fd, _event in poll.poll(int(_REST * 1000))}
        if early:
            return early
        poll.register(ring.fd, select.POLLIN)
        return {fd for fd, _event in poll.poll(int(seconds * 1000))}

    def _signalled(self) -> bool:
        """Whether the end was asked for."""
        numbers = set(os.read(self._wakeup, 64))
        if signal.SIGHUP in numbers:
            try:
                settings = self._settings()
            except (LogError, OSError) as error:
                print(f"log: the old settings stay, the new ones cannot be used: {error}", file=sys.stderr, flush=True)
            else:
                self._senders.configure(settings)
                self._recorder.configure(settings)
        return bool(numbers & {signal.SIGTERM, signal.SIGINT})

    def _is_off(self) -> bool:
        try:
            self._settings()
        except FileNotFoundError:
            return True
        except (LogError, OSError):
            return False
        return False

    def _end(self) -> None:
        self._recorder.finish(switched_off=self._is_off())
        clocks = self._recorder.clocks
        deadline = clocks.now + _LAST_WORDS
        self._senders.step()
        while self._senders.busy and clocks.now < deadline:
            poll = select.poll()
            for fd, mask in self._senders.interests():
                poll.register(fd, mask)
            poll.poll(50)
            self._senders.step()
        self._senders.close()
