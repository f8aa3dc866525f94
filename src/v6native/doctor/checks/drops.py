# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The reasons for which most packets were refused, with what an operator can do about each."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity

REMEDIES = {
    "SOURCE_NOT_ALLOWED": "if they are yours, add their prefix to nat64.sources; if not, somebody tries your NAT64",
    "DESTINATION_REFUSED": "if clients shall reach it, open the destination with nat64.allow_ipv4; mind what listens there",
    "SLOW_AWAY": "the slow path does not run: see the finding worker_down",
    "NO_MAPPING": "an address without a mapping was used: look at clat.eam and the clients' addresses",
    "BAD_CHECKSUM": "a machine or a card on the way damages packets, or offloads checksums wrongly",
    "LOOP": "a route leads translated packets back into the translator: look at `ip route` and `ip rule`",
    "STILL_TOO_BIG": "a rule or route of another program takes packets before the small-MTU table: see `ip rule`",
    "HELPER_FAILED": "this is a bug or a lack of memory: please report it with the output of `v6native counters --json`",
    "FRAGMENT_NO_FIRST": "fragments arrive out of order: is the table `inet v6native` still there (`nft list ruleset`)?",
    "ANSWER_LIMITED": "many errors were due at once: somebody scans, or a host ignores them",
}
# Explained by findings of their own (tables.py).
ELSEWHERE = frozenset({"TABLE_FULL", "POOL4_EXHAUSTED"})
# A refused packet now and then is the internet; a share of all packets, or this many, is worth a look.
LEAST, SHARE = 100, 0.01
SHOWN = 3


def check(facts: Facts) -> Iterator[Finding]:
    kinds = {reason.name: reason for reason in facts.reasons}
    done = sum(count for name, count in facts.counters.items() if name in kinds and kinds[name].kind == "DONE")
    refused = [
        (count, name)
        for name, count in facts.counters.items()
        if name in REMEDIES and name not in ELSEWHERE and count >= max(LEAST, SHARE * done)
    ]
    for count, name in sorted(refused, reverse=True)[:SHOWN]:
        reason = kinds.get(name)
        yield Finding(
            f"drops_{name.lower()}",
            Severity.INFO,
            f"{count} packets were refused: {reason.text if reason is not None else name}",
            REMEDIES[name],
            ("worker_down",) if name == "SLOW_AWAY" else (),
        )
