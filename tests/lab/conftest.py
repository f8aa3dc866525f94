# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Labs for the tests: the ones that users get, under names of their own, taken away at the end whatever happens."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator

import pytest

from v6native.lab import lab as labs
from v6native.lab.edge import Arrangement
from v6native.lab.estate import Estate


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
