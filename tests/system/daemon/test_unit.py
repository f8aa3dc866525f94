# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The systemd unit is valid, and names only what is there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[3] / "packaging" / "v6native.service"


def verify(folder: Path, text: str) -> str:
    unit = folder / "v6native.service"
    unit.write_text(text)
    tool = shutil.which("systemd-analyze")
    assert tool is not None, "systemd-analyze is not installed: apt-get install systemd"
    return subprocess.run(
        [tool, "verify", "--man=no", unit], capture_output=True, text=True, timeout=60, check=False
    ).stderr


@pytest.fixture
def text() -> str:
    """The unit, with the command where this test can run it: it is searched in fixed folders otherwise."""
    return UNIT.read_text().replace("=v6native ", f"={sys.executable} ")


def test_the_unit_is_valid(tmp_path: Path, text: str) -> None:
    assert verify(tmp_path, text) == ""


def test_a_wrong_unit_would_be_seen(tmp_path: Path, text: str) -> None:
    assert verify(tmp_path, text.replace("KillMode=process", "KillMod=process")) != ""


def test_what_outlives_the_daemon_does() -> None:
    settings = dict(line.split("=", 1) for line in UNIT.read_text().splitlines() if "=" in line and line[0] != "#")
    assert settings["Type"] == "notify" and settings["KillMode"] == "process"
    assert settings["RuntimeDirectoryPreserve"] == "yes"
    assert settings["Restart"] == "on-failure", "down ends the daemon for good"
    assert {"ProtectSystem", "NoNewPrivileges", "CapabilityBoundingSet", "SystemCallFilter"} <= set(settings)
