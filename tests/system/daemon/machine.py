# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A machine to run v6native on: its own network and mount namespaces, folders of its own, an uplink and a LAN.

It dies with the process that holds the namespaces, and so do its interfaces and its BPF file system.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
"""
SETUP = """
set -e
mount --make-rprivate /
mount -t bpf bpf "$1/bpffs"
mount -t tmpfs tmpfs /run
mkdir -p /run/wireguard
ip link set lo up
ip link add eth0 type veth peer name far0
ip link add lan0 type veth peer name far1
for link in eth0 lan0 far0 far1; do ip link set $link up; done
ip address add 192.0.2.1/24 dev eth0
ip address add 2001:db8:1::1/64 dev eth0 nodad
ip address add 2001:db8:64:1::1/64 dev lan0 nodad
ip route add default via 192.0.2.254
ip -6 route add default via 2001:db8:1::ff
echo ready
exec sleep 1000
"""
NSENTER = shutil.which("nsenter") or "nsenter"
V6NATIVE = (sys.executable, "-c", "from v6native.cli.main import main; main()")
SOURCE = Path(__file__).parents[3] / "src"


def until(condition: Callable[[], Any], seconds: float = 15.0, what: str = "it") -> Any:
    """The first true value of the condition; the test fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.02)
    return value


@dataclass(slots=True)
class Machine:
    folder: Path
    pid: int
    daemons: list[subprocess.Popen[str]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def network_toml(self) -> Path:
        return self.folder / "etc" / "network.toml"

    def enter(self, argv: Sequence[str]) -> list[str]:
        return [NSENTER, f"--target={self.pid}", "--net", "--mount", "--", *argv]

    def env(self) -> dict[str, str]:
        own = {f"V6NATIVE_{name.upper()}": str(self.folder / name) for name in ("etc", "run", "var", "bpffs")}
        return {**os.environ, "PYTHONPATH": str(SOURCE), "V6NATIVE_NODE": "edge1", **own, **self.environment}

    def run(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.enter(argv), capture_output=True, text=True, timeout=60, check=check, env=self.env())

    def v6native(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run(*V6NATIVE, *words, check=False)

    def ask(self, *words: str) -> Any:
        return json.loads(self.v6native(*words, "--json").stdout)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """`up` in the background; use `up` to wait until it is ready."""
        log = (self.folder / "up.log").open("a")
        argv = self.enter([*V6NATIVE, "up", *words])
        daemon = subprocess.Popen(argv, stdout=log, stderr=log, text=True, env=self.env(), start_new_session=True)
        log.close()
        self.daemons.append(daemon)
        return daemon

    def up(self, *words: str) -> subprocess.Popen[str]:
        """A daemon that has told the service manager that it is ready, and told its pid as its own."""
        with self.manager() as told:
            daemon = self.start(*words)
            until(lambda: "READY=1" in told() or daemon.poll() is not None, 30, "READY=1")
        assert daemon.poll() is None, self.log()
        return daemon

    @contextmanager
    def manager(self) -> Iterator[Callable[[], str]]:
        """A notify socket; what was told so far."""
        path = self.folder / "notify"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
            sock.bind(str(path))
            self.environment["NOTIFY_SOCKET"] = str(path)
            heard: list[str] = []

            def told() -> str:
                while True:
                    try:
                        heard.append(sock.recv(4096).decode())
                    except BlockingIOError:
                        return "\n".join(heard)

            yield told

    def log(self) -> str:
        return (self.folder / "up.log").read_text()

    def worker(self, name: str = "slowpath") -> int | None:
        try:
            return int((self.folder / "run" / f"{name}.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def picture(self) -> dict[str, str]:
        """All that v6native may change, to be compared."""
        return {
            "links": self.run("sh", "-c", "ls /proc/self/net/dev_snmp6; ip -br link | awk '{print $1}'").stdout,
            "addresses": self.run("sh", "-c", "ip -br address | awk '{$2 = \"\"; print}'").stdout,
            "rules": self.run("sh", "-c", "ip rule; ip -6 rule").stdout,
            "routes": self.run("sh", "-c", "for f in 4 6; do ip -$f route show table all | grep -v 'proto kernel'; done").stdout,
            "nft": self.run("nft", "-t", "list", "ruleset").stdout,
            "qdiscs": self.run("tc", "qdisc").stdout,
            "sysctls": self.run(
                "sh", "-c", "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/*/forwarding "
                "/proc/sys/net/ipv6/conf/*/accept_ra /proc/sys/net/ipv4/ip_local_reserved_ports",
            ).stdout,
            "pins": self.run("sh", "-c", f"ls -A {self.folder}/bpffs/v6native 2>/dev/null || true").stdout,
        }  # fmt: skip


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    for name in ("etc", "run", "var", "bpffs"):
        (folder / name).mkdir()
    argv = ["unshare", "--net", "--mount", "sh", "-c", SETUP, "sh", str(folder)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as holder:
        made = Machine(folder, holder.pid)
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "ready\n"
            made.network_toml.write_text(FILE)
            yield made
        finally:
            for daemon in made.daemons:
                if daemon.poll() is None:
                    daemon.kill()
                daemon.wait()
            end_all_of(folder, but=holder.pid)
            holder.kill()


def end_all_of(folder: Path, but: int) -> None:
    """Ends every process that a test left: its environment names this folder. A worker may not have its pid file yet."""
    for environment in Path("/proc").glob("[0-9]*/environ"):
        pid = int(environment.parent.name)
        try:
            if pid not in (but, os.getpid()) and str(folder).encode() in environment.read_bytes():
                os.kill(pid, signal.SIGKILL)
        except OSError:
            continue
