# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Commands that end, and processes that outlive us. The only place of system/ that starts anything."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from v6native.errors import EnvironmentRefused, SystemActionError
from v6native.system.files import write_atomically

PACKAGE = {"nft": "nftables", "wg": "wireguard-tools", "wireguard-go": "wireguard-go", "ip": "iproute2"}


def run(argv: Sequence[str], *, timeout: float = 10.0, stdin: str | None = None) -> str:
    """Standard output of a command that ended well. SystemActionError with what it said, where it did not."""
    try:
        done = subprocess.run(
            list(argv), input=stdin, capture_output=True, text=True, errors="replace", timeout=timeout, check=False
        )
    except FileNotFoundError as missing:
        raise EnvironmentRefused(
            f"{argv[0]} is not installed; `apt-get install {PACKAGE.get(argv[0], argv[0])}` brings it"
        ) from missing
    except subprocess.TimeoutExpired as late:
        raise SystemActionError(f"`{shlex.join(argv)}` did not end within {timeout:g} s") from late
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip() or f"exit status {done.returncode}"
        raise SystemActionError(f"`{shlex.join(argv)}` failed: {said}")
    return done.stdout


def installed(program: str) -> bool:
    return shutil.which(program) is not None


def wait_until(condition: Callable[[], bool], seconds: float, interval: float = 0.01) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)
    return True


@dataclass(frozen=True, slots=True)
class Service:
    """A process of its own session, known by a pid file that also holds its start time: a pid alone is reused."""

    name: str
    argv: tuple[str, ...]
    run: Path

    @property
    def pid_file(self) -> Path:
        return self.run / f"{self.name}.pid"

    @property
    def log(self) -> Path:
        return self.run / f"{self.name}.log"

    def find(self) -> int | None:
        """The pid of the running process, whoever started it; None where none runs."""
        try:
            pid, started = self.pid_file.read_text().split()
        except (OSError, ValueError):
            return None
        if not pid.isdigit() or start_time(int(pid)) != started:
            if pid.isdigit():
                _gone(int(pid))  # collected, where it was started by us
            return None
        return int(pid) if cmdline(int(pid))[1:] == self.argv[1:] else None

    def start(self, env: Mapping[str, str] | None = None) -> int:
        """Starts it, or adopts the one that runs."""
        found = self.find()
        if found is not None:
            return found
        self.run.mkdir(parents=True, exist_ok=True)
        try:
            with self.log.open("ab") as log:
                child = subprocess.Popen(
                    self.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    cwd="/",
                    env={**os.environ, **(env or {})},
                )
        except FileNotFoundError as missing:
            name = self.argv[0]
            package = PACKAGE.get(name, name)
            raise EnvironmentRefused(f"{name} is not installed; `apt-get install {package}` brings it") from missing
        try:
            write_atomically(self.pid_file, f"{child.pid} {start_time(child.pid)}\n")
        except BaseException:
            # Nobody would ever find it again, and the next start would make a second one.
            child.kill()
            child.wait()
            raise
        # It is meant to outlive us: nobody waits for it here, and Popen must not warn about that.
        child.returncode = 0
        return child.pid

    def stop(self, seconds: float = 5.0) -> None:
        """Ends it, at last by SIGKILL; nothing where none runs."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            pid = self.find()
            if pid is None:
                break
            with suppress(ProcessLookupError):  # it ended in this moment
                os.kill(pid, number)
            wait_until(partial(_gone, pid), seconds)
        self.pid_file.unlink(missing_ok=True)
        self.log.unlink(missing_ok=True)


def _gone(pid: int) -> bool:
    """True once the process has ended; a child of ours is collected."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return start_time(pid) is None


def start_time(pid: int) -> str | None:
    """Field 22 of /proc/PID/stat, in clock ticks since boot; None where there is no such process, or only a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def cmdline(pid: int) -> tuple[str, ...]:
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(part.decode(errors="replace") for part in text.rstrip(b"\0").split(b"\0"))
