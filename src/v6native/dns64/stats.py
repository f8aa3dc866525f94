# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the worker counts, and the JSON document of its stats socket.

A counter is a list of one number, so that the hot path can keep hold of it. No names and no clients in here.
The document has plain numbers, objects of plain numbers, and lists of text, so that metrics can be made of it blindly.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

from v6native.dns64 import wire

Cell = list[int]

_TYPES = {wire.A: "A", wire.AAAA: "AAAA", wire.PTR: "PTR", wire.HTTPS: "HTTPS"}


# Bounds of the upstreams' latency, seconds; above the last: until the question is given up.
LATENCY = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


class Histogram:
    """How long something took, by bounds."""

    def __init__(self) -> None:
        self._counts = [0] * (len(LATENCY) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(LATENCY, seconds)] += 1
        self._sum += seconds

    def document(self) -> dict[str, float]:
        """How many took at most so long, as Prometheus has it, and under "sum" all their seconds."""
        bounds = (*map(str, LATENCY), "+Inf")
        return dict(zip(bounds, accumulate(self._counts), strict=True)) | {"sum": round(self._sum, 6)}


class Stats:
    """`answers` by transport, type of the question, how the answer came about, and rcode; `events` by name."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str, str, str], Cell] = {}
        self._events: dict[str, Cell] = {}
        self.upstream = Histogram()

    def answer_cell(self, transport: str, kind: int, origin: str, rcode: int) -> Cell:
        """The counter of answers of this sort; the number of sorts is bounded, whatever clients ask."""
        key = (transport, _TYPES.get(kind, "other"), origin, wire.RCODES.get(rcode, "other"))
        return self._answers.setdefault(key, [0])

    def count(self, event: str, number: int = 1) -> None:
        self._events.setdefault(event, [0])[0] += number

    def event_cell(self, event: str) -> Cell:
        return self._events.setdefault(event, [0])

    def answered(self) -> int:
        """Questions with an answer, but for those that were refused or made no sense."""
        return sum(cell[0] for sort, cell in self._answers.items() if sort[2] not in ("refused", "malformed"))

    def document(self) -> dict[str, object]:
        """`answers` by "transport type origin rcode", and `events` by name."""
        return {
            "answers": {" ".join(sort): cell[0] for sort, cell in sorted(self._answers.items())},
            "events": {name: cell[0] for name, cell in sorted(self._events.items())},
            "upstream_seconds": self.upstream.document(),
        }
