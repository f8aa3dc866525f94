# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The worker as the daemon starts it: its files, signals and statistics, and a successor beside it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv6Network
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import pytest

from tests.integration.dns64.scripted import (
    DEADLINE,
    LOOPBACK,
    Upstream,
    addresses,
    eventually,
    settings_for,
    zone,
)
from v6native.dns64.settings import Dns64Settings, Pref64

SCRIPT = zone({("v4only.example.", "A"): ["v4only.example. 1000 IN A 198.51.100.80"]})


class Worker:
    def __init__(self, folder: Path, program: Sequence[str] = ("-m", "v6native.dns64")) -> None:
        self.config = folder / "dns64.json"
        self.log = folder / "log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *program, "--config", str(self.config)],
                stdin=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
                env=os.environ | {"PYTHONPATH": "src"},
            )

    def stats(self) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.config.with_suffix(".sock")))
            with client.makefile("rb") as stream:
                document: dict[str, Any] = json.load(stream)
                return document

    def pid(self) -> int | None:
        file = self.config.with_suffix(".pid")
        return int(file.read_text()) if file.exists() else None

    def ready(self) -> None:
        eventually(lambda: self.pid() == self.process.pid, f"the worker has started: {self.log.read_text()}")

    def logged(self, text: str) -> None:
        eventually(lambda: text in self.log.read_text(), f"the log says {text!r}")

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(DEADLINE)


def ask(settings: Dns64Settings) -> list[str]:
    query = dns.message.make_query("v4only.example", "AAAA")
    return addresses(dns.query.udp(query, LOOPBACK, DEADLINE, settings.listen[0].port))


@contextmanager
def worker(folder: Path) -> Iterator[Worker]:
    made = Worker(folder)
    try:
        made.ready()
        yield made
    finally:
        made.end()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(SCRIPT) as made:
        yield made


def test_it_answers_tells_and_ends(upstream: Upstream, tmp_path: Path) -> None:
    settings = settings_for(upstream)
    (tmp_path / "dns64.json").write_text(settings.to_json())
    with worker(tmp_path) as made:
        assert ask(settings) == ask(settings) == ["2001:db8:64:64::c633:6450"]
        document = made.stats()
        assert document["answers"] == {"udp AAAA synthesized noerror": 2}
        assert document["cache_entries"] == 2 and document["internal_errors"] == 0
        assert list(document["upstream_answered"].values()) == [2]
        assert made.config.with_suffix(".sock").stat().st_mode & 0o777 == 0o600
        assert made.end() == 0
        assert sorted(file.name for file in tmp_path.iterdir()) == ["dns64.json", "log"]


def test_sighup_takes_new_settings_and_refuses_bad_ones(upstream: Upstream, tmp_path: Path) -> None:
    settings = settings_for(upstream)
    with_other = replace(settings, pref64=(Pref64(IPv6Network("2001:db8:99::/96")),))
    file = tmp_path / "dns64.json"
    file.write_text(settings.to_json())
    with worker(tmp_path) as made:
        for bad in ("{", with_other.to_json().replace('"allow"', '"alow"')):
            file.write_text(bad)
            made.process.send_signal(signal.SIGHUP)
            made.logged("kept the old settings")
            made.log.write_text("")
            assert ask(settings) == ["2001:db8:64:64::c633:6450"]
        file.write_text(with_other.to_json())
        made.process.send_signal(signal.SIGHUP)
        made.logged("reloaded")
        assert ask(settings) == ["2001:db8:99::c633:6450"]


TOLD_AT_ONCE = """
import os, signal, sys
import v6native.dns64.__main__ as program

class PidFile(program.PidFile):
    def __init__(self, path):
        super().__init__(path)
        os.kill(os.getpid(), signal.SIGHUP)

program.PidFile = PidFile
sys.exit(program.main())
"""


def test_a_signal_as_soon_as_its_pid_is_known_does_not_end_it(upstream: Upstream, tmp_path: Path) -> None:
    settings = settings_for(upstream)
    (tmp_path / "dns64.json").write_text(settings.to_json())
    made = Worker(tmp_path, ("-c", TOLD_AT_ONCE))
    try:
        made.logged("reloaded")
        assert ask(settings) == ["2001:db8:64:64::c633:6450"]
    finally:
        assert made.end() == 0


def test_a_successor_overlaps(upstream: Upstream, tmp_path: Path) -> None:
    settings = settings_for(upstream)
    (tmp_path / "dns64.json").write_text(settings.to_json())
    with worker(tmp_path) as first, worker(tmp_path) as second:
        assert first.end() == 0
        # The first took nothing along that was the second's.
        assert second.pid() == second.process.pid
        assert ask(settings) and second.stats()["answers"]


def test_it_does_not_start_with_bad_settings_nor_where_the_port_is_held(upstream: Upstream, tmp_path: Path) -> None:
    file = tmp_path / "dns64.json"
    file.write_text('{"listen": []}')
    made = Worker(tmp_path)
    assert made.process.wait(DEADLINE) == 1
    assert "upstreams: is missing" in made.log.read_text()
    settings = settings_for(upstream)
    file.write_text(settings.to_json())
    with socket.socket(type=socket.SOCK_DGRAM) as holder:
        holder.bind((LOOPBACK, settings.listen[0].port))
        made = Worker(tmp_path)
        assert made.process.wait(DEADLINE) == 1
    log = made.log.read_text()
    assert f"{LOOPBACK} port {settings.listen[0].port}, UDP" in log and "Traceback" not in log
    assert made.pid() is None
