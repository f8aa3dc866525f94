# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""All that the checks look at, gathered at one moment; `daemon/host.py` fills it. Nothing here reads a machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from v6native.config.facts import HostFacts, InterfaceFacts
from v6native.config.model import (
    Config,
    Node,
)
from v6native.config.modeldns import (
    Upstream,
)
from v6native.dataplane.door import Reason, Totals
from v6native.desired.dataplane import DataPlaneConfig
from v6native.desired.model import Note
from v6native.health.gateway import Gateway


@dataclass(frozen=True, slots=True)
class KernelFacts:
    """`release` as of uname(2), e.g. "6.1.0-18-amd64"."""

    release: str
    btf: bool
    bpffs_mounted: bool

    @property
    def version(self) -> tuple[int, int]:
        """(6, 1); (0, 0) where the release is no number."""
        major, _, rest = self.release.partition(".")
        minor = rest.partition(".")[0].partition("-")[0]
        return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else (0, 0)


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """A policy routing rule of anybody. `text` is for the operator; `catches_all`: it has no selector."""

    family: int
    priority: int
    text: str
    ours: bool
    catches_all: bool


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """`stats` is what the worker itself tells; empty where it does not answer, or nobody asked."""

    name: str
    running: bool
    restarts: int
    stats: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResolverFacts:
    """An upstream that was asked; `error` None: it answered."""

    upstream: Upstream
    error: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """`sysctls` maps paths below /proc/sys to values, those that could be read. `missing_tools` are commands.

    `pending` is what an `up` would change now, a line each. `in_place`: there is a data plane; what depends on one
    (counters, totals, pending) is empty without it. `dataplane` is what the file asks for,
    `notes` what had to be decided without something. `resolvers` None: not asked.
    """

    config: Config
    node: Node
    host: HostFacts
    kernel: KernelFacts
    in_place: bool
    sysctls: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[RuleFacts, ...] = ()
    pending: tuple[str, ...] = ()
    workers: tuple[WorkerFacts, ...] = ()
    resolvers: tuple[ResolverFacts, ...] | None = None
    missing_tools: tuple[str, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    dataplane: DataPlaneConfig | None = None
    notes: tuple[Note, ...] = ()
    reasons: tuple[Reason, ...] = ()
    counters: Mapping[str, int] = field(default_factory=dict)
    totals: Totals | None = None

    @property
    def uplink(self) -> InterfaceFacts | None:
        return self.host.interface(self.node.uplink)

    def sysctl(self, key: str) -> str | None:
        return self.sysctls.get(key)
