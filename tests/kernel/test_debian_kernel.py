# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""v6native on the oldest kernel that it promises to run on: Debian 12's own, 6.1."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.kernel import debian, guest

TREE = Path(__file__).resolve().parents[2]
# With V6NATIVE_PACKETS=all every packet pair is run there, else every eighth.
LIMIT_S = 3600.0 if os.environ.get("V6NATIVE_PACKETS") == "all" else 480.0

pytestmark = [pytest.mark.kernel, pytest.mark.root, pytest.mark.timeout(LIMIT_S + 120)]


@pytest.fixture(scope="module")
def reports() -> dict[str, str]:
    """What each section of inside.sh ended with; one boot serves all tests of this file."""
    folder = TREE / "build" / "kernel"
    try:
        return guest.run(debian.kernel(folder), TREE, folder, LIMIT_S)
    except guest.GuestFailed as why:
        pytest.fail(str(why), pytrace=False)


def test_the_guest_runs_debian_12s_kernel(reports: dict[str, str]) -> None:
    assert reports.get("release", "").startswith("6.1.0-")


def test_all_of_it_ends_in_time(reports: dict[str, str]) -> None:
    assert reports.get("ended") == "0", f"the guest was still running after {LIMIT_S:g} s"


def test_every_module_is_there(reports: dict[str, str]) -> None:
    assert "modules" not in reports


@pytest.mark.parametrize("section", ["objects", "download", "packets"])
def test_section(reports: dict[str, str], section: str) -> None:
    """objects: each one loads; packets: pairs of them; download: the lab's, through the kernel's own WireGuard."""
    assert reports.get(section) == "0"
