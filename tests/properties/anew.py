# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""For properties whose draws depend on what the BPF program does, which chooses ports at random."""

from __future__ import annotations

import functools
from collections.abc import Callable

import hypothesis
from hypothesis.errors import FlakyStrategyDefinition

TURNS = 20


def anew(test: Callable[..., None]) -> Callable[..., None]:
    """The property from the beginning, with other draws, where the same draws did not lead to the same tables again.

    hypothesis cannot go on then. A failure is none of these: it is reported as ever.
    """

    @functools.wraps(test)
    def again(*args: object, **named: object) -> None:
        seed = getattr(again, "_hypothesis_internal_use_seed", None)
        for turn in range(TURNS):
            try:
                hypothesis.seed(f"{seed}:{turn}")(test)(*args, **named)
            except FlakyStrategyDefinition:
                if turn == TURNS - 1:
                    raise
            else:
                return

    return again
