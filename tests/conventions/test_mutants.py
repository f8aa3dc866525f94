# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The points of `make mutants` still name what is there: each pattern once in its file, tests that exist."""

from __future__ import annotations

import ast

import pytest

from tests.conventions.tree import ROOT
from tests.mutants.run import Point, chosen, judged, points

POINTS = points()


def test_there_are_thirty_points_each_another_one() -> None:
    assert len(POINTS) >= 30
    assert len({(point.file, point.pattern) for point in POINTS}) == len(POINTS)


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.breaks)
def test_each_pattern_is_there_once_and_its_tests_exist(point: Point) -> None:
    sound = (ROOT / point.file).read_text()
    assert point.applied(sound) != sound
    for test in point.tests:
        path, _, name = test.partition("::")
        functions = [
            node.name for node in ast.parse((ROOT / path).read_text()).body if isinstance(node, ast.FunctionDef)
        ]
        assert not name or name in functions, f"there is no {test}"


def test_a_pattern_that_is_not_there_once_is_refused() -> None:
    point = Point("nothing", "bpf/icmp.h", "a", "b", ())
    for text in ("", "aa"):
        with pytest.raises(ValueError, match="not once"):
            point.applied(text)


def test_only_a_failed_test_kills() -> None:
    assert judged(1, "FAILED tests/x.py::test_x\n1 failed, 2 passed in 1.00s") == "killed"
    assert judged(0, "3 passed in 1.00s") == "survived"
    assert judged(1, "ERROR tests/x.py::test_x\n1 error in 1.00s") == "no answer"
    assert judged(5, "no tests ran in 0.01s") == "no answer"


def test_points_are_chosen_by_number() -> None:
    assert chosen([], 3) == [0, 1, 2]
    assert chosen(["2", "4-6"], 9) == [1, 3, 4, 5]
