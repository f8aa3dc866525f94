# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The worker with a real unbound: it resolves, follows its settings, and neither outlives the other."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from secrets import token_hex

import pytest

from tests.integration.dns64.scripted import LOOPBACK, Upstream, dns64, eventually, free_port, zone
from tests.integration.dns64.scripted import addresses as told
from tests.integration.dns64.test_service import RECORDS
from v6native.config.modeldns import (
    DnsRecord,
    DnsZone,
    RecordType,
)
from v6native.config.modeldns import (
    Upstream as Resolver,
)
from v6native.daemon.launcher import ProcessLauncher
from v6native.daemon.workers import unbound_itself
from v6native.dns64.settings import UpstreamServer
from v6native.paths import Paths
from v6native.unbound.settings import UnboundSettings
from v6native.unbound.worker import PACKAGES, state_folder

ANCHOR = Path("/usr/share/dns/root.key")
PREF64 = IPv6Network("2001:db8:64:64::/96")


@dataclass
class Running:
    folder: Path
    instance: str
    process: subprocess.Popen[bytes]
    port: int

    def dig(self, *arguments: str) -> list[str]:
        command = ["dig", "@::1", "-p", str(self.port), "+short", "+tries=1", "+time=3", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        return done.stdout.split() if done.returncode == 0 else []

    def document(self) -> dict[str, object]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stats:
            stats.settimeout(5)
            stats.connect(str(self.folder / "unbound.sock"))
            text = b""
            while part := stats.recv(65536):
                text += part
        found = json.loads(text)
        assert isinstance(found, dict)
        return found

    def write(self, settings: UnboundSettings) -> None:
        (self.folder / "unbound.json").write_text(settings.to_json())

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(zone(RECORDS)) as running:
        yield running


@pytest.fixture
def settings(upstream: Upstream) -> UnboundSettings:
    """As the DNS64 itself, with the scripted zone behind."""
    return UnboundSettings(
        listen=(IPv6Address("::1"),),
        port=free_port(),
        allow=(ip_network("::1/128"),),
        trust_anchor=str(ANCHOR),
        pref64=PREF64,
        zones=(DnsZone("example", (Resolver(IPv4Address(LOOPBACK), upstream.port),)),),
        records=(DnsRecord("printer.home.arpa", RecordType.AAAA, "2001:db8:1::9"),),
        serve_stale=False,
    )


@pytest.fixture
def running(settings: UnboundSettings, tmp_path: Path) -> Iterator[Running]:
    instance = f"t{token_hex(3)}"
    (tmp_path / "unbound.json").write_text(settings.to_json())
    argv = [
        sys.executable,
        "-m",
        "v6native.unbound",
        "--config",
        str(tmp_path / "unbound.json"),
        "--instance",
        instance,
    ]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    one = Running(tmp_path, instance, process, settings.port)
    try:
        eventually(lambda: one.dig("printer.home.arpa", "AAAA") or one.process.poll() is not None, "unbound answers")
        yield one
    finally:
        one.process.terminate()
        one.process.wait(10)
        assert not state_folder(tmp_path, instance).exists()


def gone(pid: int) -> bool:
    """Dead, or a zombie that nobody has reaped."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_it_answers_and_tells_its_numbers(running: Running) -> None:
    assert running.dig("v4only.example", "AAAA") == ["2001:db8:64:64::c633:6450"]
    assert running.dig("printer.home.arpa", "AAAA") == ["2001:db8:1::9"]
    assert running.dig("-x", "::1")[:1] == ["localhost."]
    document = running.document()
    numbers = document["numbers"]
    assert isinstance(numbers, dict) and numbers["total_num_queries"] >= 3
    assert document["listen"] == [f"::1#{running.port}"]


def test_behind_the_dns64(running: Running, settings: UnboundSettings) -> None:
    """As `upstream = ["own"]` has it: the DNS64 in front synthesizes."""
    running.write(replace(settings, pref64=None))
    running.process.send_signal(signal.SIGHUP)
    eventually(lambda: running.dig("v4only.example", "AAAA") == [], "it synthesizes no more")
    with dns64(upstreams=(UpstreamServer(IPv6Address("::1"), running.port),)) as front:
        assert told(front.ask("v4only.example", "AAAA")) == ["2001:db8:64:64::c633:6450"]


def test_other_records_and_another_port(running: Running, settings: UnboundSettings) -> None:
    other = replace(settings, records=(DnsRecord("printer.home.arpa", RecordType.AAAA, "2001:db8:1::10"),))
    running.write(other)
    running.process.send_signal(signal.SIGHUP)
    eventually(lambda: running.dig("printer.home.arpa", "AAAA") == ["2001:db8:1::10"], "the new record is told")
    running.port = free_port()
    running.write(replace(other, port=running.port))
    running.process.send_signal(signal.SIGHUP)
    eventually(lambda: running.dig("printer.home.arpa", "AAAA") == ["2001:db8:1::10"], "it answers at the other port")


def test_a_configuration_that_is_no_good_changes_nothing(running: Running, settings: UnboundSettings) -> None:
    for text, why in (
        ("{", "not JSON"),
        (replace(settings, trust_anchor="/nowhere/root.key").to_json(), "root.key"),
    ):
        (running.folder / "unbound.json").write_text(text)
        running.process.send_signal(signal.SIGHUP)
        eventually(lambda why=why: why in running.log, "it is told")  # type: ignore[misc]
        assert running.dig("printer.home.arpa", "AAAA") == ["2001:db8:1::9"]


def test_the_worker_ends_with_unbound(running: Running) -> None:
    """The daemon starts it again."""
    pid = running.document()["unbound_pid"]
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)
    assert running.process.wait(10) == 1
    assert "it ended with -9" in running.log


def test_the_next_worker_ends_what_a_killed_one_left(running: Running) -> None:
    pid = running.document()["unbound_pid"]
    assert isinstance(pid, int)
    running.process.kill()
    running.process.wait(10)
    assert int((state_folder(running.folder, running.instance) / "unbound.pid").read_text()) == pid
    (running.folder / "instance").write_text(running.instance)
    assert ProcessLauncher().find(unbound_itself(Paths(etc=running.folder, run=running.folder))) == pid
    running.process = subprocess.Popen(running.process.args, stdin=subprocess.DEVNULL)
    eventually(lambda: gone(pid), "the old unbound has ended")
    eventually(lambda: running.dig("printer.home.arpa", "AAAA") == ["2001:db8:1::9"], "the new one answers")


def test_a_configuration_that_is_no_good_at_the_start(settings: UnboundSettings, tmp_path: Path) -> None:
    (tmp_path / "unbound.json").write_text(replace(settings, trust_anchor="/nowhere/root.key").to_json())
    argv = [
        sys.executable,
        "-m",
        "v6native.unbound",
        "--config",
        str(tmp_path / "unbound.json"),
        "--instance",
        "t-none",
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1 and "/nowhere/root.key" in done.stderr
    assert not state_folder(tmp_path, "t-none").exists()


def test_its_files_lie_where_the_package_lets_it_read() -> None:
    """Debian's AppArmor profile for unbound: /var/lib/unbound/**, and little else."""
    profile = Path("/etc/apparmor.d/usr.sbin.unbound").read_text()
    assert "var/lib/unbound/** r," in profile
    assert state_folder(Path("/run/x"), "y").is_relative_to(PACKAGES)
