# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""docs/performance.md says what was measured, and nothing else: tables and plots come from the stored results alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bench import plots, report
from bench.targets import TARGETS, held

DOCS = Path(__file__).parents[3] / "docs"
STORED = sorted((DOCS / "performance").glob("*.json"))


def test_page_and_plots_are_what_the_stored_results_give(tmp_path: Path) -> None:
    """`python -m bench --page` was run after the last measurement, and nobody wrote a figure by hand."""
    shutil.copytree(DOCS / "performance", tmp_path / "performance")
    shutil.copy(DOCS / "performance.md", tmp_path)
    report.write(tmp_path / "performance.md", tmp_path / "performance", plots.of)
    made = {file.name: file.read_text() for file in sorted(tmp_path.rglob("*")) if file.suffix in (".md", ".svg")}
    kept = {file.name: file.read_text() for file in [DOCS / "performance.md", *(DOCS / "performance").glob("*.svg")]}
    assert made == kept


@pytest.mark.parametrize("file", STORED, ids=lambda file: file.stem)
def test_what_is_stored_was_measured_at_full_length(file: Path) -> None:
    stored = json.loads(file.read_text())
    assert not stored["quick"]
    assert stored["machine"].keys() >= {"measured", "kernel", "processor", "cpus", "busy_with_others"}


@pytest.mark.parametrize("file", STORED, ids=lambda file: file.stem)
def test_the_targets_of_what_is_stored_are_found_in_it(file: Path) -> None:
    """A full run reaches each of them; a quick one leaves some out."""
    reached = {target for target, _ in held(file.stem, json.loads(file.read_text())["result"])}
    assert reached == {target for target in TARGETS if target.subject == file.stem}
