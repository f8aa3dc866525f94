# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A router accepts router advertisements only with accept_ra=2: forwarding alone loses the default route (ip-sysctl)."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity


def check(facts: Facts) -> Iterator[Finding]:
    name = facts.node.uplink
    route = facts.host.default_route(6)
    # A static default route needs no advertisements; one of another interface neither.
    if route is not None and not (route.from_ra and route.interface == name):
        return
    if facts.sysctl(f"net/ipv6/conf/{name}/accept_ra") != "1":
        return
    if facts.sysctl("net/ipv6/conf/all/forwarding") in (None, "0"):
        return
    gone = "is lost" if route is None else "will be lost when its lifetime ends"
    yield Finding(
        "accept_ra_lost",
        Severity.ERROR if route is None else Severity.WARNING,
        f"{name} forwards and has accept_ra=1, so the kernel ignores router advertisements; the IPv6 default route {gone}",
        f"`sysctl net.ipv6.conf.{name}.accept_ra=2`, and see which program sets it back",
        ("uplink_missing",),
    )
