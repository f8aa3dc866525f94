# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps one unbound running for its settings: checks each configuration before it is used, tells its statistics.

Its files lie where the AppArmor profile of Debian's package lets unbound read and write; elsewhere it would not start.
"""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import socket
import sys
from pathlib import Path

from v6native.errors import SystemActionError, UnboundError
from v6native.system.child import Child
from v6native.system.files import write_atomically
from v6native.system.processes import run, wait_until
from v6native.unbound.render import CONF, CONTROL, render
from v6native.unbound.settings import UnboundSettings
from v6native.worker import tell

PACKAGES = Path("/var/lib/unbound")
PATIENCE = 5.0
# What is told of its statistics (unbound-control(8)): numbers that start so.
_TOLD = ("total.", "mem.cache.", "num.rrset.bogus", "unwanted.")
_CONTROL_SECONDS = 1.0


def state_folder(run_folder: Path, instance: str) -> Path:
    """Where unbound's files lie: in the folder of its package where there is one."""
    return PACKAGES / f"v6native-{instance}" if PACKAGES.is_dir() else run_folder / "unbound"


def command(folder: Path) -> tuple[str, ...]:
    """The program's command line; its pid is in `folder`, too."""
    return ("unbound", "-d", "-c", str(folder / CONF))


class Worker:
    """`folder` is made, and removed at the end. UnboundError, SystemActionError: it cannot run, and why."""

    def __init__(self, config: Path, folder: Path) -> None:
        self._config = config
        self._folder = folder
        self._conf = folder / CONF
        # Of a worker that was killed: its unbound gave up root, and with it the signal that would have ended it (prctl(2)).
        _stop(folder)
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        try:
            self.settings = self._configure()
            self._child = Child(command(folder))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def serve(self, wakeup: int, stats: socket.socket) -> int:
        """Until SIGTERM, or until unbound ends by itself; the exit status."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(wakeup, selectors.EVENT_READ)
            waiting.register(stats, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in waiting.select()}
                if stats in ready:
                    tell(stats, self.document())
                if wakeup in ready:
                    numbers = os.read(wakeup, 256)
                    if signal.SIGTERM in numbers or signal.SIGINT in numbers:
                        return 0
                    if signal.SIGHUP in numbers:
                        self._reload()
                if (status := self._child.ended()) is not None:
                    print(f"unbound: it ended with {status}", file=sys.stderr)
                    return 1

    def close(self) -> None:
        self._child.end(PATIENCE)
        shutil.rmtree(self._folder, ignore_errors=True)

    def document(self) -> dict[str, object]:
        listen = [f"{address}#{self.settings.port}" for address in self.settings.listen]
        return {"worker": "unbound", "unbound_pid": self._child.pid, "listen": listen, "numbers": self._numbers()}

    def _configure(self) -> UnboundSettings:
        """Writes unbound.conf, once unbound-checkconf finds nothing in it."""
        settings = UnboundSettings.from_json(self._config.read_bytes())
        candidate = self._folder / "candidate.conf"
        write_atomically(candidate, render(settings, self._folder), mode=0o644)
        run(("unbound-checkconf", str(candidate)))
        candidate.replace(self._conf)
        return settings

    def _reload(self) -> None:
        """What is no good is told, and the old one stays. Other addresses need a new process: it has given up the right to port
        53."""
        before = self.settings
        try:
            self.settings = self._configure()
        except (UnboundError, SystemActionError, OSError) as error:
            print(f"unbound: kept the old configuration: {error}", file=sys.stderr)
            return
        if (before.listen, before.port) == (self.settings.listen, self.settings.port):
            self._child.signal(signal.SIGHUP)
        else:
            self._child.end(PATIENCE)
            self._child = Child(command(self._folder))

    def _numbers(self) -> dict[str, float]:
        """From its control socket; empty where it does not answer."""
        return numbers(_control(self._folder, "stats_noreset") or "")


def _stop(folder: Path) -> None:
    if _control(folder, "stop") is not None:
        wait_until(lambda: _control(folder, "status") is None, PATIENCE)


def _control(folder: Path, order: str) -> str | None:
    """What unbound answers to an order (unbound-control(8)); None where nobody does."""
    text = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
        control.settimeout(_CONTROL_SECONDS)
        try:
            control.connect(str(folder / CONTROL))
            control.sendall(f"UBCT1 {order}\n".encode())
            while part := control.recv(65536):
                text += part
        except OSError:
            return None
    return text.decode(errors="replace")


def numbers(text: str) -> dict[str, float]:
    """Those of `name=value` lines that are told; names with "_" for ".", as metrics have them."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name.startswith(_TOLD):
            try:
                found[name.replace(".", "_")] = float(value)
            except ValueError:
                continue
    return found
