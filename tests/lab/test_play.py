# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Scenarios can fail, and what is native is native without v6native too: both seen in the bare lab."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner

from v6native.cli.lab import lab as verb
from v6native.lab.lab import Lab
from v6native.lab.play import fitting, play
from v6native.lab.scenarios import SCENARIOS
from v6native.lab.scenarios.node import BARE
from v6native.lab.scenarios.trial import Scenario, Trial

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("scenario", BARE)
def test_native_is_the_same_without_v6native(bare_lab: Lab, scenario: object) -> None:
    assert callable(scenario)
    scenario(Trial(bare_lab, 1))


NEED_A_TRANSLATOR = ("phone-web-v4only", "phone-ping", "laptop-literal-traceroute", "outside-static")


@pytest.mark.parametrize("scenario", [s for s in SCENARIOS if s.key in NEED_A_TRANSLATOR], ids=lambda s: s.key)
def test_without_a_translator_a_scenario_fails_and_keeps_evidence(bare_lab: Lab, scenario: Scenario) -> None:
    outcome = play(bare_lab, scenario, 1)
    assert not outcome.ok
    assert outcome.evidence is not None
    try:
        assert outcome.seen in (outcome.evidence / "failure.txt").read_text()
        assert list(outcome.evidence.glob("edge1*.pcap"))
        assert (outcome.evidence / "log" / "internet" / "nsd.log").exists()
        assert "edge" in (outcome.evidence / "at-failure" / "r1" / "ip-s-d-address.txt").read_text()
    finally:
        shutil.rmtree(outcome.evidence)


def test_the_command_tells_of_failure(bare_lab: Lab) -> None:
    arguments = ["test", "--name", bare_lab.name, "--json", "--only", "edge1-loopback", "--only", "phone-web-v4only"]
    result = CliRunner().invoke(verb, arguments)
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert {s["key"]: s["ok"] for s in document["scenarios"]} == {"phone-web-v4only": False, "edge1-loopback": True}
    for scenario in document["scenarios"]:
        if scenario["evidence"]:
            shutil.rmtree(scenario["evidence"])


def test_all_scenarios_of_an_arrangement_are_played(bare_lab: Lab) -> None:
    assert fitting(bare_lab) == [s for s in SCENARIOS if bare_lab.arrangement in s.arrangements]
