# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Runs every check, and hides the symptoms of what is found to be their cause."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from v6native.doctor.checks import (
    accept_ra,
    bpffs,
    conntrack,
    drops,
    forward_drop,
    forwarding,
    gateways,
    kernel,
    log,
    masquerade,
    mtu,
    notes,
    parts,
    port53,
    rp_filter,
    rules,
    sockets,
    tables,
    tools,
    uplink,
    upstream,
    workers,
)
from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity

Check = Callable[[Facts], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    kernel.check,
    bpffs.check,
    tools.check,
    uplink.check,
    accept_ra.check,
    forwarding.check,
    parts.check,
    rules.check,
    rp_filter.check,
    workers.check,
    log.check,
    port53.check,
    upstream.check,
    forward_drop.check,
    masquerade.check,
    sockets.check,
    conntrack.check,
    mtu.check,
    tables.check,
    gateways.check,
    notes.check,
    drops.check,
)

_ORDER = {severity: place for place, severity in enumerate(Severity)}


def examine(facts: Facts) -> tuple[Finding, ...]:
    """All findings worth reading, the worst first, otherwise in the order of the checks."""
    found = [finding for check in CHECKS for finding in check(facts)]
    return tuple(sorted(without_symptoms(found), key=lambda finding: _ORDER[finding.severity]))


def without_symptoms(findings: Iterable[Finding]) -> list[Finding]:
    """Drops every finding one of whose possible causes is among the findings, too."""
    listed = list(findings)
    causes = {finding.code for finding in listed}
    return [finding for finding in listed if not causes.intersection(finding.depends_on)]
