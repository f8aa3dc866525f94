# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native who-had`: what it prints, and its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import IPv6Address
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.unit.cli.test_verbs import environment
from tests.unit.log.events import SECOND, SIZE, binding, block
from v6native.cli.app import App
from v6native.cli.main import cli
from v6native.dataplane.log_events import LogKind
from v6native.log.settings import LogSettings, NamedClient
from v6native.log.store import Store
from v6native.paths import Paths

# 2026-11-20T12:00:00Z is CLOCK_MONOTONIC 0.
BOOT = 1_795_176_000


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Paths]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    made = Paths(tmp_path / "etc", tmp_path / "run", tmp_path / "var", tmp_path / "bpffs")
    store = Store(made.log_database)
    store.begin("boot", BOOT * 1000)
    clients = (
        NamedClient(IPv6Address("2001:db8:64:a::2"), "laptop", "friends"),
        NamedClient(IPv6Address("2001:db8:64:1::1"), "edge1", None),
    )
    store.configure(LogSettings("edge1", 10**9, clients=clients), BOOT * 1000)
    laptop, home, own = "2001:db8:64:a::2/128", "2001:db8:64:1::/64", "2001:db8:64:1::1/128"
    store.write(
        [
            block(0, client=laptop, began=3600),
            block(0, client=laptop, began=3600, at=7200, kind=LogKind.BLOCK_GIVEN_BACK),
            block(0, client=home, began=7230),
            block(1, client=own, began=7200),
            binding(9000, 4000, proto=1, began=7200),
        ],
        BOOT * SECOND,
        "ring",
        1,
        (BOOT + 7300) * 1000,
    )
    store.close()
    yield made
    monkeypatch.undo()
    time.tzset()


def run(paths: Paths, *words: str) -> Result:
    return CliRunner().invoke(cli, ["who-had", *words], obj=App(paths))


def test_a_tunnels_client(paths: Paths) -> None:
    result = run(paths, "192.0.2.1:1030", "--at", "2026-11-20T14:30")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "192.0.2.1:1030, 2026-11-20 14:30:00 CET to 2026-11-20 14:30:59 CET (2026-11-20 13:30:00 UTC)",
        "  laptop (tunnel friends), 2001:db8:64:a::2",
        "    ports 1024-1087, all protocols",
        "    from 2026-11-20 14:00:00 CET to 2026-11-20 15:00:00 CET",
    ]


def test_two_in_one_minute(paths: Paths) -> None:
    """The report says 14:00 UTC: the minute in which the ports changed hands."""
    result = run(paths, "192.0.2.1:1030", "--at", "2026-11-20T14:00", "--tz", "UTC")
    assert result.stdout.splitlines() == [
        "192.0.2.1:1030, 2026-11-20 14:00:00 UTC to 2026-11-20 14:00:59 UTC",
        "  laptop (tunnel friends), 2001:db8:64:a::2",
        "    ports 1024-1087, all protocols",
        "    from 2026-11-20 13:00:00 UTC to 2026-11-20 14:00:00 UTC",
        "  2001:db8:64:1::/64",
        "    ports 1024-1087, all protocols",
        "    from 2026-11-20 14:00:30 UTC until now",
    ]
    result = run(paths, "192.0.2.1:1030", "--at", "2026-11-20T14:00:31Z")
    assert "laptop" not in result.stdout


def test_the_node_itself_and_a_binding(paths: Paths) -> None:
    result = run(paths, f"192.0.2.1:{1024 + SIZE}", "--at", "2026-11-20T14:01Z")
    assert "  edge1 (this node), 2001:db8:64:1::1" in result.stdout.splitlines()
    result = run(paths, "192.0.2.1:9000", "--at", "2026-11-20T14:01Z")
    assert "    port 9000, udp, its own port 4000" in result.stdout.splitlines()
    assert run(paths, "192.0.2.1:9000", "--at", "2026-11-20T14:01Z", "--proto", "tcp").exit_code == 1


def test_nobody(paths: Paths) -> None:
    result = run(paths, "192.0.2.1:1", "--at", "2026-11-20T14:00:10Z")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1:] == ["  nobody"]


def test_what_the_log_cannot_know(paths: Paths) -> None:
    result = run(paths, "192.0.2.1:1030", "--at", "2026-11-20T11:00Z", "--tz", "UTC")
    assert result.exit_code == 1
    assert "  The log goes back to 2026-11-20 12:00:00 UTC only." in result.stdout.splitlines()
    result = run(paths, "192.0.2.1:1030", "--at", "2026-11-20T15:00Z", "--tz", "UTC")
    silent = "  Nothing was logged since 2026-11-20 14:01:40 UTC: `v6native doctor` may know why."
    assert silent in result.stdout.splitlines()
    store = Store(paths.log_database)
    store.lose((BOOT + 7000) * 1000, (BOOT + 7100) * 1000, 3)
    store.close()
    result = run(paths, "192.0.2.1:1030", "--at", "2026-11-20T13:57Z")
    assert "  The log misses 3 events of that time: this may not be all." in result.stdout.splitlines()


def test_a_log_that_is_off(paths: Paths) -> None:
    store = Store(paths.log_database)
    store.switch_off((BOOT + 7300) * 1000)
    store.close()
    result = run(paths, "192.0.2.1:1030", "--at", "2026-11-20T14:01:30Z", "--tz", "UTC")
    until = "    from 2026-11-20 14:00:30 UTC to 2026-11-20 14:01:40 UTC, when the log was switched off"
    assert result.stdout.splitlines()[-1] == until
    result = run(paths, "192.0.2.1:1030", "--at", "2026-11-20T15:00Z")
    assert result.stdout.splitlines()[1:] == ["  nobody", "  The log was switched off for a part of that time."]


def test_json(paths: Paths) -> None:
    result = run(paths, "192.0.2.1:1030", "--at", "2026-11-20T13:30Z", "--json")
    assert json.loads(result.stdout) == {
        "address": "192.0.2.1",
        "port": 1030,
        "proto": None,
        "from": "2026-11-20T13:30:00.000Z",
        "to": "2026-11-20T13:30:59.999Z",
        "holders": [
            {
                "client": "2001:db8:64:a::2/128",
                "names": [{"name": "laptop", "tunnel": "friends"}],
                "proto": "all",
                "first_port": 1024,
                "last_port": 1087,
                "client_port": None,
                "static": False,
                "start": "2026-11-20T13:00:00.000Z",
                "end": "2026-11-20T14:00:00.000Z",
                "ended": "given_back",
            }
        ],
        "since": "2026-11-20T12:00:00.000Z",
        "seen": "2026-11-20T14:01:40.000Z",
        "lost": 0,
        "off": False,
        "cut": False,
    }


@pytest.mark.parametrize(
    "words",
    [
        ("192.0.2.1",),
        ("[2001:db8::1]:80",),
        ("192.0.2.1:80", "--at", "yesterday"),
        ("192.0.2.1:80", "--at", "2326-11-20"),
        ("192.0.2.1:80", "--tz", "Mars/Olympus"),
        ("192.0.2.1:80", "--proto", "sctp"),
    ],
)
def test_wrong_usage(paths: Paths, words: tuple[str, ...]) -> None:
    result = run(paths, *words)
    assert result.exit_code == 2 and "Traceback" not in result.output


def test_no_log_is_a_plain_problem(tmp_path: Path) -> None:
    result = run(Paths(tmp_path, tmp_path, tmp_path, tmp_path), "192.0.2.1:80")
    assert result.exit_code == 1
    assert "nothing was ever logged on this node" in result.stderr


def test_little_is_loaded(paths: Paths) -> None:
    """A tenth of a second is not enough for a schema, HTTP and netlink."""
    words = ["--var", str(paths.var), "--etc", str(paths.etc), "who-had", "192.0.2.1:1030"]
    code = f"import sys; from v6native.cli.main import cli; cli({words}, standalone_mode=False); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "v6native.log.lookup" in loaded
    assert not {"pydantic", "rich", "starlette", "pyroute2", "http.client", "v6native.config.model"} & loaded
