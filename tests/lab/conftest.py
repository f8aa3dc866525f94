# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Labs for the tests: the ones that users get, under names of their own, taken away at the end whatever happens."""

from __future__ import annotations

import contextlib
import os
import random
import secrets
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.conftest import SEED
from v6native.lab import lab as labs
from v6native.lab.edge import Arrangement
from v6native.lab.estate import Estate

OTHERS = 0.05
"""For so many of the scenarios another arrangement is drawn, which may be the first again."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """At the reduced count, of a scenario that was selected in several arrangements: the first, and now and then another."""
    if os.environ.get("V6NATIVE_COUNT") == "nightly":
        return
    same: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if isinstance(item, pytest.Function) and item.originalname == "test_scenario":
            same[item.callspec.params["scenario"].key].append(item)
    draw = random.Random(config.stash[SEED])
    spared: set[pytest.Item] = set()
    for several in same.values():
        also = draw.choice(several) if draw.random() < OTHERS else several[0]
        spared |= set(several) - {several[0], also}
    if spared:
        config.hook.pytest_deselected(items=sorted(spared, key=items.index))
        items[:] = [item for item in items if item not in spared]


@contextlib.contextmanager
def new_estate() -> Iterator[Estate]:
    """A lab's name that nobody uses; what is left of it at the end is removed."""
    estate = Estate(f"t{secrets.token_hex(3)}")
    try:
        yield estate
    finally:
        labs.down(estate)


@pytest.fixture
def estate() -> Iterator[Estate]:
    with new_estate() as new:
        yield new


@pytest.fixture(scope="session")
def bare_lab() -> Iterator[labs.Lab]:
    """The topology without v6native."""
    with new_estate() as new:
        yield labs.up(new, Arrangement.SHARED, bare=True)
