# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition with a deadline, instead of sleeping and hoping."""

from __future__ import annotations

import time
from collections.abc import Callable

from v6native.errors import LabError

POLL = 0.02
"""Seconds between two looks; short against what is waited for, long against what a look costs."""


def wait_until(condition: Callable[[], bool], seconds: float, why: Callable[[], str] | str) -> None:
    """Return as soon as `condition` holds; LabError with `why` when `seconds` pass without it."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(f"{why if isinstance(why, str) else why()} (waited {seconds:g} s)")
        time.sleep(POLL)
