# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The API's documents: what a running daemon and a command without one tell alike."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv6Network
from typing import Any

from v6native.config.model import Config
from v6native.daemon.node import Change, NodeStatus, NodeWork
from v6native.doctor.examine import CHECKS, examine
from v6native.doctor.facts import WorkerFacts
from v6native.doctor.finding import Finding, Severity
from v6native.fastpath.judge import Verdict
from v6native.health.gateway import Gateway


@dataclass(frozen=True, slots=True)
class PlanDocument:
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class CountersDocument:
    """Packets by reason, and what each reason means."""

    counters: Mapping[str, int]
    reasons: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class DoctorDocument:
    """`checks` is how many looked."""

    checks: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class WorkerDocument:
    """`seconds` is how long it has run under this daemon; `stats` is what the worker itself tells."""

    name: str
    pid: int | None
    seconds: float | None
    restarts: int
    stats: Any


@dataclass(frozen=True, slots=True)
class LastReload:
    """How the last load and apply went; `changes` is how many were made."""

    at: datetime.datetime
    changes: int
    error: str | None


@dataclass(frozen=True, slots=True)
class DaemonDocument:
    """`trouble` is why the last repair of the host failed; None: nothing is broken."""

    pid: int
    version: str
    uptime_seconds: float
    reload: LastReload | None
    trouble: str | None


@dataclass(frozen=True, slots=True)
class ConfirmDocument:
    """`seconds_left` None: nothing waits to be confirmed. `last_undo` tells of a change that was not."""

    seconds_left: float | None
    last_undo: str | None


@dataclass(frozen=True, slots=True)
class FastPathDocument:
    """Whether packets from one interface go straight out of the other; `direction` is 6to4 or 4to6, `reasons` why not."""

    ingress: str
    egress: str
    direction: str
    on: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GatewayDocument:
    """Whether translation through a pref64 works, and if not, why."""

    pref64: IPv6Network
    healthy: bool
    why: str


@dataclass(frozen=True, slots=True)
class StatusDocument:
    """`ok`: the daemon has no trouble, every worker runs, and the doctor has no error.

    `fast_path` has no element where the file turns it off, or there is no NAT64.
    """

    ok: bool
    daemon: DaemonDocument
    node: NodeStatus
    workers: tuple[WorkerDocument, ...]
    fast_path: tuple[FastPathDocument, ...]
    gateways: tuple[GatewayDocument, ...]
    confirm: ConfirmDocument
    findings: Mapping[str, int]


def counters_document(node: NodeWork) -> CountersDocument:
    reasons = {reason.name: {"kind": reason.kind, "text": reason.text} for reason in node.reasons()}
    return CountersDocument(node.counters(), reasons)


def doctor_document(
    node: NodeWork,
    config: Config,
    workers: Sequence[WorkerFacts],
    ask: bool = True,
    gateways: tuple[Gateway, ...] = (),
) -> DoctorDocument:
    """`gateways`: as the daemon found them; without one, nothing is known of them."""
    facts = replace(node.doctor_facts(config, workers, ask), gateways=gateways)
    return DoctorDocument(len(CHECKS), examine(facts))


def fast_path_documents(verdicts: Sequence[Verdict]) -> tuple[FastPathDocument, ...]:
    return tuple(
        FastPathDocument(v.pair.ingress, v.pair.egress, "6to4" if v.pair.from6 else "4to6", v.on, v.reasons)
        for v in verdicts
    )


def count_findings(findings: Sequence[Finding]) -> dict[str, int]:
    return {severity.value: sum(f.severity is severity for f in findings) for severity in Severity}
