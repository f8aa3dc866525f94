# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Translation works through every pref64, as the daemon looks at it every few seconds (health/)."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity


def check(facts: Facts) -> Iterator[Finding]:
    working = [gateway for gateway in facts.gateways if gateway.healthy]
    for gateway in facts.gateways:
        if not gateway.healthy:
            yield Finding(
                "gateway_down",
                Severity.WARNING if working else Severity.ERROR,
                f"translation through {gateway.prefix} does not work: {gateway.why}"
                + ("; names are answered with the other prefixes" if working else ""),
                "`v6native explain` tells what becomes of a packet through it; where only the hosts in health.probe are silent, "
                "name others",
                ("not_up", "parts_missing", "uplink_missing", "uplink_down", "uplink_no_ipv4"),
            )
