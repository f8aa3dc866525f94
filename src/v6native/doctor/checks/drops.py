# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The reasons for which most packets were refused, with what an operator can do about each."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity
from v6native.doctor.remedies import REMEDIES

_TO_MEND = (
    "SOURCE_NOT_ALLOWED", "DESTINATION_REFUSED", "SLOW_AWAY", "NO_MAPPING", "BAD_CHECKSUM", "LOOP", "STILL_TOO_BIG",
    "HELPER_FAILED", "FRAGMENT_NO_FIRST",
)  # fmt: skip
# Others are the internet's usual noise, or have findings of their own (tables.py).
TOLD = {name: REMEDIES[name] for name in _TO_MEND} | {
    "ANSWER_LIMITED": "many errors were due at once: somebody scans, or a host ignores them",
}
# A refused packet now and then is the internet; a share of all packets, or this many, is worth a look.
LEAST, SHARE = 100, 0.01
SHOWN = 3


def check(facts: Facts) -> Iterator[Finding]:
    kinds = {reason.name: reason for reason in facts.reasons}
    done = sum(count for name, count in facts.counters.items() if name in kinds and kinds[name].kind == "DONE")
    refused = [
        (count, name) for name, count in facts.counters.items() if name in TOLD and count >= max(LEAST, SHARE * done)
    ]
    for count, name in sorted(refused, reverse=True)[:SHOWN]:
        reason = kinds.get(name)
        yield Finding(
            f"drops_{name.lower()}",
            Severity.INFO,
            f"{count} packets were refused: {reason.text if reason is not None else name}",
            TOLD[name],
            ("worker_down",) if name == "SLOW_AWAY" else (),
        )
