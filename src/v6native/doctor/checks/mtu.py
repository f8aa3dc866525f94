# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""No interface of the IPv6 network has an MTU that IPv6 cannot use (RFC 8200 §5)."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity

IPV6_LEAST = 1280


def check(facts: Facts) -> Iterator[Finding]:
    for name in (facts.node.uplink, *facts.node.lan):
        found = facts.host.interface(name)
        if found is not None and found.mtu < IPV6_LEAST:
            yield Finding(
                "mtu_small",
                Severity.ERROR,
                f"{name} has an MTU of {found.mtu}: the kernel uses no IPv6 below {IPV6_LEAST}",
                f"`ip link set {name} mtu {IPV6_LEAST}` or more",
            )
