# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Commands that fail say why; processes that outlive us are found again, and never mistaken for others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from v6native.errors import EnvironmentRefused, SystemActionError
from v6native.system.files import write_atomically
from v6native.system.processes import Service, run, start_time


def test_a_commands_own_words_are_in_the_error() -> None:
    with pytest.raises(SystemActionError, match=r"`ls /nowhere/at/all` failed: .*/nowhere/at/all"):
        run(["ls", "/nowhere/at/all"])


def test_a_command_that_is_not_installed_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EnvironmentRefused, match="apt-get install wireguard-tools"):
        run(["wg", "show"])


def test_a_command_that_hangs_is_ended() -> None:
    with pytest.raises(SystemActionError, match=r"did not end within 0\.1 s"):
        run(["sleep", "60"], timeout=0.1)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service("sleeper", ("sleep", "600"), tmp_path)
    yield made
    made.stop()


def test_a_service_is_started_found_and_ended(service: Service) -> None:
    assert service.find() is None
    pid = service.start()
    assert Service(service.name, service.argv, service.run).find() == pid
    assert service.start() == pid, "a running one is adopted"
    assert os.getsid(pid) == pid, "it does not die with our terminal"
    service.stop()
    assert start_time(pid) is None
    assert not service.pid_file.exists()


def test_a_pid_file_that_names_somebody_else_is_not_believed(service: Service) -> None:
    """Neither another process with that pid, nor our own of another command line."""
    write_atomically(service.pid_file, f"{os.getpid()} {start_time(os.getpid())}\n")
    assert service.find() is None
    write_atomically(service.pid_file, f"{os.getpid()} 1\n")
    assert service.find() is None
    write_atomically(service.pid_file, "rubbish")
    assert service.find() is None
    service.stop()
    assert start_time(os.getpid()) is not None


def test_a_service_that_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentRefused, match="is not installed"):
        Service("no", ("v6native-no-such-program",), tmp_path).start()


def test_a_file_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "key"
    write_atomically(file, "one", 0o600)
    write_atomically(file, "two", 0o600)
    assert file.read_text() == "two"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["key"]
