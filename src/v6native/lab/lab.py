# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A whole network on this machine: build it, find it again, take it away."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

from v6native.errors import EnvironmentRefused, LabError
from v6native.lab import topology as t
from v6native.lab.edge import Arrangement, raise_edge, settle_edge, settle_edge_bare
from v6native.lab.estate import Estate
from v6native.lab.laptop import connect_laptop
from v6native.lab.names import serve_names
from v6native.lab.node import Node, hold
from v6native.lab.programs.echo import LINES_PORT, UDP_PORT, UDP_UNSUMMED_PORT
from v6native.lab.programs.fragments import ORDER_PORT
from v6native.lab.web import serve_web
from v6native.lab.wiring import wire

TOOLS = (
    *("unshare", "nsenter", "ip", "mount", "sysctl", "nft", "nginx", "nsd", "iperf3", "wg", "wg-quick", "wireguard-go"),
    *("curl", "ping", "traceroute", "mtr", "dig", "ethtool", "tcpdump"),
)
IPERF_PORT = 5201

Say = Callable[[str], None]
"""Told each step of long work, for a progress display."""


@dataclass(frozen=True, slots=True)
class Lab:
    """A standing lab."""

    estate: Estate
    nodes: dict[str, Node]
    arrangement: Arrangement
    bare: bool

    @property
    def name(self) -> str:
        return self.estate.name

    def __getitem__(self, node: str) -> Node:
        return self.nodes[node]


def require_machine() -> None:
    """EnvironmentRefused where this machine or the caller cannot run a lab."""
    if os.geteuid() != 0:
        raise EnvironmentRefused("the lab makes network namespaces, for which one must be root: use sudo")
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [tool for tool in TOOLS if not shutil.which(tool, path=path)]
    if missing:
        raise EnvironmentRefused(f"the lab needs {', '.join(missing)}: `make setup` installs the packages")


def find(estate: Estate) -> Lab:
    """The standing lab; LabError where there is none, or a broken one."""
    require_machine()
    settings = estate.settings()
    nodes = estate.nodes()
    if not settings or set(nodes) != set(t.MAIN.nodes):
        what = "is only half there" if estate.folder.exists() else "does not stand"
        raise LabError(f"lab {estate.name} {what}; `v6native lab up --name {estate.name}` builds it")
    return Lab(estate, nodes, Arrangement(settings["arrangement"]), settings["bare"] == "yes")


def node(estate: Estate, name: str) -> Node:
    """A node of a lab, which may be half there: that is when one wants to look around."""
    require_machine()
    nodes = estate.nodes()
    if name in nodes:
        return nodes[name]
    if nodes:
        raise LabError(f"lab {estate.name} has no node {name!r}; it has {', '.join(nodes)}")
    raise LabError(f"lab {estate.name} does not stand; `v6native lab up --name {estate.name}` builds it")


def up(estate: Estate, arrangement: Arrangement, *, bare: bool = False, say: Say = lambda _: None) -> Lab:
    """The lab, built anew unless the same one stands whole. `bare` stops before v6native runs on edge1."""
    require_machine()
    with estate.locked():
        try:
            lab = find(estate)
        except LabError:
            pass
        else:
            if (lab.arrangement, lab.bare) == (arrangement, bare):
                if not bare:
                    raise_edge(lab.nodes["edge1"])
                return lab
        say("removing what an earlier run left")
        estate.remove()
        estate.folder.mkdir(mode=0o755, parents=True)
        return _build(estate, arrangement, bare, say)


def _build(estate: Estate, arrangement: Arrangement, bare: bool, say: Say) -> Lab:
    estate.bring_bpffs()
    say(f"making {len(t.MAIN.nodes)} nodes")
    nodes = {name: hold(estate.name, name, estate.pid_file(name)) for name in t.MAIN.nodes}
    say("laying cables, addresses and routes")
    wire(t.MAIN, nodes)
    for name, resolver in (
        ("phone", t.EDGE_LAN6),
        ("edge1", t.SERVER6),
        ("laptop", t.EDGE_TUNNEL6),
        ("internet", t.SERVER6),
    ):
        nodes[name].path("/etc/resolv.conf").write_text(f"nameserver {resolver}\noptions timeout:2 attempts:2\n")
    say("starting the web, DNS and echo servers")
    _serve(nodes)
    if bare:
        settle_edge_bare(nodes["edge1"])
    else:
        say("bringing v6native up on edge1")
        settle_edge(nodes["edge1"], nodes["laptop"], arrangement)
        raise_edge(nodes["edge1"])
        say("connecting laptop by WireGuard")
        connect_laptop(nodes["laptop"], nodes["edge1"])
    estate.record.write_text(json.dumps({"arrangement": arrangement.value, "bare": "yes" if bare else "no"}))
    return Lab(estate, nodes, arrangement, bare)


def _serve(nodes: dict[str, Node]) -> None:
    internet = nodes["internet"]
    serve_names(internet)
    serve_web(internet, "the internet")
    serve_web(nodes["phone"], "phone")
    internet.start("iperf3", "iperf3", "--server")
    internet.start("echo", sys.executable, "-m", "v6native.lab.programs.echo")
    internet.wait_listening("tcp", LINES_PORT, IPERF_PORT)
    internet.wait_listening("udp", UDP_PORT, UDP_UNSUMMED_PORT, ORDER_PORT)


def down(estate: Estate) -> None:
    """Leave nothing, whatever state the lab is in."""
    require_machine()
    with estate.locked():
        estate.remove()
