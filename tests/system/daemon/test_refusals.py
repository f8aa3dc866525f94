# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What a machine lacks is said in one plain sentence, and nothing was touched."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.system.daemon.machine import V6NATIVE, Machine

pytestmark = pytest.mark.root


def refused(machine: Machine, words: list[str], sentence: str) -> None:
    before = machine.picture()
    result = machine.run(*words, check=False)
    assert result.returncode == 1, result.stderr
    assert sentence in result.stderr and "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert machine.picture() == before


def test_no_root(machine: Machine) -> None:
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    for folder in (machine.folder, *machine.folder.parents):
        if folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(0o755)
    (machine.folder / "run").chmod(0o777)
    if Path(sys.executable).stat().st_mode & 0o005 == 0:
        pytest.fail("the interpreter cannot be run by others")
    refused(machine, [*nobody, *V6NATIVE, "up"], "needs root")


def test_no_bpf_file_system(machine: Machine) -> None:
    machine.run("umount", str(machine.folder / "bpffs"))
    refused(machine, [*V6NATIVE, "up"], "no BPF file system is mounted")


def test_no_nft(machine: Machine) -> None:
    tools = machine.folder / "tools"
    tools.mkdir()
    for tool in ("ip", "wg"):
        (tools / tool).symlink_to(shutil.which(tool) or tool)
    refused(machine, ["env", f"PATH={tools}", *V6NATIVE, "up"], "nft is not installed")
