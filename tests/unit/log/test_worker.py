# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The worker's process, before it does anything."""

from __future__ import annotations

import subprocess
import sys

from tests.unit.cli.test_verbs import environment


def test_it_loads_little() -> None:
    """It is to be back within a second of its death: the file's schema alone takes half of one."""
    code = "import sys, v6native.log.process; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert not {"pydantic", "starlette", "pyroute2", "click"} & set(done.stdout.split())
