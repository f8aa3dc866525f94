# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The main job, scenario by scenario: the same that `v6native lab test` plays.

The full count plays each scenario in each arrangement of the lab; the reduced one plays all in the arrangement that `lab
up` builds, and some, which the seed draws, in another (unless the run asks for one by name: `-k pool-laptop-upload`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

import pytest
from _pytest.mark import ParameterSet

from v6native.lab import lab as labs
from v6native.lab.edge import Arrangement
from v6native.lab.play import fitting, play
from v6native.lab.scenarios import SCENARIOS
from v6native.lab.scenarios.trial import Scenario

from .conftest import new_estate

pytestmark = pytest.mark.lab

FULL = os.environ.get("V6NATIVE_COUNT") == "nightly"
MEBIBYTES = 1024 if FULL else 128


def cases() -> Iterator[ParameterSet]:
    for arrangement in Arrangement:
        for scenario in SCENARIOS:
            if arrangement in scenario.arrangements:
                yield pytest.param(arrangement, scenario, id=f"{arrangement}-{scenario.key}")


@pytest.fixture(scope="session")
def standing() -> Iterator[Callable[[Arrangement], labs.Lab]]:
    """The lab of an arrangement, built when one asks for another than the one that stands."""
    # Not a parametrized fixture: pytest would build it anew for each row of cases().
    held: list[labs.Lab] = []
    with contextlib.ExitStack() as stack:

        def get(arrangement: Arrangement) -> labs.Lab:
            if not held or held[0].arrangement is not arrangement:
                held.clear()
                stack.close()
                held.append(labs.up(stack.enter_context(new_estate()), arrangement))
            return held[0]

        yield get


@pytest.fixture
def lab(request: pytest.FixtureRequest, standing: Callable[[Arrangement], labs.Lab]) -> labs.Lab:
    return standing(request.param)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("lab", "scenario"), list(cases()), indirect=["lab"])
def test_scenario(lab: labs.Lab, scenario: Scenario) -> None:
    assert scenario in fitting(lab)
    outcome = play(lab, scenario, MEBIBYTES)
    if not outcome.ok:
        pytest.fail(f"{scenario.title}: {outcome.seen}\nevidence: {outcome.evidence}", pytrace=False)
