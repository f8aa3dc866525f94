# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The tools that the configuration needs are installed: nft always, WireGuard's where there is a tunnel."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity


def check(facts: Facts) -> Iterator[Finding]:
    tunnel = any(tunnel.node == facts.node.name for tunnel in facts.config.tunnels)
    return lacks(facts.missing_tools, tunnel, facts.config.dns64.runs_unbound)


def lacks(missing: Collection[str], tunnel: bool, unbound: bool) -> Iterator[Finding]:
    """Asked before anything is touched, too."""
    if "nft" in missing:
        yield Finding(
            "nft_missing",
            Severity.ERROR,
            "the command nft is not installed; it switches reassembly of fragments on",
            "`apt install nftables`",
        )
    if unbound and "unbound" in missing:
        yield Finding(
            "unbound_missing",
            Severity.ERROR,
            "the node is to run an unbound, which is not installed",
            "`apt install unbound`; let `systemctl disable --now unbound` end the one that the package starts, unless you use it",
        )
    if not tunnel:
        return
    if "wg" in missing:
        yield Finding(
            "wireguard_tools_missing",
            Severity.ERROR,
            "a tunnel is configured, but the command wg is not installed",
            "`apt install wireguard-tools`",
        )
    if "wireguard" in missing:
        yield Finding(
            "wireguard_missing",
            Severity.ERROR,
            "a tunnel is configured, but neither the kernel has WireGuard nor is wireguard-go installed",
            "boot a kernel with WireGuard, or `apt install wireguard-go`",
        )
