# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of docs/rfc-compliance, and the promise that in a whole run every row that is *done* was tested.

A row names tests as `packets/test_bib::test_hairpin`, which is tests/packets/test_bib.py::test_hairpin with all its
parameters, as `lab:KEY`, a scenario in each arrangement, or as `script:FILE/CASE`, a case of a script for the DNS64. A whole
run is one without paths and without -k that left out nothing but the marks that its count leaves out. It fails if such a
test was skipped, or none of its cases ran.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "rfc-compliance"
HEADING = "| § | words | requirement | state | how, or why not | held by |"
WHOLE = {"", "not kernel", "not nightly and not kernel"}
"""The -m of a run that leaves out no more than its count does (setup/tests.sh)."""

_SCRIPT = re.compile(r"^tests/integration/dns64/test_scripts\.py::test_script\[([^\]]+)\]$")
_SCENARIO = re.compile(r"^tests/lab/test_scenarios\.py::test_scenario\[[^-\]]+-([^\]]+)\]$")


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement: `sections` each have the words that `words` lists; `tests` in the short form."""

    rfc: str
    sections: tuple[str, ...]
    words: str
    requirement: str
    state: str
    reason: str
    tests: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rfc} §{', '.join(self.sections)}: {self.requirement}"


def tables() -> dict[str, Path]:
    """RFC → its page, such as rfc7915."""
    return {page.stem: page for page in sorted(FOLDER.glob("rfc*.md"))}


def rows(rfc: str) -> Iterator[Row]:
    """Raises ValueError for a line that has not six cells."""
    inside = False
    for line in tables()[rfc].read_text().splitlines():
        if line == HEADING:
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("|---"):
            section, words, requirement, state, reason, held_by = (cell.strip() for cell in line.strip("|").split("|"))
            tests = tuple(re.findall(r"`([^`]+)`", held_by))
            yield Row(rfc, tuple(section.split(", ")), words, requirement, state, reason, tests)


def short(nodeid: str) -> str:
    """The name by which a row would call a test of this node id."""
    scenario = _SCENARIO.match(nodeid)
    if scenario:
        return f"lab:{scenario[1]}"
    script = _SCRIPT.match(nodeid)
    if script:
        return f"script:{script[1]}"
    return nodeid.partition("[")[0].removeprefix("tests/").replace(".py::", "::", 1)


def unheld(done: Iterable[Row], ran: set[str], skipped: set[str], left_out: set[str]) -> list[str]:
    """A line for each row that is done although a test of it was skipped, or was neither run nor left out by the count, or
    all were left out.

    The sets have node ids: `ran` passed or failed, `skipped` (or expected to fail) did neither, `left_out` was deselected.
    """
    names_ran, names_skipped, names_left = ({short(nodeid) for nodeid in ids} for ids in (ran, skipped, left_out))
    lines: list[str] = []
    for row in done:
        if row.tests and not names_ran.intersection(row.tests):
            lines.append(f"{row} is done, but this run has none of its tests")
            continue
        for name in row.tests:
            if name in names_skipped:
                lines.append(f"{row} is done, but {name} was skipped")
            elif name not in names_ran | names_left:
                lines.append(f"{row} is done, but {name} did not run")
    return lines


class Held:
    """Collects what ran, and fails a whole run in which a row's test did not."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.outcomes: dict[str, set[str]] = defaultdict(set)
        self.left_out: set[str] = set()
        self.lines: list[str] = []

    def whole(self) -> bool:
        option = self.config.option
        return (
            self.config.args_source is not pytest.Config.ArgsSource.ARGS
            and option.markexpr in WHOLE
            and not any((option.keyword, option.lf, option.collectonly, option.deselect, option.ignore))
        )

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self.left_out |= {item.nodeid for item in items}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.nodeid].add(report.outcome)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if (
            not self.whole()
            or exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
            or session.shouldstop
        ):
            return
        skipped = {nodeid for nodeid, outcomes in self.outcomes.items() if "skipped" in outcomes}
        done = [row for rfc in tables() for row in rows(rfc) if row.state == "done"]
        self.lines = unheld(done, self.outcomes.keys() - skipped, skipped, self.left_out)
        if self.lines:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self.lines:
            terminalreporter.write_line(f"v6native: {line}", red=True)
