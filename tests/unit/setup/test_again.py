# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`make setup` once more, in the tree that the tests run in: it asks no network and changes nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def made() -> dict[str, tuple[int, int]]:
    """Owner and time of what set-up makes."""
    files = [ROOT / ".venv", ROOT / ".venv/bin/v6native", *(ROOT / "src/v6native/dataplane/objects").glob("*.o")]
    return {str(file): (file.stat().st_uid, file.stat().st_mtime_ns) for file in files}


@pytest.mark.root
def test_the_second_run_needs_no_network() -> None:
    before = made()
    # Not the make that runs the tests: it would wait for us.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    command = ["unshare", "--net", "make", "setup"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert made() == before
