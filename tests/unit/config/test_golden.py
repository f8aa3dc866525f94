# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What an operator reads: each tests/golden/config/NAME.toml with its NAME.txt.

V6NATIVE_GOLDEN=write writes the expectation anew, for a person to read before it is committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from v6native.config.load import load
from v6native.config.render import render_errors, render_problems
from v6native.errors import ConfigError

GOLDEN = Path(__file__).parents[2] / "golden" / "config"
CASES = sorted(path.stem for path in GOLDEN.glob("*.toml"))


@pytest.mark.parametrize("name", CASES)
def test_messages(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOLDEN)
    clients = Path(f"{name}.clients.d")
    try:
        printed = render_problems(load(Path(f"{name}.toml"), clients if clients.exists() else None).warnings)
    except ConfigError as error:
        printed = render_errors(error)
    expected = GOLDEN / f"{name}.txt"
    if os.environ.get("V6NATIVE_GOLDEN") == "write":
        expected.write_text(printed + "\n")
    assert printed + "\n" == expected.read_text()


def test_there_are_cases() -> None:
    assert {"everything-wrong", "overlaps", "clients"} <= set(CASES)
