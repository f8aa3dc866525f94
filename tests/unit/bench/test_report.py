# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Rounds are paired, targets are held against the right rows, and page and plots come from stored results alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import plots, report
from bench.runs import Spread, ratios, rounds
from bench.targets import FAST, NAT44, NAT64, PLAIN, held

MACHINE = {"measured": "2026-01-01", "kernel": "6.1", "processor": "one", "cpus": 2, "busy_with_others": 0.01}


def spread(median: float) -> dict[str, float]:
    return {"median": median, "smallest": median * 0.9, "largest": median * 1.1}


def packets() -> dict[str, object]:
    """A result: plain forwarding takes 500 ns."""
    rows = [
        {
            "direction": direction,
            "path": path,
            "ns": spread(ns),
            "packets_per_second": 1e9 / ns,
            "beside_plain": spread(500 / ns),
        }
        for direction in ("up", "down")
        for path, ns in ((PLAIN, 500), (NAT44, 625), (NAT64, 1000), (FAST, 500))
    ]
    return {"flows": 1024, "rounds": 5, "packets": 10, "rows": rows}


def test_rounds_turn_their_order_and_pair_what_they_compare() -> None:
    order: list[str] = []
    speed = iter([10.0, 5.0, 4.0, 8.0, 20.0, 10.0])

    def run(name: str) -> float:
        order.append(name)
        return next(speed)

    samples = rounds({"a": lambda: run("a"), "b": lambda: run("b")}, 3, lambda _: None)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert samples == {"a": [10.0, 8.0, 20.0], "b": [5.0, 4.0, 10.0]}
    assert ratios(samples, "b", "a") == Spread(0.5, 0.5, 0.5)
    assert ratios(samples, "b", "a", inverse=True) == Spread(2.0, 2.0, 2.0)


def test_a_target_is_met_or_missed_by_the_row_that_it_names() -> None:
    reached = {target.text: (value, target.met(value)) for target, value in held("packets", packets())}
    assert reached["up, interface path, beside plain IPv6"] == (0.5, False)
    assert reached["down, fast path, beside plain IPv6"] == (1.0, True)
    assert reached["down, fast path, beside the kernel's NAT44"] == (1.25, True)
    assert sorted(report.missed("packets", packets())) == [
        "down, interface path, beside plain IPv6",
        "up, interface path, beside plain IPv6",
    ]


def test_a_short_run_that_left_rows_out_is_held_to_the_others() -> None:
    result = packets()
    result["rows"] = [row for row in result["rows"] if row["path"] != FAST]  # type: ignore[attr-defined]
    assert {target.text for target, _ in held("packets", result)} == {
        f"{way}, interface path, beside plain IPv6" for way in ("up", "down")
    }


def test_page_and_plots_are_made_from_what_is_stored(tmp_path: Path) -> None:
    page, folder = tmp_path / "page.md", tmp_path / "results"
    folder.mkdir()
    (folder / "packets.json").write_text(json.dumps({"machine": MACHINE, "quick": False, "result": packets()}))
    page.write_text("before\n<!-- measured: packets -->\nold\n<!-- end: packets -->\nafter\n")
    report.write(page, folder, plots.of)
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "| up | v6native NAT64 | 1,000 (900–1,100) | 1,000,000 | 0.50 (0.45–0.55) |" in text
    assert "| up, interface path, beside plain IPv6 | ≥ 0.6 | 0.50 | **missed** |" in text
    assert "![packets-up](results/packets-up.svg)" in text
    assert ">0.50</text>" in (folder / "packets-up.svg").read_text()
    report.write(page, folder, plots.of)
    assert page.read_text() == text


def test_a_page_without_a_place_for_a_part_is_an_error(tmp_path: Path) -> None:
    page, folder = tmp_path / "page.md", tmp_path / "results"
    folder.mkdir()
    (folder / "packets.json").write_text(json.dumps({"machine": MACHINE, "quick": False, "result": packets()}))
    page.write_text("nothing\n")
    with pytest.raises(ValueError, match="has no place for packets"):
        report.write(page, folder, plots.of)
