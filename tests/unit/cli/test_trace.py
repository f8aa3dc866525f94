# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native trace` without a daemon: out of the kernel, by twins."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.packets.build import udp6
from tests.unit.daemon.rig import FILE, FakeDoors
from v6native.cli.app import App
from v6native.cli.main import cli
from v6native.daemon.host import HostNode
from v6native.dataplane.door import Reason, Refused, Translator
from v6native.paths import Paths

STRANGER = Reason("SOURCE_NOT_ALLOWED", "ANSWERED", "the source may not use this translator")


def refused(port: int) -> Refused:
    packet = udp6(sport=port, src="2001:db8:9::1")
    return Refused(Translator.NAT64, STRANGER, 0.0, "nat64-x", 0x10, len(packet), packet)


@pytest.fixture
def trace(tmp_path: Path) -> tuple[FakeDoors, Callable[..., Result]]:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "network.toml").write_text(FILE)
    doors = FakeDoors()

    def run(*words: str) -> Result:
        paths = Paths(tmp_path / "etc", tmp_path / "run", tmp_path / "var", tmp_path / "bpffs")
        app = App(paths, None, lambda _paths, name: HostNode(paths, name, doors))
        return CliRunner().invoke(cli, ["trace", *words], obj=app)

    return doors, run


def test_the_remedy_is_told_once(trace: tuple[FakeDoors, Callable[..., Result]]) -> None:
    doors, run = trace
    plane = doors.machine.dataplane
    plane.refused, plane.lost = [refused(7), refused(8), refused(9)], 5
    result = run("--count", "2")
    assert result.exit_code == 0, result.output
    first, text, remedy, second, summary = result.stdout.splitlines()
    assert first[12:].startswith(
        " nat64-x SOURCE_NOT_ALLOWED [2001:db8:9::1]:7 → [2001:db8:64:64::c633:6450]:53 UDP, 96 bytes"
    )
    assert first.endswith(", mark 0x10") and ":8 →" in second
    assert (text, remedy[:7]) == ("  the source may not use this translator", "  -> if")
    assert summary == "2 refused packets shown; 5 were not, too many at once."
    assert plane.watched == 0, "nothing is left on"


def test_as_json_it_is_an_object_a_line(trace: tuple[FakeDoors, Callable[..., Result]]) -> None:
    doors, run = trace
    doors.machine.dataplane.refused = [refused(7)]
    lines = [json.loads(line) for line in run("--count", "1", "--json").stdout.splitlines()]
    assert [line.get("reason") for line in lines] == ["SOURCE_NOT_ALLOWED", None]
    assert lines[-1] == {"shown": 1, "lost": 0}


def test_a_wrong_reason_is_a_problem(trace: tuple[FakeDoors, Callable[..., Result]]) -> None:
    _, run = trace
    result = run("--reason", "NONSENSE")
    assert result.exit_code == 1 and "that is no refusal; they are SOURCE_NOT_ALLOWED" in result.stderr
