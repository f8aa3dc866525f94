# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The log's worker as a process of its own, on a real ring that an injector fills."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from v6native.log.lookup import Holder, look_up
from v6native.log.question import Question
from v6native.log.settings import LogSettings
from v6native.paths import Paths

ROOT = Path(__file__).parents[3]
INSTANCE = "test"
SETTINGS = LogSettings("edge1", 3600)


def until(condition: Callable[[], Any], seconds: float = 15.0, what: str = "it") -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not come to be within {seconds:.0f} s"
        time.sleep(0.02)
    return found


@dataclass
class Rig:
    """One node's log: its folders, its settings, its worker."""

    paths: Paths
    database: Path

    @property
    def pid_file(self) -> Path:
        return self.paths.run / "log.pid"

    def write(self, settings: LogSettings) -> None:
        self.paths.run.mkdir(parents=True, exist_ok=True)
        (self.paths.run / "log.json").write_text(settings.to_json())

    @contextlib.contextmanager
    def worker(self) -> Iterator[subprocess.Popen[str]]:
        """Ready when it answers."""
        words = ["--config", self.paths.run / "log.json", "--database", self.database]
        words += ["--bpffs", self.paths.bpffs, "--instance", INSTANCE]
        command = [sys.executable, "-m", "v6native.log", *map(str, words)]
        environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": os.environ["PATH"]}
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as it:
            try:
                until(lambda: it.poll() is not None or self._answers(it.pid))
                assert it.poll() is None, it.stderr and it.stderr.read()
                yield it
            finally:
                if it.poll() is None:
                    it.terminate()
                    it.wait(15)

    def stats(self) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(5)
            asking.connect(str(self.paths.run / "log.sock"))
            with asking.makefile() as answer:
                document: dict[str, Any] = json.load(answer)
                return document

    def holders(self, address: IPv4Address, port: int, start: datetime | None = None) -> tuple[Holder, ...]:
        now = datetime.now(UTC)
        return look_up(self.database, Question(address, port, start or now, now), now).holders

    def _answers(self, pid: int) -> bool:
        with contextlib.suppress(OSError, ValueError):
            return self.pid_file.read_text().strip() == str(pid) and bool(self.stats())
        return False
