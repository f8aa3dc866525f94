# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The linters run as tests, so that one command says whether a change may land."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conventions.tree import ROOT, named


def _passes(*argv: str) -> None:
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    if done.returncode != 0:
        pytest.fail(f"`{' '.join(argv[:6])}` found:\n{done.stdout[-6000:]}{done.stderr[-2000:]}", pytrace=False)


def test_ruff_finds_nothing() -> None:
    _passes(sys.executable, "-m", "ruff", "check", "--no-fix", ".")


def test_python_is_formatted() -> None:
    _passes(sys.executable, "-m", "ruff", "format", "--check", ".")


def test_types_hold() -> None:
    _passes(sys.executable, "-m", "mypy")


def test_c_is_formatted() -> None:
    assert shutil.which("clang-format"), "clang-format is not installed; run `sudo make setup`."
    sources = named("*.c", "*.h")
    assert sources, "bpf/ holds no C file"
    _passes("clang-format", "--dry-run", "-Werror", *map(str, sources))


@pytest.mark.parametrize("script", named("*.sh"), ids=lambda script: script.name)
def test_shell_scripts_parse(script: Path) -> None:
    _passes("sh", "-n", str(script))
