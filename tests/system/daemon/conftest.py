# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the daemon's system tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.daemon.machine import Machine
from tests.system.daemon.machine import machine as make_machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine that never saw v6native."""
    with make_machine(tmp_path) as made:
        yield made
