# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Forwarding is on for both families: `up` switches it on, others switch it off."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity

KEYS = {"net/ipv4/ip_forward": "IPv4", "net/ipv6/conf/all/forwarding": "IPv6"}


def check(facts: Facts) -> Iterator[Finding]:
    if not facts.in_place:
        return
    for key, family in KEYS.items():
        if facts.sysctl(key) == "0":
            yield Finding(
                "forwarding_off",
                Severity.ERROR,
                f"{family} forwarding is off ({key} = 0): nothing is translated",
                f"find which program sets {key} (`grep -r {key.rsplit('/')[-1]} /etc/sysctl.d`); `v6native reload` "
                "switches it on again",
            )
