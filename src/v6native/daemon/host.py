# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""One node, really: config, desired, plan, system and dataplane put together behind daemon.node.NodeWork."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from v6native.config.facts import HostFacts
from v6native.config.hostcheck import check_host
from v6native.config.load import load, this_node
from v6native.config.model import Config
from v6native.config.problem import ConfigProblem, Severity
from v6native.daemon.doors import Doors, RealDoors
from v6native.daemon.node import Change, NodeStatus, Progress
from v6native.daemon.observe import Observed, Peers, doctor_facts, node_status
from v6native.daemon.workers import (
    WorkerSpec,
    dns64_worker,
    log_worker,
    slowpath_worker,
    unbound_itself,
    unbound_worker,
)
from v6native.dataplane.door import BibEntry, DataPlane, FastPermit, Reason, Refusals, Session, Totals
from v6native.dataplane.fake import FakeDataPlane
from v6native.dataplane.look import Look
from v6native.desired import Desired, desired
from v6native.desired.fast import fast_pairs
from v6native.desired.nft import untracked
from v6native.desired.node import look_at
from v6native.desired.state import SLOW, RouteFound, RouteQuestion
from v6native.doctor.checks import kernel, tools
from v6native.doctor.facts import Facts as DoctorFacts
from v6native.doctor.facts import RuleFacts, WorkerFacts
from v6native.errors import ConfigError, EnvironmentRefused
from v6native.explain.explanation import Explanation
from v6native.explain.question import parse
from v6native.explain.walk import explain
from v6native.fastpath.judge import Verdict, judge
from v6native.paths import Paths
from v6native.plan import diff
from v6native.plan.actions import Action
from v6native.system.apply import bring, teardown
from v6native.system.door import Host
from v6native.unbound.settings import FILE as UNBOUND

UNTRACKED_FOR = 90
"""Seconds; the fast path is judged anew more often."""


class HostNode:
    """The node of these folders. `node_name` None: the only node of the file, or the one with the machine's name."""

    def __init__(self, paths: Paths, node_name: str | None, doors: Doors | None = None) -> None:
        self._paths = paths
        self._named = node_name
        self._doors = RealDoors() if doors is None else doors
        self._dataplane: DataPlane | None = None

    def plane(self) -> DataPlane:
        """The data plane, opened at the first use: `check` and `init` need neither root nor BPF."""
        if self._dataplane is None:
            self._dataplane = self._doors.dataplane(self._paths)
        return self._dataplane

    def _writer(self) -> Host:
        return self._doors.host(self._paths, self.plane())

    def _reader(self) -> tuple[Host, DataPlane | None]:
        """Without BPF, as if nothing were loaded: `check`, `init` and `doctor` must work where it does not."""
        try:
            return self._writer(), self.plane()
        except EnvironmentRefused:
            return self._doors.host(self._paths, FakeDataPlane()), None

    def host_facts(self) -> HostFacts:
        return self._reader()[0].facts()

    def _refuse_what_lacks(self, wanted: Desired) -> None:
        """Before anything is touched: EnvironmentRefused with the first thing that this machine lacks."""
        lacks = [*kernel.lacks(self._doors.kernel(self._paths))]
        lacks += tools.lacks(
            self._doors.missing_tools(),
            tunnel=bool(wanted.wireguard),
            unbound=any(f.name == UNBOUND for f in wanted.files),
        )
        for finding in lacks:
            raise EnvironmentRefused(f"{finding.text}; {finding.remedy}")

    def load(self, folder: Path | None = None) -> Config:
        config = self._load_file(folder)
        problems = self._against_host(config)
        if any(problem.severity is Severity.ERROR for problem in problems):
            raise ConfigError((*config.warnings, *problems))
        return config

    def check(self, with_host: bool) -> Sequence[ConfigProblem]:
        config = self._load_file(None)
        return (*config.warnings, *(self._against_host(config) if with_host else ()))

    def _load_file(self, folder: Path | None) -> Config:
        base = self._paths.etc if folder is None else folder
        config = load(base / self._paths.network_toml.name, base / self._paths.clients.name, self._named)
        self.node_name(config)
        return config

    def _against_host(self, config: Config) -> tuple[ConfigProblem, ...]:
        return tuple(check_host(config, self.node_name(config), self.host_facts()))

    def node_name(self, config: Config) -> str:
        return self._named if self._named is not None else this_node(config, os.uname().nodename).name

    def wanted(self, config: Config, facts: HostFacts | None = None) -> Desired:
        """`facts`: read already; reading them costs more than all the rest."""
        return desired(config, self.node_name(config), self.host_facts() if facts is None else facts)

    def preview(self, config: Config) -> tuple[Change, ...]:
        wanted = self.wanted(config)
        self._refuse_what_lacks(wanted)
        return tuple(_change(action) for action in diff(wanted, self._writer().observe(wanted)))

    def apply(self, config: Config, progress: Progress) -> tuple[Change, ...]:
        wanted = self.wanted(config)
        self._refuse_what_lacks(wanted)
        done = bring(self._writer(), wanted, lambda action: progress(str(action)))
        return tuple(_change(action) for action in done)

    def remove(self, progress: Progress) -> tuple[Change, ...]:
        done = teardown(self._writer(), lambda action: progress(str(action)))
        return tuple(_change(action) for action in done)

    def workers(self, config: Config | None) -> tuple[WorkerSpec, ...]:
        dns64, slowpath, log = dns64_worker(self._paths), slowpath_worker(self._paths, SLOW), log_worker(self._paths)
        unbound = unbound_worker(self._paths)
        every = (unbound, dns64, slowpath, log)
        if config is None:
            return (*every, unbound_itself(self._paths))
        wanted = self.wanted(config)
        files = {self._paths.run / file.name for file in wanted.files}
        needed = {
            unbound.name: unbound.config in files,
            dns64.name: dns64.config in files,
            slowpath.name: wanted.dataplane is not None and wanted.dataplane.slow_interface is not None,
            log.name: log.config in files,
        }
        return tuple(spec for spec in every if needed[spec.name])

    def in_place(self) -> bool:
        return self._writer().observe(Desired()).loaded

    def status(self, config: Config) -> NodeStatus:
        facts = self.host_facts()
        wanted = self.wanted(config, facts)
        return node_status(config, self.node_name(config), facts, wanted, self.plane(), self._peers(wanted))

    def gateway_trouble(self, config: Config) -> str:
        if not self.in_place():
            return "the data plane is not in place"
        name, facts = config.node(self.node_name(config)).uplink, self.host_facts()
        uplink = facts.interface(name)
        if uplink is None:
            return f"the uplink {name} is not there"
        if not uplink.up:
            return f"the uplink {name} is down"
        if not any(route.family == 4 and route.interface == name for route in facts.default_routes):
            return f"the uplink {name} has no IPv4 default route"
        return ""

    def reasons(self) -> tuple[Reason, ...]:
        return self.plane().reasons()

    def counters(self) -> dict[str, int]:
        return self.plane().counters()

    def totals(self) -> Totals:
        return self.plane().totals()

    def sessions(self) -> Iterator[Session]:
        return self.plane().sessions()

    def bib(self) -> Iterator[BibEntry]:
        return self.plane().bib()

    def fast_judge(self, config: Config) -> tuple[Verdict, ...]:
        pairs = fast_pairs(config, self.node_name(config))
        if not pairs:
            return ()
        foreign = self._doors.foreign({name for pair in pairs for name in (pair.ingress, pair.egress)})
        verdicts = judge(pairs, foreign)
        on = any(verdict.on for verdict in verdicts)
        here = look_at(config, self.node_name(config), self.host_facts()) if on and foreign.tracking else None
        self._doors.untrack(None if here is None else untracked(here), UNTRACKED_FOR)
        return verdicts

    def fast_permit(self, verdicts: Sequence[Verdict], seconds: float) -> None:
        permits = [FastPermit(v.pair, v.ingress_l3, v.egress_l3) for v in verdicts if v.on]
        self.plane().permit(permits, seconds)

    def fast_unheard(self) -> object:
        return self._doors.unheard()

    def explain(self, config: Config, words: Mapping[str, Any]) -> Explanation:
        here = look_at(config, self.node_name(config), self.host_facts())
        question = parse(words, here.config.network.pref64)
        return explain(_Asked(self._doors, self.plane()), here, question)

    def refusals(self, rate: int) -> Refusals:
        return self.plane().refusals(rate)

    def end_refusals(self) -> None:
        self.plane().end_refusals()

    def doctor_facts(self, config: Config, workers: Sequence[WorkerFacts], ask: bool) -> DoctorFacts:
        host, plane = self._reader()
        facts = host.facts()
        wanted = self.wanted(config, facts)
        actual = host.observe(wanted)
        seen = Observed(
            facts=facts,
            kernel=self._doors.kernel(self._paths),
            missing_tools=self._doors.missing_tools(),
            wanted=wanted,
            dataplane=plane if actual.loaded else None,
            pending=tuple(str(action) for action in diff(wanted, actual)),
            rules=tuple(
                RuleFacts(r.family, r.priority, r.text, r.ours, r.catches_all)
                for r in self._doors.rules()
                if not r.kernels
            ),
            workers=workers,
            ask=ask,
        )
        return doctor_facts(config, self.node_name(config), seen)

    def _peers(self, wanted: Desired) -> Peers:
        seen = {wg.interface: self._doors.peers(wg.interface) for wg in wanted.wireguard}
        return {interface: found for interface, found in seen.items() if found is not None}


@dataclass(frozen=True, slots=True)
class _Asked:
    """explain.walk.Machine: this machine's kernel and translators."""

    doors: Doors
    plane: DataPlane

    def route(self, question: RouteQuestion) -> RouteFound:
        return self.doors.route(question)

    def dry_run(self, program: str, packet: bytes, mark: int = 0) -> Look:
        return self.plane.dry_run(program, packet, mark)

    def program_at(self, interface: str) -> str | None:
        return next((a.program for a in self.plane.attached() if a.interface == interface), None)


def _change(action: Action) -> Change:
    details = action.as_json()
    return Change(str(details.pop("action")), str(details.pop("text")), details)
