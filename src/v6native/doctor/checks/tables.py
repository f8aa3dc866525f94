# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The NAT64 has room: sessions in its table, ports in its pool."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity

NEARLY_FULL = 0.9
# What one client may have, by the reason that counts its refusals.
LIMITS = {"CLIENT_PORTS": "ports", "CLIENT_SESSIONS": "sessions", "CLIENT_RATE": "new_per_second"}


def check(facts: Facts) -> Iterator[Finding]:
    if facts.totals is not None and facts.totals.max_sessions:
        use = facts.totals.sessions / facts.totals.max_sessions
        if use >= NEARLY_FULL:
            yield Finding(
                "table_full",
                Severity.ERROR if use >= 1 else Severity.WARNING,
                f"{facts.totals.sessions} of {facts.totals.max_sessions} sessions are in use",
                "raise nat64.sessions; `v6native sessions --client` shows who holds them",
            )
    refused = facts.counters.get("TABLE_FULL", 0)
    if refused:
        yield Finding(
            "table_was_full",
            Severity.WARNING,
            f"the session table was full for {refused} packets",
            "raise nat64.sessions",
            ("table_full",),
        )
    exhausted = facts.counters.get("POOL4_EXHAUSTED", 0)
    if exhausted:
        yield Finding(
            "pool4_exhausted",
            Severity.WARNING,
            f"pool4 had no free port for {exhausted} packets",
            f"add addresses or ports to node.{facts.node.name}.pool4",
        )
    limited = {key: count for name, key in LIMITS.items() if (count := facts.counters.get(name, 0))}
    if limited:
        yield Finding(
            "client_limit",
            Severity.INFO,
            f"{sum(limited.values())} packets were refused, whose client had as much as one client may have",
            f"look what it does (`v6native sessions --client`), or raise nat64.limit.{' or '.join(limited)}",
        )
