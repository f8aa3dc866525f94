# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Strict reverse path filtering drops packets whose way back is another interface: the translators' always is."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.desired.state import CLAT_X, NAT64_X
from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity


def check(facts: Facts) -> Iterator[Finding]:
    ours = facts.dataplane
    names = (ours.nat64_interface, ours.clat_interface) if ours is not None else (NAT64_X, CLAT_X)
    everywhere = _number(facts.sysctl("net/ipv4/conf/all/rp_filter"))
    for name in dict.fromkeys((*names, facts.node.uplink)):
        own = facts.sysctl(f"net/ipv4/conf/{name}/rp_filter")
        # The kernel takes the larger of both: 2 (loose) on the interface wins over a strict default (ip-sysctl).
        if own is None or max(_number(own), everywhere) != 1:
            continue
        if name == facts.node.uplink and facts.host.default_route(4) is not None:
            continue
        yield Finding(
            "rp_filter_strict",
            Severity.ERROR,
            f"{name} has strict reverse path filtering (rp_filter = 1): translated packets are dropped there",
            f"`sysctl net.ipv4.conf.{name}.rp_filter=2`, and see which program sets it back",
        )


def _number(value: str | None) -> int:
    return int(value) if value is not None and value.isdigit() else 0
