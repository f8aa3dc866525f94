# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The DNS64's targets are held against the rows that they name, and its tables tell what was measured."""

from __future__ import annotations

from typing import Any

from bench import report
from bench.targets import BIND, DNS64, HITS, MISSES, TARGETS, UNBOUND, VALIDATED, held


def spread(median: float) -> dict[str, float]:
    return {"median": median, "smallest": median * 0.9, "largest": median * 1.1}


def result(answers: int = 1_000_000) -> dict[str, Any]:
    rates = {
        (HITS, UNBOUND): 1.0,
        (HITS, DNS64): 0.8,
        (MISSES, DNS64): 0.4,
        (MISSES, VALIDATED): 0.3,
        (HITS, BIND): 0.6,
    }
    return {
        "rates": [
            {"what": what, "path": path, "per_second": spread(beside * 200_000), "beside_unbound": spread(beside)}
            | {"server": spread(1.0), "busy": spread(0.5)}
            for (what, path), beside in rates.items()
        ],
        "latency": [
            {"path": path, "rate": 20_000, "p50_us": spread(p50), "p99_us": spread(p99)}
            | {"p50_beside_unbound": spread(p50 / 40), "p99_beside_unbound": spread(p99 / 300)}
            for path, p50, p99 in ((UNBOUND, 40, 300), (DNS64, 30, 330))
        ],
        "memory": [
            {"path": path, "answers": answers, "kept": answers, "bytes": size << 20, "bytes_before": 0}
            for path, size in ((UNBOUND, 900), (DNS64, 750))
        ],
        "faults": [
            {
                "bad": bad,
                "best_p99_ms": spread(11),
                "p50_ms": spread(10),
                "p99_ms": spread(11 + more),
                "more_ms": spread(more),
            }
            for bad, more in (("dead", 3.0), ("lying", 60.0), ("slow", 4.0))
        ],
    }


def test_each_target_is_met_or_missed_by_its_own_rows() -> None:
    reached = {target: value for target, value in held("dns", result())}
    assert [target for target in TARGETS if target.subject == "dns"] == list(reached)
    assert list(reached.values()) == [0.8, 0.4, 0.3, 0.75, 1.1, 750, 60]
    assert [target.met(value) for target, value in reached.items()] == [True, False, False, True, False, True, False]


def test_a_short_run_is_not_held_to_the_memory_of_a_million() -> None:
    assert "memory with 1,000,000 answers known" not in {target.text for target, _ in held("dns", result(50_000))}


def test_the_tables_tell_it() -> None:
    text = "\n".join(report.markdown(sheet) for sheet in report.sheets("dns", result()))
    assert f"| {HITS} | {DNS64} | 160,000 (144,000–176,000) | 0.80 (0.72–0.88) | 100% |" in text
    assert f"| {DNS64} | 30 (27–33) | 330 (297–363) | 1.10 (0.99–1.21) |" in text
    assert f"| {DNS64} | 1,000,000 | 750 | 786 |" in text
    assert "| lying | 10.0 (9.0–11.0) | 71.0 (63.9–78.1) | 11.0 (9.9–12.1) | 60.0 (54.0–66.0) |" in text
