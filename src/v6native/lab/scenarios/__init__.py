# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The main job as a list of scenarios, played by `v6native lab test` and by tests/lab."""

from __future__ import annotations

from v6native.lab.scenarios import client, explained, literal, node, outside, pathmtu, shared, survive
from v6native.lab.scenarios.trial import Scenario

SCENARIOS: tuple[Scenario, ...] = tuple(
    sorted(
        (
            *client.scenarios("phone", 1),
            *client.scenarios("laptop", 2),
            *literal.SCENARIOS,
            *pathmtu.SCENARIOS,
            *node.SCENARIOS,
            *explained.SCENARIOS,
            *outside.SCENARIOS,
            *shared.SCENARIOS,
            *survive.SCENARIOS,
        ),
        key=lambda scenario: scenario.group,
    )
)
