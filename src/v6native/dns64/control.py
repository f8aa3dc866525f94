# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the node sees of the worker: pid file, stats socket and signals, all beside its dns64.json.

A successor may start before this process has ended: each takes the names over, and on its end removes only its own.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from v6native.dns64.loop import READ, Loop

_BACKLOG = 16


class PidFile:
    def __init__(self, path: Path) -> None:
        self._path = path
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.write_text(f"{os.getpid()}\n")
        fresh.rename(path)

    def remove(self) -> None:
        if self._path.exists() and self._path.read_text().strip() == str(os.getpid()):
            self._path.unlink()


class StatsSocket:
    """Sends one JSON document to whoever connects, and closes. Only root may: mode 0600."""

    def __init__(self, loop: Loop, path: Path, document: Callable[[], dict[str, object]]) -> None:
        self._loop = loop
        self._path = path
        self._document = document
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        self._socket.bind(str(fresh))
        fresh.chmod(0o600)
        self._inode = fresh.stat().st_ino
        self._socket.listen(_BACKLOG)
        fresh.rename(path)
        loop.add(self._socket.fileno(), READ, self._accept)

    def close(self) -> None:
        self._loop.remove(self._socket.fileno())
        self._socket.close()
        if self._path.exists() and self._path.stat().st_ino == self._inode:
            self._path.unlink()

    def _accept(self, _events: int) -> None:
        try:
            client, _ = self._socket.accept()
        except OSError:
            return
        # Who only looks whether somebody is here is gone by now.
        with client, suppress(OSError):
            # Some kilobytes: the socket's buffer takes them whole, or the reader gets what fits.
            client.setblocking(False)
            client.send(json.dumps(self._document()).encode() + b"\n")


class Signals:
    """Turns signals into calls from the loop, between two handlers rather than inside one."""

    def __init__(self, loop: Loop, actions: dict[signal.Signals, Callable[[], None]]) -> None:
        self._actions = actions
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in actions:
            signal.signal(number, lambda _number, _frame: None)
        loop.add(self._reader.fileno(), READ, self._arrived)

    def _arrived(self, _events: int) -> None:
        for number in dict.fromkeys(self._reader.recv(256)):
            self._actions[signal.Signals(number)]()
