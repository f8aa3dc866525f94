# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that v6native may do to a host, a class each. `str()` is the sentence of `plan`, `as_json` its JSON form."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum

from v6native.desired.dataplane import DataPlaneConfig
from v6native.desired.state import (
    LOCAL_TABLE,
    MAIN_TABLE,
    Address,
    Link,
    Neighbour,
    NftTable,
    Route,
    RouteKind,
    Rule,
    SettingsFile,
    Sysctl,
    WireGuard,
)

Json = dict[str, "Json"] | list["Json"] | str | int | bool | None


@dataclass(frozen=True, slots=True)
class Action:
    """One change of the host, that succeeds or leaves things as they were; again: does nothing, or is not planned."""

    def as_json(self) -> dict[str, Json]:
        kind = re.sub(r"(?<!^)(?=[A-Z])", "-", type(self).__name__).lower()
        return {"action": kind, "text": str(self), **{f.name: _json(getattr(self, f.name)) for f in fields(self)}}


def _json(value: object) -> Json:
    if value is None or (isinstance(value, bool | int | str) and not isinstance(value, Enum)):
        return value
    if is_dataclass(value):
        return {f.name: _json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, frozenset | set):
        return [_json(v) for v in sorted(value, key=str)]
    if isinstance(value, tuple | list):
        return [_json(v) for v in value]
    return str(value)


# Interfaces


@dataclass(frozen=True, slots=True)
class AddVeth(Action):
    link: Link
    peer: Link

    def __str__(self) -> str:
        return f"add interfaces {self.link.name} and {self.peer.name} (a veth pair, MTU {self.link.mtu})"


@dataclass(frozen=True, slots=True)
class AddTap(Action):
    link: Link

    def __str__(self) -> str:
        return f"add interface {self.link.name} (TAP, MTU {self.link.mtu})"


@dataclass(frozen=True, slots=True)
class AddWireGuard(Action):
    link: Link

    def __str__(self) -> str:
        return f"add interface {self.link.name} (WireGuard, MTU {self.link.mtu})"


@dataclass(frozen=True, slots=True)
class RemoveLink(Action):
    name: str

    def __str__(self) -> str:
        return f"remove interface {self.name}, with its addresses and routes"


@dataclass(frozen=True, slots=True)
class SetMtu(Action):
    name: str
    mtu: int
    old: int

    def __str__(self) -> str:
        return f"set the MTU of {self.name} from {self.old} to {self.mtu}"


@dataclass(frozen=True, slots=True)
class SetMac(Action):
    name: str
    mac: str

    def __str__(self) -> str:
        return f"set the MAC address of {self.name} to {self.mac}"


@dataclass(frozen=True, slots=True)
class SetUp(Action):
    name: str

    def __str__(self) -> str:
        return f"set interface {self.name} up"


@dataclass(frozen=True, slots=True)
class SwitchOff(Action):
    name: str
    features: frozenset[str]

    def __str__(self) -> str:
        return f"switch off on {self.name}: {', '.join(sorted(self.features))}"


# Addresses, neighbours, routes, rules


@dataclass(frozen=True, slots=True)
class AddAddress(Action):
    address: Address

    def __str__(self) -> str:
        return f"add address {self.address.ip} to {self.address.interface}"


@dataclass(frozen=True, slots=True)
class RemoveAddress(Action):
    address: Address

    def __str__(self) -> str:
        return f"remove address {self.address.ip} from {self.address.interface}"


@dataclass(frozen=True, slots=True)
class SetNeighbour(Action):
    """Adds it, or gives it another MAC address."""

    neighbour: Neighbour

    def __str__(self) -> str:
        return f"add {_neighbour(self.neighbour)}"


@dataclass(frozen=True, slots=True)
class RemoveNeighbour(Action):
    neighbour: Neighbour

    def __str__(self) -> str:
        return f"remove {_neighbour(self.neighbour)}"


@dataclass(frozen=True, slots=True)
class AddRoute(Action):
    route: Route

    def __str__(self) -> str:
        return f"add {_route(self.route)}"


@dataclass(frozen=True, slots=True)
class ReplaceRoute(Action):
    """Our own route of the same key becomes this one, without a moment in which there is none."""

    route: Route
    old: Route

    def __str__(self) -> str:
        return f"change {_route(self.old)} to {_route(self.route)}"


@dataclass(frozen=True, slots=True)
class RemoveRoute(Action):
    route: Route

    def __str__(self) -> str:
        return f"remove {_route(self.route)}"


@dataclass(frozen=True, slots=True)
class AddRule(Action):
    rule: Rule

    def __str__(self) -> str:
        return f"add {_rule(self.rule)}"


@dataclass(frozen=True, slots=True)
class RemoveRule(Action):
    rule: Rule

    def __str__(self) -> str:
        return f"remove {_rule(self.rule)}"


@dataclass(frozen=True, slots=True)
class RemoveKernelLocalRule(Action):
    """Only ever planned behind our own rule for local addresses. saved.json remembers it."""

    def __str__(self) -> str:
        return "remove the IPv4 rule 0 for local addresses (ours stands further behind)"


@dataclass(frozen=True, slots=True)
class RestoreKernelLocalRule(Action):
    def __str__(self) -> str:
        return "restore the IPv4 rule 0 for local addresses"


# Kernel settings, firewall


@dataclass(frozen=True, slots=True)
class SetSysctl(Action):
    """`save` are keys with values to keep in saved.json first: this key's, and those that the kernel changes with it."""

    key: str
    value: str
    old: str | None
    save: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        was = "" if self.old is None else f" (was {self.old or 'empty'})"
        return f"set sysctl {self.key} to {self.value or 'empty'}{was}"


@dataclass(frozen=True, slots=True)
class SetOwnSysctls(Action):
    """Settings of an interface of ours; they end with it, so nothing is saved."""

    interface: str
    settings: tuple[Sysctl, ...]

    def __str__(self) -> str:
        values = (f"{s.key.split('/')[1]} {s.key.rsplit('/', 1)[1]} {s.value}" for s in self.settings)
        return f"set on {self.interface}: {', '.join(values)}"


@dataclass(frozen=True, slots=True)
class RestoreSysctl(Action):
    key: str
    value: str

    def __str__(self) -> str:
        return f"restore sysctl {self.key} to {self.value or 'empty'}"


@dataclass(frozen=True, slots=True)
class LoadNft(Action):
    table: NftTable

    def __str__(self) -> str:
        return f"load nftables table inet {self.table.name}, which switches defragmentation on"


@dataclass(frozen=True, slots=True)
class RemoveNft(Action):
    name: str

    def __str__(self) -> str:
        return f"remove nftables table inet {self.name}"


# Tunnels, translators, workers


@dataclass(frozen=True, slots=True)
class ConfigureWireGuard(Action):
    settings: WireGuard
    why: str

    def __str__(self) -> str:
        name, count = self.settings.interface, len(self.settings.peers)
        return f"configure WireGuard {name}: port {self.settings.listen}, peers: {count} ({self.why})"


@dataclass(frozen=True, slots=True)
class ConfigureDataPlane(Action):
    config: DataPlaneConfig
    changes: tuple[str, ...]

    def __str__(self) -> str:
        return f"configure the translators: {'; '.join(self.changes)}"


@dataclass(frozen=True, slots=True)
class RemoveDataPlane(Action):
    def __str__(self) -> str:
        return "remove the translators from the kernel, with their sessions"


@dataclass(frozen=True, slots=True)
class Attach(Action):
    interface: str
    program: str

    def __str__(self) -> str:
        return f"attach BPF program {self.program} to {self.interface}"


@dataclass(frozen=True, slots=True)
class Detach(Action):
    interface: str
    program: str

    def __str__(self) -> str:
        return f"detach BPF program {self.program} from {self.interface}"


@dataclass(frozen=True, slots=True)
class WriteFile(Action):
    file: SettingsFile

    def __str__(self) -> str:
        return f"write settings {self.file.name}"


@dataclass(frozen=True, slots=True)
class RemoveFile(Action):
    name: str

    def __str__(self) -> str:
        return f"remove settings {self.name}"


def _words(parts: Iterable[str | None]) -> str:
    return " ".join(part for part in parts if part)


def _neighbour(entry: Neighbour) -> str:
    if entry.mac is None:
        return f"proxy neighbour {entry.address} on {entry.interface}"
    return f"neighbour {entry.address} on {entry.interface} with MAC address {entry.mac}"


def _route(route: Route) -> str:
    kind = "unreachable " if route.kind is RouteKind.UNREACHABLE else ""
    family6 = "inet6 " if route.destination.version == 4 else ""
    return _words(
        [
            f"route {kind}{route.destination}",
            f"via {family6}{route.gateway}" if route.gateway else None,
            f"dev {route.device}" if route.device else None,
            f"src {route.source}" if route.source else None,
            f"table {route.table}" if route.table != MAIN_TABLE else None,
            f"metric {route.metric}" if route.metric else None,
            f"mtu {route.mtu}" if route.mtu else None,
        ]
    )


def _rule(rule: Rule) -> str:
    table = "local" if rule.table == LOCAL_TABLE else str(rule.table)
    return _words(
        [
            f"IPv{rule.family} rule {rule.priority}:",
            f"from {rule.source}" if rule.source else None,
            f"to {rule.destination}" if rule.destination else None,
            f"fwmark {rule.fwmark:#x}/{rule.fwmask or 0xFFFFFFFF:#x}" if rule.fwmark is not None else None,
            f"iif {rule.iif}" if rule.iif else None,
            f"lookup {table}",
            "suppress_prefixlength 0" if rule.but_default else None,
        ]
    )
