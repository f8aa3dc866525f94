# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the API asks of the running daemon: everything that blocks goes through the runner's one lock or a thread."""

from __future__ import annotations

import asyncio
import datetime
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from v6native import __version__
from v6native.daemon import confirm
from v6native.daemon.core import ReloadResult
from v6native.daemon.documents import (
    ConfirmDocument,
    CountersDocument,
    DaemonDocument,
    DoctorDocument,
    GatewayDocument,
    LastReload,
    PlanDocument,
    StatusDocument,
    WorkerDocument,
    count_findings,
    counters_document,
    doctor_document,
    fast_path_documents,
)
from v6native.daemon.node import NodeStatus
from v6native.daemon.run import Runner
from v6native.daemon.told import told, top_domains
from v6native.daemon.watchers import Watchers
from v6native.daemon.workers import WorkerState, dns64_top
from v6native.dataplane.door import BibEntry, Session
from v6native.doctor.facts import WorkerFacts
from v6native.explain.explanation import Explanation
from v6native.explain.refused import parse
from v6native.log.answer import document
from v6native.log.lookup import look_up
from v6native.log.question import Question
from v6native.metrics.exposition import PeerReading, Reading, WorkerReading, render
from v6native.paths import Paths


class DaemonBackend:
    """The API's view of one running daemon."""

    def __init__(self, runner: Runner, paths: Paths) -> None:
        self._runner = runner
        self._paths = paths
        self._watchers = Watchers(runner.parts.node.refusals, runner.parts.node.end_refusals)

    async def status(self) -> StatusDocument:
        daemon = self._runner.parts.daemon
        node = await self._node_status()
        workers = await self._workers()
        doctor = await self._doctor(workers, ask=False)
        counts = count_findings(doctor.findings)
        ok = daemon.trouble is None and not counts["error"] and all(worker.pid is not None for worker in workers)
        fast = fast_path_documents(self._runner.fast.verdicts)
        gateways = tuple(GatewayDocument(g.prefix, g.healthy, g.why) for g in self._runner.health.gateways)
        return StatusDocument(ok, self._daemon(), node, workers, fast, gateways, self._confirm(), counts)

    async def counters(self) -> CountersDocument:
        return await asyncio.to_thread(counters_document, self._runner.parts.node)

    async def doctor(self) -> DoctorDocument:
        return await self._doctor(await self._workers(), ask=True)

    async def _doctor(self, workers: tuple[WorkerDocument, ...], ask: bool) -> DoctorDocument:
        node, config = self._runner.parts.node, self._runner.parts.daemon.config
        facts = tuple(WorkerFacts(w.name, w.pid is not None, w.restarts, _stats_of(w)) for w in workers)
        gateways = self._runner.health.gateways
        return await self._runner.blocking(lambda: doctor_document(node, config, facts, ask, gateways))

    async def explain(self, words: Mapping[str, Any]) -> Explanation:
        node, config = self._runner.parts.node, self._runner.parts.daemon.config
        return await self._runner.blocking(lambda: node.explain(config, words))

    def trace(self, words: Mapping[str, str]) -> AsyncIterator[dict[str, Any]]:
        reasons = (reason.name for reason in self._runner.parts.node.reasons())
        return self._watchers.lines(parse(words, reasons))

    async def plan(self) -> PlanDocument:
        return PlanDocument(await self._runner.blocking(self._runner.parts.daemon.plan))

    async def reload(self) -> ReloadResult:
        return await self._runner.reload()

    async def down(self) -> PlanDocument:
        return PlanDocument(await self._runner.down())

    async def confirm(self) -> dict[str, bool]:
        return {"confirmed": confirm.confirm(self._paths.run)}

    async def metrics(self) -> bytes:
        node, daemon = self._runner.parts.node, self._runner.parts.daemon
        status = await self._node_status()
        counted = await self.counters()
        totals = await asyncio.to_thread(node.totals)
        bib = await asyncio.to_thread(lambda: Counter(entry.proto.value for entry in node.bib()))
        workers = await self._workers()
        doctor = await self._doctor(workers, ask=False)
        return render(
            Reading(
                version=__version__,
                node=status.node,
                uptime=self._uptime(),
                reload_ok=daemon.last is None or daemon.last.ok,
                counters=counted.counters,
                reasons=node.reasons(),
                totals=totals,
                pool_ports=sum(p.last_port - p.first_port + 1 for p in status.pool4),
                bib={proto: bib[proto] for proto in ("tcp", "udp", "icmp")},
                workers=tuple(_worker_reading(worker) for worker in workers),
                peers=tuple(_peers(status)),
                findings=count_findings(doctor.findings),
                fast_path={(v.pair.ingress, v.pair.egress): v.on for v in self._runner.fast.verdicts},
                gateways={str(g.prefix): g.healthy for g in self._runner.health.gateways},
            )
        )

    def sessions(self) -> Iterator[Session]:
        return self._runner.parts.node.sessions()

    def bib(self) -> Iterator[BibEntry]:
        return self._runner.parts.node.bib()

    def who_had(self, question: Question) -> dict[str, Any]:
        now = datetime.datetime.now(datetime.UTC)
        return document(look_up(self._paths.log_database, question, now))

    def dns_top(self) -> dict[str, Any]:
        return top_domains(dns64_top(self._paths), self.sessions())

    async def _node_status(self) -> NodeStatus:
        node, config = self._runner.parts.node, self._runner.parts.daemon.config
        return await self._runner.blocking(lambda: node.status(config))

    async def _workers(self) -> tuple[WorkerDocument, ...]:
        states = self._runner.parts.supervisor.states()
        stats = await asyncio.gather(*(asyncio.to_thread(_stats, state) for state in states))
        now = time.monotonic()
        return tuple(
            WorkerDocument(s.spec.name, s.pid, None if s.since is None else now - s.since, s.restarts, told)
            for s, told in zip(states, stats, strict=True)
        )

    def _daemon(self) -> DaemonDocument:
        daemon = self._runner.parts.daemon
        result = daemon.last
        last = None if result is None else LastReload(result.at, len(result.changes), result.error)
        return DaemonDocument(os.getpid(), __version__, self._uptime(), last, daemon.trouble)

    def _confirm(self) -> ConfirmDocument:
        waiting = confirm.pending(self._paths.run)
        left = None if waiting is None else waiting.seconds_left(time.clock_gettime(time.CLOCK_BOOTTIME))
        return ConfirmDocument(left, confirm.last_undo(self._paths.run))

    def _uptime(self) -> float:
        return time.monotonic() - self._runner.started


def _stats(state: WorkerState) -> Any:
    """The JSON document that a worker tells; None where it does not answer."""
    return told(state.spec.stats) if state.running else None


def _worker_reading(worker: WorkerDocument) -> WorkerReading:
    return WorkerReading(worker.name, worker.pid is not None, worker.restarts, _stats_of(worker))


def _stats_of(worker: WorkerDocument) -> dict[str, object]:
    return worker.stats if isinstance(worker.stats, dict) else {}


def _peers(status: NodeStatus) -> Iterator[PeerReading]:
    for tunnel in status.tunnels:
        for peer in tunnel.peers:
            yield PeerReading(
                tunnel.name, peer.client, peer.last_handshake_seconds, peer.received_bytes, peer.sent_bytes
            )
