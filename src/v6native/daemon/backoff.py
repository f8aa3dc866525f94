# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""When to try again: at once after the first failure, then more and more rarely while failures follow each other."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds. A run of `steady` seconds forgives all earlier failures.

    `failures` is how many followed each other; the first waits `first`, each later one twice as long, up to `ceiling`.
    """

    first: float = 0.1
    ceiling: float = 30.0
    steady: float = 10.0
    failures: int = 0
    started: float | None = None

    def start(self, now: float) -> Backoff:
        return replace(self, started=now)

    def fail(self, now: float) -> Backoff:
        lived = self.started is not None and now - self.started >= self.steady
        return replace(self, failures=1 if lived else self.failures + 1, started=None)

    @property
    def delay(self) -> float:
        """How long to wait before the next try; 0 where nothing has failed yet."""
        if self.failures == 0:
            return 0.0
        # The exponent is bounded: a worker that fails for weeks must not overflow a float.
        return min(self.ceiling, self.first * 2.0 ** min(self.failures - 1, 32))
