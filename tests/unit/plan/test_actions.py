# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Every action can be read by a person and by a program."""

from __future__ import annotations

import json

from hypothesis import given

from tests.unit.system.networks import FACTS, LAB, configs, facts
from v6native.config.facts import HostFacts
from v6native.config.model import Config
from v6native.desired import Desired, desired
from v6native.plan import diff
from v6native.plan.actions import Action
from v6native.system.apply import bring
from v6native.system.fake import FakeHost


def _known(config: Config, known: HostFacts) -> list[Action]:
    wanted = desired(config, "edge1", known)
    host = FakeHost()
    up = diff(wanted, host.observe(wanted))
    bring(host, wanted)
    return [*up, *diff(Desired(), host.observe(Desired()))]


@given(configs(), facts())
def test_a_sentence_and_a_document(config: Config, known: HostFacts) -> None:
    for action in _known(config, known):
        document = json.loads(json.dumps(action.as_json()))
        assert document["text"] == str(action)
        assert document["action"].replace("-", "").isalpha() and document["action"].islower()
        # A sentence is no program's dump of itself.
        assert "(" not in str(action) or ")" in str(action)
        assert "=" not in str(action) and "None" not in str(action) and "\n" not in str(action)


def test_a_different_action_reads_differently() -> None:
    wanted = desired(LAB, "edge1", FACTS)
    host = FakeHost()
    sentences = [str(action) for action in diff(wanted, host.observe(wanted))]
    assert len(sentences) == len(set(sentences))
