# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A node on twins: real configuration, desired state, plan and daemon; a host and a data plane in memory."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from pathlib import Path

from v6native.config.facts import DefaultRoute, HostFacts, InterfaceFacts
from v6native.config.model import Proto
from v6native.daemon.host import HostNode
from v6native.daemon.workers import WorkerSpec
from v6native.dataplane.door import BibEntry, DataPlane, Session, TcpState
from v6native.dataplane.fake import FakeDataPlane
from v6native.desired.state import LinkKind, NftTable, RouteFound, RouteQuestion, Way
from v6native.doctor.facts import KernelFacts
from v6native.fastpath.facts import ETHERNET, Device, Foreign
from v6native.paths import Paths
from v6native.plan.actual import Actual, FoundLink
from v6native.system.all_rules import AnyRule
from v6native.system.fake import FakeHost
from v6native.system.handshakes import PeerSeen

FILE = """\
[network]
name = "lab"
prefix = ["2001:db8:64::/48"]
pref64 = "2001:db8:64:64::/96"

[node.edge1]
uplink = "eth0"
lan = ["lan0"]
pool4 = ["uplink:40000-59999"]

[dns64]
enabled = false

[nat64]
allow_ipv4 = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"]
"""
ETH0 = InterfaceFacts("eth0", 1500, ipv4=(IPv4Interface("192.0.2.1/24"),), ipv6=(IPv6Interface("2001:db8:1::1/64"),))
LAN0 = InterfaceFacts("lan0", 1500, ipv6=(IPv6Interface("2001:db8:64:1::1/64"),))
FACTS = HostFacts(
    hostname="edge1",
    interfaces=(ETH0, LAN0),
    default_routes=(DefaultRoute(4, "eth0", IPv4Address("192.0.2.254")), DefaultRoute(6, "eth0", None, 1024, True)),
    resolvers=(IPv4Address("192.0.2.53"),),
)
SYSCTLS = {
    "net/ipv4/ip_forward": "0",
    "net/ipv4/conf/all/accept_redirects": "1",
    "net/ipv6/conf/all/forwarding": "0",
    "net/ipv4/ip_local_reserved_ports": "",
    **{f"net/ipv4/conf/{name}/forwarding": "0" for name in ("default", "eth0", "lan0")},
    **{
        f"net/ipv6/conf/{name}/{key}": "0"
        for name in ("default", "eth0", "lan0")
        for key in ("forwarding", "proxy_ndp")
    },
    **{f"net/ipv6/conf/{name}/accept_ra": "1" for name in ("default", "eth0", "lan0")},
}


def machine() -> FakeHost:
    """A machine that never saw v6native."""
    links = {name: FoundLink(name, LinkKind.OTHER, 1500, up=True) for name in ("lo", "eth0", "lan0")}
    return FakeHost(known=FACTS, state=Actual(links=links, sysctls=SYSCTLS))


@dataclass(slots=True)
class FakeDoors:
    """The same machine at every opening; `missing` are tools that it lacks; `routes` are by destination;
    `wants` is what may want to see packets.
    """

    machine: FakeHost = field(default_factory=machine)
    missing: tuple[str, ...] = ()
    release: str = "6.1.0-18-amd64"
    wants: Foreign = field(default_factory=Foreign)
    untracked: list[NftTable | None] = field(default_factory=list)
    routes: dict[str, RouteFound] = field(default_factory=dict)

    def host(self, paths: Paths, dataplane: DataPlane) -> FakeHost:
        return self.machine

    def dataplane(self, paths: Paths) -> FakeDataPlane:
        return self.machine.dataplane

    def kernel(self, paths: Paths) -> KernelFacts:
        return KernelFacts(self.release, True, True)

    def missing_tools(self) -> tuple[str, ...]:
        return self.missing

    def peers(self, interface: str) -> Mapping[str, PeerSeen] | None:
        return None

    def rules(self) -> Iterator[AnyRule]:
        return iter(())

    def foreign(self, interfaces: Iterable[str]) -> Foreign:
        return replace(self.wants, devices={name: Device(ETHERNET) for name in interfaces})

    def unheard(self) -> object:
        return ()

    def untrack(self, table: NftTable | None, seconds: int) -> None:
        self.untracked.append(table)

    def route(self, question: RouteQuestion) -> RouteFound:
        return self.routes.get(str(question.destination), RouteFound(Way.NO_ROUTE))


@dataclass(slots=True)
class Rig:
    paths: Paths
    doors: FakeDoors

    @property
    def node(self) -> HostNode:
        return HostNode(self.paths, None, self.doors)

    def write(self, text: str) -> None:
        self.paths.etc.mkdir(parents=True, exist_ok=True)
        self.paths.network_toml.write_text(text)

    def address_changes(self, address: str) -> None:
        """The uplink gets another IPv4 address, as by DHCP."""
        uplink = replace(ETH0, ipv4=(IPv4Interface(address),))
        self.doors.machine.known = replace(FACTS, interfaces=(uplink, LAN0))


def rig(folder: Path, text: str = FILE) -> Rig:
    made = Rig(Paths(folder / "etc", folder / "run", folder / "var", folder / "bpffs"), FakeDoors())
    made.write(text)
    return made


def session(port: int = 4000, remote: str = "198.51.100.80", state: TcpState | None = TcpState.ESTABLISHED) -> Session:
    client, pool = IPv6Address("2001:db8:64:1::5"), IPv4Address("192.0.2.1")
    return Session(
        Proto.UDP if state is None else Proto.TCP, client, port, pool, 40000 + port % 1000,
        IPv6Address("2001:db8:64:64::") + int(IPv4Address(remote)), IPv4Address(remote), 80, state, False, 100.0, 5.0, 10, 20,
    )  # fmt: skip


def binding(port: int = 4000) -> BibEntry:
    return BibEntry(
        Proto.TCP, IPv6Address("2001:db8:64:1::5"), port, IPv4Address("192.0.2.1"), 40000 + port % 1000, False, 1, 5.0
    )


@dataclass(slots=True)
class FakeLauncher:
    """Processes as numbers. `stamps` are the configuration files' by worker; `told` the signals sent."""

    running: dict[int, WorkerSpec] = field(default_factory=dict)
    stamps: dict[str, int] = field(default_factory=dict)
    told: list[tuple[int, signal.Signals]] = field(default_factory=list)
    started: int = 0
    refusing: bool = False

    def find(self, spec: WorkerSpec) -> int | None:
        return next((pid for pid, other in self.running.items() if other == spec), None)

    def start(self, spec: WorkerSpec) -> int:
        from v6native.errors import SystemActionError

        self.started += 1
        if self.refusing:
            raise SystemActionError("no such program")
        pid = 1000 + self.started
        self.running[pid] = spec
        return pid

    def alive(self, pid: int, spec: WorkerSpec) -> bool:
        return self.running.get(pid) == spec

    def signal(self, pid: int, number: signal.Signals) -> None:
        self.told.append((pid, number))
        if number is signal.SIGTERM:
            self.running.pop(pid, None)

    def end(self, pid: int, spec: WorkerSpec) -> None:
        self.running.pop(pid, None)

    def listens(self, spec: WorkerSpec) -> bool:
        return True

    def stamp(self, spec: WorkerSpec) -> int | None:
        return self.stamps.get(spec.name)
