# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""DNS64 servers beside each other on ::1, each on one core with one thread, and the authoritative server behind them all.

unbound and BIND are Debian's, with room in their caches and all else as they come. Each is the same process for all that it
is measured by, so that no figure is of a server set up for it alone.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_network
from pathlib import Path

from bench.generator import BenchFailed
from bench.load import ADDRESS
from bench.questions import Question, octets
from bench.upstreams import DELAYS
from v6native.dns64.settings import Dns64Settings, Limits, Listen, Pref64, UpstreamServer, View
from v6native.lab.wait import wait_until

PREF64 = IPv6Network("2001:db8:64:64::/96")
STARTED = 20.0
CACHE_MIB = 2048
"""Room for answers, of each server: none forgets what it was told during a measurement."""
_NSD = """\
server:
  ip-address: ::1@{port}
  server-count: 1
  zonesdir: "{folder}"
  database: ""
  zonelistfile: "{folder}/zone.list"
  xfrdfile: "{folder}/xfrd.state"
  pidfile: "{folder}/nsd.pid"
  username: ""
  rrl-ratelimit: 0
  minimal-responses: yes
  logfile: "{folder}/nsd.log"
remote-control:
  control-enable: no
zone:
  name: bench
  zonefile: bench.zone
"""
_ZONE = """\
$ORIGIN bench.
$TTL 86400
@ SOA ns root 1 7200 900 86400 86400
@ NS ns
ns AAAA ::1
*.v4only A 198.51.100.80
*.dual64 A 198.51.100.81
*.dual64 AAAA 2001:db8:80::80
"""
_UNBOUND = """\
server:
  interface: ::1@{port}
  access-control: ::1 allow
  num-threads: 1
  module-config: "{modules}"
  dns64-prefix: {pref64}
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  logfile: "{folder}/unbound.log"
  do-not-query-localhost: no
  msg-cache-size: {half}m
  rrset-cache-size: {half}m
  neg-cache-size: 64m
  outgoing-range: 4096
  num-queries-per-thread: 2048
remote-control:
  control-enable: no
stub-zone:
  name: bench
  stub-addr: ::1@{behind}
"""
_NAMED = """\
options {{
  directory "{folder}";
  listen-on {{ none; }};
  listen-on-v6 port {port} {{ ::1; }};
  pid-file none;
  session-keyfile none;
  allow-query {{ ::1; }};
  recursion yes;
  dnssec-validation no;
  dns64 {pref64} {{ clients {{ ::1; }}; }};
  max-cache-size {cache}m;
  recursive-clients 10000;
  empty-zones-enable no;
}};
controls {{ }};
zone bench {{ type forward; forward only; forwarders {{ ::1 port {behind}; }}; }};
"""


@dataclass(frozen=True, slots=True)
class Resolver:
    """A server that runs; `pids` are its processes on the core that is measured."""

    port: int
    pids: tuple[int, ...]

    def resident(self) -> int:
        """Bytes of memory."""
        return sum(_resident(pid) for pid in self.pids)


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) << 10


def free_port() -> int:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
        udp.bind((ADDRESS, 0))
        return int(udp.getsockname()[1])


@contextmanager
def started(argv: Sequence[str], cpu: int, port: int, folder: Path, *, answering: bool = True) -> Iterator[int]:
    """Runs a server on that CPU until the end of `with`; gives its pid once it answers, or at once."""
    words = ["taskset", "--cpu-list", str(cpu), *argv]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=_environment())
    try:
        wait_until(
            lambda: not answering or process.poll() is not None or answers(port), STARTED, f"{argv[0]} does not answer"
        )
        if process.poll() is not None:
            raise BenchFailed(f"{argv[0]} ended: {(folder / 'output').read_text()[-500:]}")
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(STARTED)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def answers(port: int) -> bool:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
        udp.settimeout(0.5)
        udp.connect((ADDRESS, port))
        try:
            udp.send(octets(Question(0, kind=1), int(time.monotonic() * 1000) & 0xFFFF))
            out = udp.recv(512)
            # With QR: a socket may even have been given the port that it asks, and then hears itself.
            return out[2] & 0x80 != 0 and out[3] & 0x0F == 0
        except OSError:
            return False


@contextmanager
def authoritative(cpu: int, folder: Path) -> Iterator[int]:
    """nsd, with a zone in which every name exists; its port."""
    port, own = free_port(), _made(folder / "nsd")
    (own / "nsd.conf").write_text(_NSD.format(port=port, folder=own))
    (own / "bench.zone").write_text(_ZONE)
    with started(["nsd", "-d", "-c", f"{own}/nsd.conf"], cpu, port, own):
        yield port


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


@contextmanager
def unbound(cpu: int, behind: int, folder: Path, *, dns64: bool = True) -> Iterator[Resolver]:
    """Iterates and validates; without `dns64` as an upstream for ours."""
    port, own = free_port(), _made(folder)
    modules = "dns64 validator iterator" if dns64 else "validator iterator"
    text = _UNBOUND.format(port=port, folder=own, modules=modules, pref64=PREF64, half=CACHE_MIB // 2, behind=behind)
    (own / "unbound.conf").write_text(text)
    with started(["unbound", "-d", "-c", f"{own}/unbound.conf"], cpu, port, own) as pid:
        yield Resolver(port, (pid,))


@contextmanager
def bind(cpu: int, behind: int, folder: Path) -> Iterator[Resolver]:
    """Forwards, as ours does."""
    port, own = free_port(), _made(folder)
    (own / "named.conf").write_text(_NAMED.format(port=port, folder=own, pref64=PREF64, cache=CACHE_MIB, behind=behind))
    # One for all; `-f` stays in the foreground.
    with started(["named", "-f", "-n", "1", "-U", "1", "-c", f"{own}/named.conf"], cpu, port, own) as pid:
        yield Resolver(port, (pid,))


@contextmanager
def v6native(cpu: int, behind: Sequence[int], folder: Path, also: tuple[int, ...] = ()) -> Iterator[Resolver]:
    """The worker, with all that costs on the way: an access list, views, limits, exceptions; statistics are always on.

    `also`: processes that belong to it, such as its upstream's.
    """
    port, own = free_port(), _made(folder)
    view = View((ip_network("2001:db8:1::/48"), ip_network("fd00:1::/32")), (Pref64(IPv6Network("64:ff9b::/96")),))
    settings = Dns64Settings(
        listen=(Listen(IPv6Address(ADDRESS), port),),
        upstreams=tuple(UpstreamServer(IPv6Address(ADDRESS), server) for server in behind),
        pref64=(Pref64(PREF64),),
        allow=(ip_network("2001:db8::/32"), ip_network("fd00::/8"), ip_network("::1/128")),
        views=(view, View((ip_network("2001:db8:2::/48"),), ())),
        never_synthesize=("never.example", "corp.example"),
        limits=Limits(cache_entries=4_000_000, cache_bytes=CACHE_MIB << 20, client_per_second=100_000_000),
    )
    (own / "dns64.json").write_text(settings.to_json())
    argv = [sys.executable, "-m", "v6native.dns64", "--config", f"{own}/dns64.json"]
    with started(argv, cpu, port, own) as pid:
        yield Resolver(port, (pid, *also))


@contextmanager
def scripted(kind: str, cpu: int, folder: Path) -> Iterator[int]:
    """One of bench.upstreams; its port."""
    port, own = free_port(), _made(folder / kind)
    argv = [sys.executable, "-m", "bench.upstreams", kind, str(port)]
    # Those that never answer are not waited for; what is sent to them before they listen is lost, which they are anyhow.
    with started(argv, cpu, port, own, answering=kind in DELAYS):
        yield port
