# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A firewall whose FORWARD policy is drop drops translated packets too, unless it has rules for them."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity


def check(facts: Facts) -> Iterator[Finding]:
    for hook in facts.host.forward_drop:
        yield Finding(
            "forward_drop",
            Severity.WARNING,
            f"{hook.where} drops what it does not accept: translated packets are forwarded twice, once as IPv6 into "
            "nat64 and once as IPv4 out of nat64-x",
            'accept them there: `iifname "nat64-x" accept` and `oifname "nat64" accept` (with a CLAT also clat-x and clat), '
            "and what comes back by `ct state established,related accept`",
        )
