# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""docs/rfc-compliance: as many words as the RFCs have, every row with its state, its reason and tests that exist."""

from __future__ import annotations

import ast
import tomllib
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

from tests import held
from tests.conventions.normative import counted, stood_for
from tests.conventions.tree import ROOT
from tests.integration.dns64 import script
from v6native.lab.scenarios import SCENARIOS

STATES = {"done", "deviates", "open", "n.a."}
WORDS = tomllib.loads((held.FOLDER / "words.toml").read_text())
INDEX = held.FOLDER.with_suffix(".md")
CASES = {case.key for file in script.FOLDER.glob("*.script") for case in script.read(file)}
KEYS = {scenario.key for scenario in SCENARIOS}


@cache
def names_of_tests(file: Path) -> frozenset[str]:
    """The names of a file's test functions."""
    functions = (node for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef))
    return frozenset(function.name for function in functions if function.name.startswith("test_"))


def exists(name: str) -> bool:
    if name.startswith("lab:"):
        return name.removeprefix("lab:") in KEYS
    if name.startswith("script:"):
        return name.removeprefix("script:") in CASES
    path, _, test = name.partition("::")
    file = ROOT / "tests" / f"{path}.py"
    return file.exists() and test in names_of_tests(file)


def test_each_counted_rfc_has_its_table() -> None:
    assert WORDS.keys() == held.tables().keys()


@pytest.mark.parametrize("rfc", WORDS)
def test_rows_stand_for_all_words(rfc: str) -> None:
    """Section by section and kind by kind, what was counted in the RFC is what the rows stand for."""
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for row in held.rows(rfc):
        for section in row.sections:
            rows[section] += stood_for(row.words)
    assert {section: dict(count) for section, count in rows.items() if count} == WORDS[rfc]


@pytest.mark.parametrize("rfc", WORDS)
def test_rows_have_a_state_its_reason_and_tests_that_exist(rfc: str) -> None:
    for row in held.rows(rfc):
        assert row.requirement and row.state in STATES, f"{row}: {row.state}"
        assert row.reason or row.state == "done", f"{row}: no reason"
        assert row.tests or row.state != "done", f"{row}: no test holds it"
        for name in row.tests:
            assert exists(name), f"{row}: there is no {name}"


def test_the_index_counts_the_rows() -> None:
    """A line for each RFC: rows, and of them done, deviates, open, n.a."""
    for rfc, page in held.tables().items():
        states = Counter(row.state for row in held.rows(rfc))
        counts = " | ".join(str(states[state]) for state in ("done", "deviates", "open", "n.a."))
        line = f"]({page.relative_to(INDEX.parent)}) |"
        (found,) = [found for found in INDEX.read_text().splitlines() if line in found]
        words = sum(sum(section.values()) for section in WORDS[rfc].values())
        assert found.endswith(f"| {words} | {states.total()} | {counts} |"), (
            f"{rfc}: {words} | {states.total()} | {counts}"
        )


RFC = """
   1.  Introduction ........ 3

Author                  Best Current Practice                   [Page 1]
\f
RFC 4787                   NAT that MUST not count             January 2007

1.  Words

   The key words "MUST" and "SHALL", in this document,
   and "NOT RECOMMENDED" mean what RFC 2119 says.

   A NAT MUST
   NOT stop; it SHALL go on, it SHALL NOT pause.

1.1.  More

   It is NOT RECOMMENDED; it is RECOMMENDED and REQUIRED, and SHOULD be; we must not count this.
"""


def test_how_words_are_counted() -> None:
    assert counted(RFC) == {
        "1": {"MUST": 1, "MUST NOT": 2},
        "1.1": {"MUST": 1, "SHOULD": 2, "SHOULD NOT": 1},
    }
    assert stood_for("2 MUST, 1 SHOULD NOT") == {"MUST": 2, "SHOULD NOT": 1}
    assert stood_for("–") == {}
    with pytest.raises(ValueError):
        stood_for("MUST")


def test_a_done_row_whose_test_did_not_run_is_told() -> None:
    tests = ("packets/test_bib::test_hairpin", "lab:phone-ping")
    row = held.Row("rfc4787", ("6",), "1 MUST", "hairpins", "done", "", tests)
    hairpin = "tests/packets/test_bib.py::test_hairpin"
    ping = {f"tests/lab/test_scenarios.py::test_scenario[{lab}-phone-ping]" for lab in ("shared", "wkp")}
    assert held.unheld([row], {f"{hairpin}[udp]", *ping}, set(), set()) == []
    assert held.unheld([row], {f"{hairpin}[udp]"}, set(), ping) == []
    assert held.unheld([row], set(), set(), {f"{hairpin}[udp]", *ping}) == [
        "rfc4787 §6: hairpins is done, but this run has none of its tests"
    ]
    assert held.unheld([row], {*ping, f"{hairpin}[udp]"}, {f"{hairpin}[tcp]"}, set()) == [
        "rfc4787 §6: hairpins is done, but packets/test_bib::test_hairpin was skipped"
    ]
    assert held.short("tests/integration/dns64/test_scripts.py::test_script[ttl/zero]") == "script:ttl/zero"
    assert held.unheld([row], {*ping, f"{hairpin}_errors"}, set(), set()) == [
        "rfc4787 §6: hairpins is done, but packets/test_bib::test_hairpin did not run"
    ]
