# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A program that this process runs and that does not outlive it, however it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Sequence

from v6native.errors import SystemActionError

_PR_SET_PDEATHSIG = 1  # prctl(2)


class Child:
    """Started at once; SystemActionError where it cannot be."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._parent = os.getpid()
        self._libc = ctypes.CDLL(None, use_errno=True)
        try:
            self._process = subprocess.Popen(list(argv), stdin=subprocess.DEVNULL, preexec_fn=self._die_with_parent)
        except (OSError, subprocess.SubprocessError) as error:
            raise SystemActionError(f"{argv[0]} does not start: {error}") from error

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self, seconds: float) -> None:
        """SIGTERM, and after so long SIGKILL."""
        self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _die_with_parent(self) -> None:
        self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != self._parent:
            os._exit(1)  # It died in between.
