# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A machine of the test's own: a network namespace with an uplink and a LAN, and folders of its own."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pyroute2 import netns

from tests.unit.system.networks import LAB, LAPTOP
from v6native.config.model import Config
from v6native.dataplane.fake import FakeDataPlane
from v6native.desired.dataplane import Attachment, DataPlaneConfig
from v6native.paths import Paths
from v6native.system.apply import teardown
from v6native.system.linux import LinuxHost
from v6native.system.processes import run

SETUP = """
link add eth0 type veth peer name r1-eth0
link add lan0 type veth peer name phone-eth0
link set lo up
link set eth0 up
link set r1-eth0 up
link set lan0 up
link set phone-eth0 up
address add 192.0.2.1/24 dev eth0
address add 2001:db8:64:ff::1/64 dev eth0 nodad
address add 2001:db8:64:1::1/64 dev lan0 nodad
route add default via 192.0.2.254 dev eth0
route add default via 2001:db8:64:ff::fe dev eth0 proto ra metric 1024
"""


@dataclass(slots=True)
class DataPlaneTwin(FakeDataPlane):
    """Programs go with their interface, as in the kernel; the folder of pins, by which a host knows that something is loaded,
    comes with the configuration and goes when all is removed."""

    pins: Path = Path("/nowhere")

    def configure(self, config: DataPlaneConfig) -> None:
        FakeDataPlane.configure(self, config)
        self.pins.mkdir(parents=True, exist_ok=True)

    def remove(self) -> None:
        FakeDataPlane.remove(self)
        if self.pins.exists():
            self.pins.rmdir()

    def attached(self) -> tuple[Attachment, ...]:
        names = {name for _, name in socket.if_nameindex()}
        self.on = {name: program for name, program in self.on.items() if name in names}
        return FakeDataPlane.attached(self)


@dataclass(frozen=True, slots=True)
class Machine:
    """`config` has a tunnel with a name that no other test uses: wireguard-go's sockets share one folder."""

    host: LinuxHost
    config: Config
    tunnel: str

    @property
    def interface(self) -> str:
        return f"wg-{self.tunnel}"

    @property
    def dataplane(self) -> FakeDataPlane:
        assert isinstance(self.host.dataplane, FakeDataPlane)
        return self.host.dataplane


def dump() -> dict[str, Any]:
    """All that `ip` shows and every kernel setting of the namespace, without what changes by itself."""
    found: dict[str, Any] = {}
    for family in ("-4", "-6"):
        for what in ("address", "route show table all", "rule", "neigh show nud permanent", "neigh show proxy"):
            text = run(["ip", "-d", "-j", family, *what.split()])
            found[f"{family} {what}"] = _stable(json.loads(text or "[]"))
    found["link"] = _stable(json.loads(run(["ip", "-d", "-j", "link"])))
    found["qdisc"] = sorted(line for line in run(["tc", "qdisc"]).splitlines())
    found["nft"] = run(["nft", "list", "ruleset"])
    found["sysctl"] = {
        str(file): file.read_text().strip()
        for root in ("/proc/sys/net/ipv4", "/proc/sys/net/ipv6")
        for file in Path(root).rglob("*")
        if file.is_file() and file.stat().st_mode & 0o400 and file.name not in ("stable_secret", "flush")
    }
    return found


def _stable(things: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The carrier of a TAP device that nobody has opened settles some time after it is made (linkwatch)."""
    moving = ("valid_life_time", "preferred_life_time", "ifindex", "link_index", "expires", "age", "operstate", "qdisc")
    kept = [{k: v for k, v in thing.items() if k not in moving} for thing in things]
    for thing in kept:
        thing["flags"] = [f for f in thing.get("flags", []) if f not in ("NO-CARRIER", "LOWER_UP", "linkdown")]
    return sorted(kept, key=lambda thing: json.dumps(thing, sort_keys=True))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    name = f"v6n-host-{secrets.token_hex(3)}"
    tunnel = f"t{secrets.token_hex(3)}"
    tunnels = (replace(LAB.tunnels[0], name=tunnel),)
    key = run(["wg", "pubkey"], stdin=run(["wg", "genkey"])).strip()
    config = replace(LAB, tunnels=tunnels, clients=(replace(LAPTOP, tunnel=tunnel, public_key=key),))
    paths = Paths(tmp_path / "etc", tmp_path / "run", tmp_path / "var", tmp_path / "bpf")
    netns.create(name)
    host = LinuxHost(paths, DataPlaneTwin(pins=paths.pins(paths.instance())))
    try:
        netns.pushns(name)
        # Addresses that turn from tentative to valid while a test runs would look like a change of ours.
        Path("/proc/sys/net/ipv6/conf/default/accept_dad").write_text("0")
        Path("/proc/sys/net/ipv6/conf/all/accept_dad").write_text("0")
        subprocess.run(["ip", "-batch", "-"], input=SETUP, text=True, check=True, timeout=20)
        yield Machine(host, config, tunnel)
    finally:
        try:
            teardown(host)
        finally:
            netns.popns()
            netns.remove(name)


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The lines in which two dumps differ, to be compared with []: an operator's view of what was left behind."""
    found = []
    for part in before.keys() | after.keys():
        one, two = (_lines(side.get(part)) for side in (before, after))
        found += [f"- {part}: {line}" for line in one - two] + [f"+ {part}: {line}" for line in two - one]
    return sorted(found)


def _lines(part: Any) -> set[str]:
    if isinstance(part, dict):
        return {f"{key}={value}" for key, value in part.items()}
    return {json.dumps(line, sort_keys=True) for line in (part.splitlines() if isinstance(part, str) else part)}
