# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A standing topology without v6native, and words for what a test does in it: bring a node up, take it down, fetch."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.conftest import new_estate
from v6native.errors import LabError
from v6native.lab import topology as t
from v6native.lab.edge import OWN_SERVICE_PORT, answers, raise_edge
from v6native.lab.estate import Estate
from v6native.lab.lab import require_machine
from v6native.lab.laptop import make_key
from v6native.lab.names import serve_names
from v6native.lab.node import Node, hold
from v6native.lab.programs.echo import UDP_PORT
from v6native.lab.wait import wait_until
from v6native.lab.web import publish, serve_web
from v6native.lab.wiring import wire

SOON = 5.0
"""Seconds within which the daemon follows what changes around it."""
OPEN4 = '["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"]'


@dataclass(frozen=True, slots=True)
class Site:
    estate: Estate
    nodes: dict[str, Node]

    def __getitem__(self, node: str) -> Node:
        return self.nodes[node]

    def up(self, node: str, network_toml: str, *, well: bool = True) -> None:
        """Write the node's file and run `v6native up` there until it is ready; unless it is not `well`, without errors."""
        self[node].path("/etc/v6native/network.toml").write_text(network_toml)
        if well:
            raise_edge(self[node], 30)
        else:
            self[node].start("v6native", "v6native", "up")
            wait_until(lambda: answers(self[node]), 30, lambda: self[node].log("v6native").read_text())

    def ask(self, node: str, verb: str) -> Any:
        return json.loads(self[node].run("v6native", verb, "--json", check=False).out)

    def unchanged(self, node: str) -> None:
        """`plan` says that nothing would change."""
        wait_until(
            lambda: self.ask(node, "plan")["changes"] == [], SOON, lambda: str(self.ask(node, "plan")["changes"])
        )

    def fetch(self, node: str, host: str, *options: str) -> str:
        """What http://`host` answers; LabError where nothing does within 5 s."""
        return self[node].run("curl", "-sS", "-f", "-m5", *options, f"http://{host}").out.strip()

    def fetches(self, node: str, host: str) -> bool:
        return self[node].run("curl", "-sS", "-f", "-m2", "-o", "/dev/null", f"http://{host}", check=False).ok

    def download(self, node: str, host: str, mebibytes: int = 16, *, server: str = "internet") -> None:
        """The file comes whole."""
        path, digest = publish(self[server], mebibytes)
        script = f"set -o pipefail; curl -sS -f -m30 'http://{host}{path}' | sha256sum"
        assert self[node].run("bash", "-c", script, timeout=40).out.split()[0] == digest

    def clear(self) -> None:
        """No node runs v6native any more."""
        for node in self.nodes.values():
            if node.path("/run/v6native").exists():
                node.run("v6native", "down", check=False, timeout=60)
                wait_until(lambda node=node: not answers(node), 10, "the daemon outlives `down`")


@contextlib.contextmanager
def site(topology: t.Topology) -> Iterator[Site]:
    """The topology with web servers on phone or laptop and internet, and names and datagrams on internet."""
    require_machine()
    with new_estate() as estate:
        with estate.locked():
            estate.folder.mkdir(mode=0o755, parents=True)
            estate.bring_bpffs()
        nodes = {name: hold(estate.name, name, estate.pid_file(name)) for name in topology.nodes}
        wire(topology, nodes)
        for node in nodes.values():
            node.path("/etc/resolv.conf").write_text(f"nameserver {t.SERVER6}\noptions timeout:2 attempts:2\n")
        serve_names(nodes["internet"])
        serve_web(nodes["internet"], "the internet")
        serve_web(nodes[topology.nodes[0]], topology.nodes[0])
        serve_web(nodes[topology.tested], f"{topology.tested} itself", OWN_SERVICE_PORT)
        nodes["internet"].start("echo", sys.executable, "-m", "v6native.lab.programs.echo")
        nodes["internet"].wait_listening("udp", UDP_PORT)
        yield Site(estate, nodes)


@contextlib.contextmanager
def tunnel(site: Site, node: str, address6: str, address4: str) -> Iterator[None]:
    """laptop's end of the node's tunnel, up; the node knows laptop's key (`client_toml`)."""
    laptop = site["laptop"]
    interface = site[node].run("wg", "show", "interfaces").out.strip()
    server_key = site[node].run("wg", "show", interface, "public-key").out.strip()
    profile = (
        f"[Interface]\nPrivateKey = {laptop.path('/etc/wireguard/lab.key').read_text().strip()}\n"
        f"Address = {address6}/128, {address4}/32\nMTU = 1420\n"
        f"[Peer]\nPublicKey = {server_key}\nEndpoint = {t.EDGE4}:{t.WIREGUARD_PORT}\n"
        "AllowedIPs = 0.0.0.0/0, ::/0\nPersistentKeepalive = 5\n"
    )
    file = laptop.path("/etc/wireguard/wg0.conf")
    file.touch(mode=0o600)
    file.write_text(profile)
    laptop.run("wg-quick", "up", "wg0", env={"WG_QUICK_USERSPACE_IMPLEMENTATION": "wireguard-go"})
    try:
        yield
    finally:
        laptop.run("wg-quick", "down", "wg0", check=False)


def laptop_key(site: Site) -> str:
    """The public key of laptop, made once."""
    laptop = site["laptop"]
    file = laptop.path("/etc/wireguard/lab.key")
    if file.exists():
        return laptop.run("wg", "pubkey", stdin=file.read_text()).out.strip()
    return make_key(laptop)


def kill(site: Site, node: str) -> None:
    """SIGKILL for the daemon."""
    pid = int(site.ask(node, "status")["daemon"]["pid"])
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: ended(pid), 5, "the daemon outlives SIGKILL")


def ended(pid: int) -> bool:
    """Dead, or a zombie that waits for its parent to take note."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def eventually(condition: Callable[[], bool], what: str | Callable[[], str], seconds: float = SOON) -> None:
    """`condition` holds in time; a command that fails meanwhile is a no."""

    def holds() -> bool:
        try:
            return condition()
        except LabError:
            return False

    wait_until(holds, seconds, what)
