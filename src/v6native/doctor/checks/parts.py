# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What `up` made is still there: a link, route, rule or program that somebody removed is named."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity

# More lines would bury the rest; `plan` shows all.
SHOWN = 5


def check(facts: Facts) -> Iterator[Finding]:
    if not facts.in_place:
        yield Finding(
            "not_up",
            Severity.ERROR,
            "there is no data plane on this node: nothing is translated",
            "`v6native up`, or `systemctl enable --now v6native`",
            ("kernel_old", "kernel_no_btf", "bpffs_not_mounted", "uplink_missing"),
        )
        return
    if not facts.pending:
        return
    more = len(facts.pending) - SHOWN
    lines = "; ".join(facts.pending[:SHOWN]) + (f"; and {more} more" if more > 0 else "")
    yield Finding(
        "parts_missing",
        Severity.ERROR,
        f"the host is not as the file wants it: {lines}",
        "`v6native reload` puts it right; if it comes back, another program removes it",
        (
            "forwarding_off",
            "accept_ra_lost",
            "nft_missing",
            "wireguard_missing",
            "wireguard_tools_missing",
            "uplink_missing",
        ),
    )
