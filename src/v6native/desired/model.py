# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""All that one node shall have. `Desired()`, the empty one, is a host without v6native: that is what `down` applies."""

from __future__ import annotations

from dataclasses import dataclass

from v6native.config.model import PortRange
from v6native.desired.dataplane import DataPlaneConfig
from v6native.desired.state import Address, Link, Neighbour, NftTable, Route, Rule, SettingsFile, Sysctl, WireGuard


@dataclass(frozen=True, slots=True)
class Note:
    """What an operator should know about the values that were decided. `code` is stable, for programs."""

    code: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Desired:
    """`sysctls` come in the order in which they are to be set. `reserved_ports` join those that the host reserves."""

    links: tuple[Link, ...] = ()
    addresses: frozenset[Address] = frozenset()
    routes: frozenset[Route] = frozenset()
    rules: frozenset[Rule] = frozenset()
    neighbours: frozenset[Neighbour] = frozenset()
    sysctls: tuple[Sysctl, ...] = ()
    reserved_ports: tuple[PortRange, ...] = ()
    nft: tuple[NftTable, ...] = ()
    wireguard: tuple[WireGuard, ...] = ()
    dataplane: DataPlaneConfig | None = None
    files: tuple[SettingsFile, ...] = ()
    findings: tuple[Note, ...] = ()
