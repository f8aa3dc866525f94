# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What must fit together in a Config: one module a subject, each a pure function from Draft to problems."""

from __future__ import annotations

from v6native.config.problem import ConfigProblem
from v6native.config.rules import clients, dns, health, limits, log, names, pools, prefixes, shares, translators
from v6native.config.rules.draft import Draft

RULES = (
    names.check,
    prefixes.check,
    translators.check,
    pools.check,
    shares.check,
    clients.check,
    dns.check,
    limits.check,
    log.check,
    health.check,
)

__all__ = ["RULES", "Draft", "check"]


def check(draft: Draft) -> list[ConfigProblem]:
    return [problem for rule in RULES for problem in rule(draft)]
