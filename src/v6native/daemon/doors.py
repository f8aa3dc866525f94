# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The doors to one machine, opened late: netlink and libbpf are not needed to print help, nor BPF to check a file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from v6native.dataplane.bpffs import is_bpffs
from v6native.dataplane.door import DataPlane
from v6native.desired.state import NftTable, RouteFound, RouteQuestion
from v6native.doctor.facts import KernelFacts
from v6native.fastpath.facts import Foreign
from v6native.paths import Paths
from v6native.system import firewall, legacy_tables
from v6native.system.all_rules import AnyRule, all_rules
from v6native.system.door import Host
from v6native.system.handshakes import PeerSeen, peers

BTF = Path("/sys/kernel/btf/vmlinux")
MODULES = Path("/lib/modules")
WIREGUARD_MODULE = Path("/sys/module/wireguard")


class Doors(Protocol):
    """Tests give twins."""

    def host(self, paths: Paths, dataplane: DataPlane) -> Host: ...

    def dataplane(self, paths: Paths) -> DataPlane:
        """EnvironmentRefused where this machine or this caller cannot use BPF."""

    def kernel(self, paths: Paths) -> KernelFacts: ...

    def missing_tools(self) -> tuple[str, ...]:
        """Which of nft, wg, unbound and wireguard (the kernel's, or wireguard-go) are not there."""

    def peers(self, interface: str) -> Mapping[str, PeerSeen] | None:
        """What WireGuard counts by public key; None where there is no such interface."""

    def rules(self) -> Iterator[AnyRule]: ...

    def foreign(self, interfaces: Iterable[str]) -> Foreign:
        """What of the operator's could want to see packets of these interfaces."""

    def unheard(self) -> object:
        """Of that, what rings no bell when it changes."""

    def untrack(self, table: NftTable | None, seconds: int) -> None:
        """What `table` names passes by connection tracking for so long; None: no longer."""

    def route(self, question: RouteQuestion) -> RouteFound:
        """Where the kernel would send such a packet."""


class RealDoors:
    """The kernel's own."""

    def host(self, paths: Paths, dataplane: DataPlane) -> Host:
        from v6native.system.linux import LinuxHost

        return LinuxHost(paths, dataplane)

    def dataplane(self, paths: Paths) -> DataPlane:
        from v6native.dataplane.kernel import KernelDataPlane

        return KernelDataPlane.open(paths)

    def kernel(self, paths: Paths) -> KernelFacts:
        return KernelFacts(os.uname().release, BTF.exists(), is_bpffs(paths.bpffs))

    def missing_tools(self) -> tuple[str, ...]:
        missing = [tool for tool in ("nft", "wg", "unbound") if shutil.which(tool) is None]
        if shutil.which("wireguard-go") is None and not _kernel_has_wireguard():
            missing.append("wireguard")
        return tuple(missing)

    def peers(self, interface: str) -> Mapping[str, PeerSeen] | None:
        return peers(interface)

    def rules(self) -> Iterator[AnyRule]:
        return all_rules()

    def foreign(self, interfaces: Iterable[str]) -> Foreign:
        from v6native.system.foreign import read_foreign

        return read_foreign(interfaces)

    def unheard(self) -> object:
        return legacy_tables.shape()

    def untrack(self, table: NftTable | None, seconds: int) -> None:
        firewall.untrack(table, seconds)

    def route(self, question: RouteQuestion) -> RouteFound:
        from v6native.system.lookup import route_to

        return route_to(question)


def _kernel_has_wireguard() -> bool:
    """Loaded, or a module or built-in that the kernel loads at the first interface."""
    if WIREGUARD_MODULE.exists():
        return True
    for index in ("modules.dep", "modules.builtin"):
        file = MODULES / os.uname().release / index
        if file.exists() and "/wireguard.ko" in file.read_text():
            return True
    return False
