# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the daemon, the API and the commands need of a node, and the words in which they speak of it.

`NodeWork` is the one door: `daemon/host.py` is the real one, made of system/, desired/, plan and dataplane/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path
from typing import Any, Protocol

from v6native.config.facts import HostFacts
from v6native.config.model import Config
from v6native.config.problem import ConfigProblem
from v6native.daemon.workers import WorkerSpec
from v6native.dataplane.door import BibEntry, Reason, Refusals, Session, Totals
from v6native.doctor.facts import Facts as DoctorFacts
from v6native.doctor.facts import WorkerFacts
from v6native.explain.explanation import Explanation
from v6native.fastpath.judge import Verdict


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a plan: `text` is the operator's sentence, `details` its values for programs (plan/actions.py)."""

    action: str
    text: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InterfaceStatus:
    """`role` is uplink, lan, tunnel or translator."""

    name: str
    role: str
    present: bool
    mtu: int | None
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """A range of pool4; `shared`: the node uses the rest of the address itself."""

    address: IPv4Address
    first_port: int
    last_port: int
    shared: bool


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """A client of a tunnel. Ages in seconds; None: no handshake yet."""

    client: str
    address6: IPv6Address
    address4: IPv4Address | None
    endpoint: str | None
    last_handshake_seconds: float | None
    received_bytes: int
    sent_bytes: int


@dataclass(frozen=True, slots=True)
class TunnelStatus:
    name: str
    interface: str
    present: bool
    listen: int
    peers: tuple[PeerStatus, ...]


@dataclass(frozen=True, slots=True)
class TableUse:
    """How full a table of the data plane is."""

    used: int
    size: int


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """What is in place now, as observed."""

    node: str
    interfaces: tuple[InterfaceStatus, ...]
    pref64: tuple[IPv6Network, ...]
    pool4: tuple[PoolStatus, ...]
    sources: tuple[IPv6Network, ...]
    sessions: TableUse
    bib: int
    clients: int
    port_blocks: int
    tunnels: tuple[TunnelStatus, ...]


Progress = Callable[[str], None]


class NodeWork(Protocol):
    """Everything one node can be asked. All of it blocks; none of it remembers anything but what the host holds."""

    def load(self, folder: Path | None = None) -> Config:
        """Reads and checks network.toml and the clients in `folder` (default: the node's own), and compares them with
        the host; ConfigError with all mistakes at once. The warnings are in the Config."""

    def check(self, with_host: bool) -> Sequence[ConfigProblem]:
        """All problems, warnings included; without the host where that cannot or shall not be looked at."""

    def host_facts(self) -> HostFacts: ...

    def node_name(self, config: Config) -> str:
        """Which node of the file this machine is."""

    def preview(self, config: Config) -> tuple[Change, ...]:
        """What `apply` would do; empty when nothing would change."""

    def apply(self, config: Config, progress: Progress) -> tuple[Change, ...]:
        """Does it. On a failure it raises, says what was done and what remains, and can be run again."""

    def remove(self, progress: Progress) -> tuple[Change, ...]:
        """Leaves the host as it was found. Needs no configuration, and may be run again."""

    def workers(self, config: Config | None) -> tuple[WorkerSpec, ...]:
        """The workers that this configuration needs; None: all that this node may have."""

    def in_place(self) -> bool:
        """True when a data plane of this node exists, whoever made it."""

    def status(self, config: Config) -> NodeStatus: ...

    def gateway_trouble(self, config: Config) -> str:
        """Why no packet can be translated here now, as far as the node's own state tells; empty where nothing is wrong."""

    def reasons(self) -> tuple[Reason, ...]: ...

    def counters(self) -> dict[str, int]: ...

    def totals(self) -> Totals: ...

    def sessions(self) -> Iterator[Session]: ...

    def bib(self) -> Iterator[BibEntry]: ...

    def fast_judge(self, config: Config) -> tuple[Verdict, ...]:
        """Looks what could want to see the packets of each pair that the fast path would like. From any thread."""

    def fast_permit(self, verdicts: Sequence[Verdict], seconds: float) -> None:
        """Lets those that are on take the fast path, for so long. From any thread."""

    def fast_unheard(self) -> object:
        """What decides and rings no bell when it changes: differs when it did. From any thread."""

    def explain(self, config: Config, words: Mapping[str, Any]) -> Explanation:
        """What becomes of a packet (explain/question.py tells the words); BadPacket where they make none."""

    def refusals(self, rate: int) -> Refusals:
        """Refused packets since the last call (dataplane/door.py)."""

    def end_refusals(self) -> None: ...

    def doctor_facts(self, config: Config, workers: Sequence[WorkerFacts], ask: bool) -> DoctorFacts:
        """`ask`: the upstream resolvers are asked, which takes seconds where they do not answer."""
