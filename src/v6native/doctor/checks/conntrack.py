# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A small conntrack table loses sessions long before the NAT64's own table is full."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity

# Each translated flow is two entries, one a family; the rest is the node's own traffic.
ENTRIES_A_SESSION = 2
NEARLY_FULL = 0.9


def check(facts: Facts) -> Iterator[Finding]:
    largest = facts.host.conntrack_max
    count = facts.sysctl("net/netfilter/nf_conntrack_count")
    if largest is None:
        return
    wanted = facts.config.nat64.sessions * ENTRIES_A_SESSION
    if count is not None and count.isdigit() and int(count) >= largest * NEARLY_FULL:
        yield Finding(
            "conntrack_full",
            Severity.ERROR,
            f"conntrack holds {count} of at most {largest} flows: new ones are dropped",
            f"`sysctl net.netfilter.nf_conntrack_max={max(wanted, largest * 2)}`",
        )
    if facts.config.nat64.enabled and largest < wanted:
        yield Finding(
            "conntrack_small",
            Severity.WARNING,
            f"conntrack holds at most {largest} flows, the NAT64 {facts.config.nat64.sessions} sessions of two flows each",
            f"`sysctl net.netfilter.nf_conntrack_max={wanted}`, or fewer nat64.sessions",
            ("conntrack_full",),
        )
