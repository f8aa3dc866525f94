# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The verbs that need no daemon, and what becomes of errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from tests.unit.cli.twin import app
from tests.unit.daemon.rig import FILE
from v6native import __version__
from v6native.cli.main import VERBS, cli


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "network.toml").write_text(FILE)
    return tmp_path


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, words, obj=app(folder, sessions=5))


def document(result: Result) -> Any:
    return json.loads(result.stdout)


def test_version(folder: Path) -> None:
    assert run(folder, "--version").stdout == f"v6native {__version__}\n"


def test_a_verb_is_loaded_when_it_is_asked_for() -> None:
    """A schema, an HTTP server and netlink take half a second to load; printing the version takes none of them."""
    code = (
        "import sys; from v6native.cli.main import cli; cli(['--version'], standalone_mode=False); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert not {"pydantic", "rich", "starlette", "pyroute2", "http.client"}.intersection(done.stdout.split())


@pytest.mark.parametrize("verb", [*(v for v in VERBS if v not in ("lab", "dns")), "dns top"])
def test_every_verb_has_help_and_json(folder: Path, verb: str) -> None:
    result = run(folder, *verb.split(), "--help")
    assert result.exit_code == 0
    assert "--json" in result.stdout


def test_wrong_usage_is_2(folder: Path) -> None:
    assert run(folder, "plan", "--frobnicate").exit_code == 2
    assert run(folder, "sessions", "--client", "nonsense").exit_code == 2
    assert run(folder, "frobnicate").exit_code == 2


def test_check_of_a_good_file(folder: Path) -> None:
    result = run(folder, "check", "--json")
    assert (result.exit_code, document(result)["ok"]) == (0, True)


def test_check_tells_all_errors_with_their_lines(folder: Path) -> None:
    (folder / "etc" / "network.toml").write_text(FILE.replace("pool4", "pol4").replace('"lab"', "7"))
    result = run(folder, "check")
    assert result.exit_code == 1
    assert "network.toml:2: error:" in result.stdout and "network.toml:9: error:" in result.stdout
    assert "did you mean pool4?" in result.stdout
    found = document(run(folder, "check", "--json"))["problems"]
    assert [p["line"] for p in found if p["severity"] == "error"] == [2, 9]


def test_a_missing_file_is_a_problem_not_a_traceback(folder: Path) -> None:
    (folder / "etc" / "network.toml").unlink()
    result = run(folder, "plan")
    assert result.exit_code == 1
    assert "network.toml" in result.stderr and "Traceback" not in result.output


def test_plan_lists_and_changes_nothing(folder: Path) -> None:
    first, second = run(folder, "plan"), run(folder, "plan")
    assert first.exit_code == 0 and first.stdout == second.stdout
    assert "add interfaces nat64 and nat64-x" in first.stdout
    assert "changes would be made." in first.stdout
    changes = document(run(folder, "plan", "--json"))["changes"]
    assert {"action", "text", "details"} == set(changes[0])


def test_lists_without_a_daemon(folder: Path) -> None:
    assert len(document(run(folder, "sessions", "--json"))) == 5
    assert len(document(run(folder, "bib", "--json"))) == 5
    assert len(document(run(folder, "sessions", "--json", "--port", "4001"))) == 1
    assert document(run(folder, "sessions", "--json", "--proto", "udp")) == []
    assert len(document(run(folder, "sessions", "--json", "--limit", "2"))) == 2
    text = run(folder, "sessions", "--state", "established", "--remote", "198.51.100.0/24").stdout
    assert text.splitlines()[0].split()[:3] == ["PROTO", "CLIENT", "POOL"]
    assert "[2001:db8:64:1::5]:4000" in text


def test_down_without_a_daemon(folder: Path) -> None:
    result = run(folder, "down")
    assert result.exit_code == 0
    assert "Nothing of v6native is on this host." in result.stdout


@pytest.mark.parametrize("verb", ["reload", "status"])
def test_what_needs_a_daemon_says_so_in_one_sentence(folder: Path, verb: str) -> None:
    result = run(folder, verb)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1 and "v6native up" in result.stderr


def test_an_error_is_json_too(folder: Path) -> None:
    result = run(folder, "reload", "--json")
    assert result.exit_code == 1
    assert document(result)["error"]["code"] == "unreachable"


def test_nothing_to_confirm_is_a_problem(folder: Path) -> None:
    assert run(folder, "confirm").exit_code == 1


def test_a_bug_is_one_sentence_and_a_log(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("V6NATIVE_DEBUG", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("v6native.daemon.host.HostNode.preview", lambda *_: 1 / 0)
    result = run(folder, "plan")
    assert result.exit_code == 3
    assert len(result.stderr.splitlines()) == 1 and "Traceback" not in result.output
    log = Path(result.stderr.rsplit(" ", 1)[1].strip())
    assert "ZeroDivisionError" in log.read_text()
    monkeypatch.setenv("V6NATIVE_DEBUG", "1")
    assert run(folder, "plan").exit_code == 3


def test_a_reader_that_leaves_is_no_error(folder: Path) -> None:
    """`v6native sessions | head -1`."""
    command = [sys.executable, "-m", "tests.unit.cli.twin", str(folder), "sessions"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def test_every_verb_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "reference" / "cli.md").read_text()
    for name in VERBS:
        verb = cli.get_command(click.Context(cli), name)
        assert verb is not None and f"## {name}" in text
        for option in verb.params:
            if isinstance(option, click.Option):
                assert f"`{option.opts[0]}" in text, f"{name} {option.opts[0]}"
