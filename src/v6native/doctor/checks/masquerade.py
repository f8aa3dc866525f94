# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A masquerade rule of the node's must not choose source ports that the NAT64 has reserved on the shared address."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.config.model import PortRange
from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity


def check(facts: Facts) -> Iterator[Finding]:
    shared = [entry.ports for entry in facts.node.pool4 if entry.shared]
    for rule in facts.host.masquerade:
        if rule.interface is not None and rule.interface != facts.node.uplink:
            continue
        chosen = rule.ports or PortRange(1, 65535)
        hit = [ports for ports in shared if chosen.first <= ports.last and ports.first <= chosen.last]
        if hit:
            ranges = ", ".join(f"{ports.first}-{ports.last}" for ports in hit)
            everything = PortRange(min(ports.first for ports in shared), max(ports.last for ports in shared))
            yield Finding(
                "masquerade_collides",
                Severity.WARNING,
                f"{rule.where} may choose source ports of {ranges} on {facts.node.uplink}, which belong to the NAT64: "
                "answers to those flows are then taken for the NAT64's",
                "spare what is translated, `meta mark & 0x10000000 != 0 accept` before that rule, and give it other "
                f"ports: `meta l4proto {{ tcp, udp }} masquerade to :{_elsewhere(everything)}`",
            )


def _elsewhere(ports: PortRange) -> str:
    """The larger part of the unprivileged ports that is left."""
    below, above = (1024, ports.first - 1), (ports.last + 1, 65535)
    first, last = below if below[1] - below[0] >= above[1] - above[0] else above
    return f"{first}-{last}"
