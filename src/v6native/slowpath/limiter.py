# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""How many packets a source may send through the slow path, and all together: token buckets. Pure."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rates:
    """Packets a second, and at once."""

    total: float = 10000.0
    total_burst: float = 20000.0
    per_source: float = 2000.0
    per_source_burst: float = 4000.0
    sources: int = 4096


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float

    def take(self, rate: float, burst: float, now: float) -> bool:
        self.tokens = min(burst, self.tokens + max(now - self.at, 0.0) * rate)
        self.at = now
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True


class Limiter:
    """The buckets; the source that was quiet longest is forgotten when there are too many."""

    def __init__(self, rates: Rates, now: float) -> None:
        self._rates = rates
        self._total = _Bucket(rates.total_burst, now)
        self._sources: OrderedDict[bytes, _Bucket] = OrderedDict()

    def allow(self, source: bytes, now: float) -> bool:
        """Whether one more packet of that source may pass. One that its own bucket refuses costs the others nothing."""
        bucket = self._sources.get(source)
        if bucket is None:
            while len(self._sources) >= self._rates.sources:
                self._sources.popitem(last=False)
            bucket = self._sources[source] = _Bucket(self._rates.per_source_burst, now)
        self._sources.move_to_end(source)
        if not bucket.take(self._rates.per_source, self._rates.per_source_burst, now):
            return False
        return self._total.take(self._rates.total, self._rates.total_burst, now)
