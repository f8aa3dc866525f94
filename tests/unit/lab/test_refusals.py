# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Who cannot have a lab is told so in one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from v6native.errors import EnvironmentRefused
from v6native.lab import lab as labs
from v6native.lab.edge import Arrangement
from v6native.lab.estate import Estate


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return Estate("nobodys", tmp_path / "labs", tmp_path / "bpf")


def test_without_root(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for act in (
        lambda: labs.up(estate, Arrangement.SHARED),
        lambda: labs.find(estate),
        lambda: labs.node(estate, "phone"),
        lambda: labs.down(estate),
    ):
        with pytest.raises(EnvironmentRefused, match="use sudo"):
            act()
    assert not estate.root.exists()


def test_without_a_tool(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(labs, "TOOLS", ("sh", "no-such-tool"))
    with pytest.raises(EnvironmentRefused, match="the lab needs no-such-tool: `make setup`"):
        labs.up(estate, Arrangement.SHARED)
    assert not estate.root.exists()
