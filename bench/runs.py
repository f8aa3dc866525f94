# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Rounds, medians and spreads. What is compared is measured back to back in each round, in alternating order."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

Samples = Mapping[str, Sequence[float]]
"""By name, one number a round."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A median, and the smallest and largest of the same rounds."""

    median: float
    smallest: float
    largest: float

    @classmethod
    def of(cls, numbers: Iterable[float]) -> Spread:
        listed = list(numbers)
        return cls(statistics.median(listed), min(listed), max(listed))


def rounds(ways: Mapping[str, Callable[[], float]], count: int, say: Callable[[str], None], what: str = "") -> Samples:
    """`count` rounds of all; every other one runs backwards, so that a slow drift of the machine cancels out."""
    samples: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(count):
        for name in ways if turn % 2 == 0 else reversed(list(ways)):
            say(f"{what}round {turn + 1} of {count}: {name}")
            samples[name].append(ways[name]())
    return samples


def ratios(samples: Samples, name: str, beside: str, *, inverse: bool = False) -> Spread:
    """Round by round, `name` as a part of `beside`; `inverse` where less is more, as of nanoseconds."""
    pairs = zip(samples[name], samples[beside], strict=True)
    return Spread.of(there / here if inverse else here / there for here, there in pairs)
