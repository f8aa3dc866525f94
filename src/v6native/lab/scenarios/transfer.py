# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Downloads and uploads with their checksum, by curl and nginx."""

from __future__ import annotations

import secrets
import time

from v6native.lab.node import Node
from v6native.lab.scenarios.trial import ScenarioFailed, Trial, expect
from v6native.lab.web import WWW, publish, take_upload

SLOWEST = 2.0
"""MiB/s; slower than that is a failure, not patience."""


def download(trial: Trial, node: str, host: str, mebibytes: int = 0) -> str:
    size = mebibytes or trial.mebibytes
    path, digest = publish(trial.node("internet"), size)
    began = time.monotonic()
    fetch = f"set -o pipefail; curl -sS -f 'http://{host}{path}' | sha256sum"
    seen = trial.succeeds(node, "bash", "-c", fetch, timeout=20 + size / SLOWEST).out.split()[0]
    expect(seen == digest, f"{node}: {size} MiB from {host} came with SHA-256 {seen} instead of {digest}")
    return f"{size} MiB, {_speed(size, began)}"


def upload(trial: Trial, node: str, host: str, mebibytes: int = 0) -> str:
    size = mebibytes or trial.mebibytes
    path, digest = publish(trial.node(node), size)
    name = secrets.token_hex(4)
    began = time.monotonic()
    put = ("curl", "-sS", "-f", "-T", f"{WWW}{path}", f"http://{host}/upload/{name}")
    trial.succeeds(node, *put, timeout=20 + size / SLOWEST)
    speed = _speed(size, began)
    seen = take_upload(trial.node("internet"), name)
    expect(seen == digest, f"{node}: {size} MiB to {host} arrived with SHA-256 {seen} instead of {digest}")
    return f"{size} MiB, {speed}"


def _speed(mebibytes: int, began: float) -> str:
    return f"{mebibytes * 8 * 1.048576 / 1000 / (time.monotonic() - began):.1f} Gbit/s"


class Running:
    """A download that takes its time while other things happen: `with Running(...) as it: …; it.finish()`."""

    def __init__(self, trial: Trial, node: str, host: str, seconds: int) -> None:
        self.node: Node = trial.node(node)
        self.size = 16
        path, self.digest = publish(trial.node("internet"), self.size)
        self.file = f"/run/lab/{secrets.token_hex(4)}"
        rate = self.size * (1 << 20) // seconds
        self.seconds = seconds
        # curl gives up where nothing moves for 5 s.
        options = ("-sS", "-f", "--speed-limit", "1000", "--speed-time", "5", "-o", self.file)
        self.program = self.node.start("running-download", "curl", *options, f"http://{host}{path}?rate={rate}")

    def received(self) -> int:
        file = self.node.path(self.file)
        return file.stat().st_size if file.exists() else 0

    def begun(self) -> bool:
        return self.received() > 0

    def wait_status(self, seconds: float) -> int:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = self.program.status()
            if status is not None:
                return status
            time.sleep(0.05)
        raise ScenarioFailed(f"the download neither ended nor failed within {seconds:g} s")

    def finish(self) -> None:
        """It must end well."""
        status = self.wait_status(self.seconds + 30)
        expect(status == 0, f"the running download ended with curl's status {status} after {self.received()} octets")
        seen = self.node.run("sha256sum", self.file, timeout=60).out.split()[0]
        expect(seen == self.digest, "the running download came with another checksum")
        self.node.path(self.file).unlink()
