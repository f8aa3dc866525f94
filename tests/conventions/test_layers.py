# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Imports point left; only the doors touch the outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conventions.layers import ALLOWED, FOREIGN, breaches
from tests.conventions.tree import PACKAGE, shown

MODULES = sorted(PACKAGE.rglob("*.py"))


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 20


@pytest.mark.parametrize("file", MODULES, ids=shown)
def test_imports_point_left(file: Path) -> None:
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    module = ".".join(parts[:-1] if is_package else parts)
    found = breaches(file.read_text(), module, is_package)
    assert not found, "\n".join(f"{shown(file)}:{breach.line}: {breach.module} {breach.what}" for breach in found)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("desired.routes", "from v6native.system import netlink"),
        ("desired.routes", "import v6native.plan.diff"),
        ("desired.routes", "from ..plan import diff"),
        ("address", "from v6native import config"),
        ("translate.icmp", "from v6native.config.model import Config"),
        ("dataplane.loader", "def late():\n    from v6native.daemon import core"),
        ("daemon.core", "import pyroute2.netlink"),
        ("daemon.core", "from subprocess import run"),
        ("cli.lab", "import os\nos.execvp('ip', ['ip'])"),
        ("plan.diff", "from ctypes import CDLL"),
        ("system.wg", "from v6native.cli.main import main"),
        ("novelty", ""),
        ("lab.web", "import scapy.all"),
        ("lab.web", "from bench.tcp import serve"),
    ],
)
def test_a_breach_is_seen(module: str, source: str) -> None:
    assert breaches(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("plan.diff", "from v6native.desired.state import Route\nfrom v6native.plan.actual import Actual"),
        ("cli.main", "from v6native import __version__\nfrom .status import status"),
        ("system.netlink", "import pyroute2"),
        ("errors", "from v6native.config.problem import ConfigProblem"),
    ],
)
def test_what_the_table_allows_is_no_breach(module: str, source: str) -> None:
    assert not breaches(source, module)


def test_the_table_has_no_cycle() -> None:
    """A cycle would let two layers lean on each other, and the picture in ARCHITECTURE.md would be wrong."""
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " → ".join((*path, name))
        if name in done:
            return
        for needed in ALLOWED.get(name, frozenset()):
            visit(needed, (*path, name))
        done.add(name)

    for name in ALLOWED:
        visit(name, ())


def test_scapy_and_pytest_are_for_tests_only() -> None:
    assert FOREIGN["scapy"] == FOREIGN["pytest"] == ()
