# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What desired/ had to decide with less than it needs: a resolver, a prefix, an address is missing."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity

# Told with more by checks of their own: uplink.py, upstream.py.
ELSEWHERE = frozenset({"uplink-no-ipv4", "dns64-no-upstream"})


def check(facts: Facts) -> Iterator[Finding]:
    for note in facts.notes:
        if note.code not in ELSEWHERE:
            yield Finding(
                f"note_{note.code.replace('-', '_')}",
                Severity.WARNING,
                note.what,
                note.remedy,
                ("uplink_missing",),
            )
