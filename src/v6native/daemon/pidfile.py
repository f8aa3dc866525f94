# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the process that a pid file names is really ours: a pid alone may have been given to somebody else since."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def running_pid(file: Path, argv: Sequence[str], proc: Path = Path("/proc")) -> int | None:
    """The pid in `file` when a live process with that very command line (but for the interpreter) has it."""
    try:
        text = file.read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return int(text) if text.isdigit() and runs(int(text), argv, proc) else None


def runs(pid: int, argv: Sequence[str], proc: Path = Path("/proc")) -> bool:
    """True when `pid` lives and was started with the arguments `argv[1:]`."""
    try:
        cmdline = (proc / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    # A zombie has an empty command line, so that it counts as dead, which it is.
    return cmdline.rstrip(b"\0").split(b"\0")[1:] == [part.encode() for part in argv[1:]]
