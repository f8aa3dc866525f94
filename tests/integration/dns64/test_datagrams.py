# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Random datagrams do not stop the worker, nor take its memory (`make fuzz` sends ten million of them)."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.fuzz.datagrams import GROWTH, send

COUNT = {"fast": 50_000, "nightly": 1_000_000}[os.environ.get("V6NATIVE_COUNT", "fast")]


@pytest.mark.timeout(900)
def test_random_datagrams_are_all_accounted_for_and_leave_nothing(rng: random.Random, tmp_path: Path) -> None:
    outcome = send(COUNT, rng.getrandbits(32), tmp_path)
    assert outcome.counted == outcome.sent == COUNT, "each of them is in the statistics once"
    assert outcome.after < outcome.before + GROWTH
