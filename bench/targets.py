# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What v6native sets itself to reach, each held against a measured result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Result = dict[str, Any]
"""One subject's, as JSON holds it."""
PLAIN, NAT44 = "plain IPv6 forwarding", "nftables masquerade (IPv4)"
NAT64, FAST, CLAT = "v6native NAT64", "v6native NAT64, fast path", "v6native CLAT and NAT64"
TAYGA = "TAYGA"
UNBOUND, BIND, DNS64, VALIDATED = "unbound", "BIND", "v6native DNS64", "v6native DNS64 before unbound"
HITS, MANY_HITS, MISSES = "known, 1,000 names", "known, 50,000 names", "unknown"
"""Of answers: whether they are in the cache."""


@dataclass(frozen=True, slots=True)
class Target:
    """`pick` gives the number; KeyError, or StopIteration as a RuntimeError, where the result does not hold it."""

    subject: str
    text: str
    pick: Callable[[Result], float]
    bound: float
    at_least: bool = True
    unit: str = ""

    def met(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound

    @property
    def wanted(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:,g}{self.unit}"


def row(result: Result, part: str = "rows", /, **fields: Any) -> Result:
    """The row with those fields; KeyError where there is none."""
    rows: list[Result] = result[part]["rows"] if isinstance(result[part], dict) else result[part]
    for found in rows:
        if all(found[key] == value for key, value in fields.items()):
            return found
    raise KeyError(f"{part}: {fields}")


def _tcp(path: str, streams: int, direction: str) -> Callable[[Result], float]:
    wanted: dict[str, Any] = {"streams": streams, "direction": direction, "path": path}
    return lambda result: float(row(result, **wanted)["beside_plain"]["median"])


def _packets(path: str, direction: str) -> Callable[[Result], float]:
    return lambda result: float(row(result, path=path, direction=direction)["beside_plain"]["median"])


def _beside_nat44(direction: str) -> Callable[[Result], float]:
    def pick(result: Result) -> float:
        ours, theirs = (row(result, path=path, direction=direction)["ns"]["median"] for path in (FAST, NAT44))
        return float(theirs / ours)

    return pick


def _live(result: Result) -> float:
    return float(row(result, "live", path=NAT64, live=1_000_000)["beside_fewest"]["median"])


def _rate(what: str, path: str) -> Callable[[Result], float]:
    return lambda result: float(row(result, "rates", what=what, path=path)["beside_unbound"]["median"])


def _latency(percentile: str) -> Callable[[Result], float]:
    return lambda result: float(row(result, "latency", path=DNS64)[f"{percentile}_beside_unbound"]["median"])


def _memory(result: Result) -> float:
    return float(row(result, "memory", path=DNS64, answers=1_000_000)["bytes"]) / 2**20


def _worst_fault(result: Result) -> float:
    return max(float(found["more_ms"]["median"]) for found in result["faults"])


def _dns() -> Iterator[Target]:
    yield Target("dns", "known answers (1,000 names), beside unbound", _rate(HITS, DNS64), 0.7)
    yield Target("dns", "unknown answers, as a forwarder, beside unbound", _rate(MISSES, DNS64), 2.0)
    yield Target(
        "dns", "unknown answers, before unbound on the same core, beside it alone", _rate(MISSES, VALIDATED), 0.75
    )
    for percentile in ("p50", "p99"):
        text = f"{percentile} at 20,000 questions a second, beside unbound's"
        yield Target("dns", text, _latency(percentile), 1.0, at_least=False)
    yield Target("dns", "memory with 1,000,000 answers known", _memory, 1024, at_least=False, unit=" MiB")
    text = "p99 with bad upstreams, above that of the best upstream"
    yield Target("dns", text, _worst_fault, 50, at_least=False, unit=" ms")


def _both_ways() -> Iterator[Target]:
    for way in ("up", "down"):
        yield Target("lab", f"{way}, 1 stream, beside plain IPv6", _tcp(NAT64, 1, way), 0.9)
        yield Target("lab", f"{way}, 4 streams, beside plain IPv6", _tcp(NAT64, 4, way), 0.9)
        yield Target("shared", f"{way}, 1 stream, beside plain IPv6", _tcp(NAT64, 1, way), 0.9)
        yield Target("tcp", f"{way}, 1 stream, fast path, beside plain IPv6", _tcp(FAST, 1, way), 0.95)
        for streams in (1, 4):
            what = f"{way}, {streams} stream{'s' * (streams > 1)}, fast path, beside plain IPv6"
            yield Target("offloads", what, _tcp(FAST, streams, way), 0.85)
        yield Target("packets", f"{way}, interface path, beside plain IPv6", _packets(NAT64, way), 0.6)
        yield Target("packets", f"{way}, fast path, beside plain IPv6", _packets(FAST, way), 0.9)
        yield Target("packets", f"{way}, fast path, beside the kernel's NAT44", _beside_nat44(way), 1.0)


TARGETS: tuple[Target, ...] = (
    *_both_ways(),
    *_dns(),
    Target(
        "sessions",
        "new UDP sessions a second on one core",
        lambda result: float(row(result, "new", path=NAT64)["per_second"]),
        300_000,
    ),
    Target("sessions", "packet rate with 1,000,000 sessions live, beside the rate with 10", _live, 0.75),
    Target(
        "sessions",
        "kernel memory a session",
        lambda result: float(result["memory"]["bytes_a_session"]),
        450,
        at_least=False,
        unit=" B",
    ),
    Target(
        "cores",
        "two cores beside one",
        lambda result: float(row(result, path=NAT64)["two_beside_one"]["median"]),
        1.7,
    ),
    Target(
        "expiry",
        "longest gap in a ping of 10 ms while 1,000,000 sessions expire",
        lambda result: float(result["longest_gap_ms"]),
        20,
        at_least=False,
        unit=" ms",
    ),
)


def held(subject: str, result: Result) -> Iterator[tuple[Target, float]]:
    """The targets of one subject with what was reached; those that this run did not measure are left out."""
    for target in TARGETS:
        if target.subject == subject:
            try:
                yield target, target.pick(result)
            except KeyError:
                continue
