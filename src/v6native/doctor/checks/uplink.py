# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The uplink is there, up, and has what the translation needs: IPv4 for pool4, IPv6 for the rest."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity


def check(facts: Facts) -> Iterator[Finding]:
    name, uplink = facts.node.uplink, facts.uplink
    if uplink is None:
        yield Finding(
            "uplink_missing",
            Severity.ERROR,
            f"the uplink {name} does not exist",
            f"correct node.{facts.node.name}.uplink in {facts.config.path}: it is one of "
            + (", ".join(i.name for i in facts.host.interfaces if i.name != "lo") or "no interface at all"),
        )
        return
    if not uplink.up:
        yield Finding(
            "uplink_down",
            Severity.ERROR,
            f"the uplink {name} is down",
            f"`ip link set {name} up`, and look at its cable",
        )
    if facts.config.nat64.enabled and (facts.host.default_route(4) is None or facts.host.ipv4_of(name) is None):
        what = "no IPv4 address" if facts.host.ipv4_of(name) is None else "no IPv4 default route"
        yield Finding(
            "uplink_no_ipv4",
            Severity.ERROR if facts.node.pool4 else Severity.WARNING,
            f"the uplink {name} has {what}: translated packets do not reach the IPv4 internet",
            "give the uplink its IPv4 address and default route, or take pool4 away from this node",
            ("uplink_down",),
        )
    if facts.host.default_route(6) is None:
        yield Finding(
            "uplink_no_ipv6",
            Severity.WARNING,
            "this machine has no IPv6 default route: clients reach no IPv6 host outside",
            f"look at the router advertisements or the static route of {name}",
            ("uplink_down", "accept_ra_lost"),
        )
