# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""No foreign policy rule takes packets before ours see them."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity


def check(facts: Facts) -> Iterator[Finding]:
    for family in (4, 6):
        ours = [rule.priority for rule in facts.rules if rule.ours and rule.family == family]
        last = max(ours, default=None)
        for rule in facts.rules:
            # Priority 0 is the kernel's own local rule, which is where our own rules have to come before it.
            if last is None or rule.ours or rule.family != family or rule.priority > last or not rule.priority:
                continue
            yield Finding(
                "foreign_rule",
                Severity.ERROR if rule.catches_all else Severity.WARNING,
                f"a policy rule of another program comes before ours: `{rule.text}`; packets it matches never reach "
                "the translators",
                f"give that rule a priority above {last}, or make sure that it does not match the clients",
            )
