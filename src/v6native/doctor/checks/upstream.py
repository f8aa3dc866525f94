# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The DNS64's upstream resolvers answer."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity


def check(facts: Facts) -> Iterator[Finding]:
    if not facts.config.dns64.enabled or facts.resolvers is None:
        return
    failing = [resolver for resolver in facts.resolvers if resolver.error is not None]
    for resolver in failing:
        alone = len(failing) == len(facts.resolvers)
        yield Finding(
            "upstream_unreachable",
            Severity.ERROR if alone else Severity.WARNING,
            f"the upstream resolver {resolver.upstream} does not answer ({resolver.error})"
            + ("; no other one does, so names do not resolve" if alone else "; another one does"),
            "correct dns64.upstream, or see why that resolver does not answer (`dig @ADDRESS example.com`)",
            ("uplink_missing", "uplink_down", "uplink_no_ipv6")
            if resolver.upstream.address.version == 6
            else ("uplink_missing", "uplink_down", "uplink_no_ipv4"),
        )
    if not facts.resolvers:
        yield Finding(
            "no_upstream",
            Severity.ERROR,
            "the DNS64 has no upstream resolver: the system has none either",
            "set dns64.upstream to a resolver's address",
        )
