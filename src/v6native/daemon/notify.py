# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""sd_notify(3): tells the service manager how the daemon is. Without NOTIFY_SOCKET every call does nothing."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notifier:
    """Speaks to one notify socket; `address` None: nobody listens. `watchdog` is in seconds."""

    address: str | None
    watchdog: float | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, pid: int | None = None) -> Notifier:
        """What the service manager passed to this process; a watchdog meant for another pid is not ours."""
        usec = environ.get("WATCHDOG_USEC")
        meant_for = environ.get("WATCHDOG_PID", "")
        ours = not meant_for or meant_for == str(os.getpid() if pid is None else pid)
        seconds = int(usec) / 1e6 if usec is not None and usec.isdigit() and ours else None
        return cls(environ.get("NOTIFY_SOCKET") or None, seconds)

    def ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={status}")

    def reloading(self) -> None:
        # MONOTONIC_USEC is what Type=notify-reload asks for (systemd 253); older ones ignore it.
        self._send(
            f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}\nSTATUS=Reloading"
        )

    def stopping(self) -> None:
        self._send("STOPPING=1\nSTATUS=Stopping; the data plane stays")

    def status(self, text: str) -> None:
        self._send(f"STATUS={text}")

    def alive(self) -> None:
        self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if self.address is None:
            return
        # An abstract socket is written with a leading "@" in the environment.
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            try:
                sock.connect(address)
                sock.sendall(message.encode())
            except OSError:
                # A service manager that went away must not take the daemon with it.
                return
