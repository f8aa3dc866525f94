# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A machine of the lab: a network, a mount and a UTS namespace that one idle process holds open.

Inside, /run is a tmpfs of the node's own, and /etc and /var/lib are overlays above the host's, so that the node's
resolv.conf, hosts, /etc/v6native and /var/lib/v6native are its own and nothing is written to the host. /sys is mounted
afresh because a sysfs shows the interfaces of the namespace that mounted it; the host's bpffs is moved onto the new one,
so that pins outlive the node's namespaces (a bpffs mounted inside would die with them).

All processes of a lab carry its name in the environment: that is how `down` finds what a crash left behind.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from v6native.errors import LabError
from v6native.lab.wait import wait_until

TAG = "V6NATIVE_LAB"
"""Environment variable with the lab's name, in every process of a lab."""

PRIVATE_MOUNTS = """
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lab/log /run/lab/etc/work /run/lab/etc/upper /run/lab/var/work /run/lab/var/upper /run/lab/bpf /run/lock
mount --bind /sys/fs/bpf /run/lab/bpf
mount -t sysfs sysfs /sys
mount --move /run/lab/bpf /sys/fs/bpf
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/lab/etc/upper,workdir=/run/lab/etc/work /etc
mount -t overlay overlay -o lowerdir=/var/lib,upperdir=/run/lab/var/upper,workdir=/run/lab/var/work /var/lib
rm -rf /etc/v6native /var/lib/v6native /etc/resolv.conf
mkdir -m 755 /etc/v6native /var/lib/v6native
"""


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended."""

    argv: tuple[str, ...]
    status: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        return self.status == 0

    @property
    def shown(self) -> str:
        """The command as one would type it."""
        return shlex.join(self.argv)


def environment(lab: str) -> dict[str, str]:
    """What processes of a lab inherit: the caller's environment, our interpreter's programs first on PATH, the lab's tag."""
    # What points the caller's v6native elsewhere must not point a node's there.
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("V6NATIVE_")}
    if "PYTHONPATH" in inherited:
        # Entering a node changes the working folder.
        inherited["PYTHONPATH"] = os.pathsep.join(
            str(Path(p).resolve()) for p in inherited["PYTHONPATH"].split(os.pathsep)
        )
    path = os.pathsep.join(
        (str(Path(sys.executable).parent), inherited.get("PATH", "/usr/bin:/bin"), "/usr/sbin", "/sbin")
    )
    return {**inherited, "PATH": path, TAG: lab, "LC_ALL": "C.UTF-8"}


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    check: bool = True,
    shown: Sequence[str] | None = None,
) -> Done:
    """Run a command to its end. LabError when it fails (unless `check` is off) or outlives `timeout` seconds."""
    typed = tuple(shown or argv)
    try:
        done = subprocess.run(
            list(argv),
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=env,
            check=False,
        )
    except FileNotFoundError as missing:
        raise LabError(f"{typed[0]} is not installed; `make setup` installs what the lab needs") from missing
    except subprocess.TimeoutExpired as late:
        raise LabError(f"`{shlex.join(typed)}` did not end within {timeout:g} s") from late
    result = Done(typed, done.returncode, done.stdout, done.stderr)
    if check and not result.ok:
        said = (result.err or result.out).strip()
        raise LabError(f"`{result.shown}` failed with status {result.status}: {said}")
    return result


@dataclass(frozen=True, slots=True)
class Program:
    """A program in the background, in a session of its own, that goes on when we end."""

    name: str
    pid: int

    def status(self) -> int | None:
        """None while it runs; else its exit status, once."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None


def spawn(name: str, argv: Sequence[str], log: Path, env: Mapping[str, str]) -> Program:
    """Start a program whose output is appended to `log`."""
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    outputs = [(os.POSIX_SPAWN_OPEN, descriptor, str(log), append, 0o644) for descriptor in (1, 2)]
    nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    pid = os.posix_spawnp(argv[0], list(argv), dict(env), file_actions=[nothing, *outputs], setsid=True)
    return Program(name, pid)


@dataclass(frozen=True, slots=True)
class Node:
    """A standing node; `pid` is its holder's."""

    lab: str
    name: str
    pid: int

    @property
    def instance(self) -> str:
        """The name under which a v6native on this node pins its maps."""
        return f"{self.lab}-{self.name}"

    def path(self, inside: str | Path) -> Path:
        """A file of the node as the host sees it."""
        return Path(f"/proc/{self.pid}/root") / str(inside).lstrip("/")

    def enter(self, argv: Sequence[str]) -> list[str]:
        """The command that runs `argv` inside; it keeps its process id."""
        return ["nsenter", f"--target={self.pid}", "--net", "--mount", "--uts", "--", *argv]

    def run(
        self, *argv: str, timeout: float = 30, stdin: str = "", check: bool = True, env: Mapping[str, str] | None = None
    ) -> Done:
        """Run a command inside to its end."""
        merged = {**environment(self.lab), **(env or {})}
        return run(self.enter(argv), timeout=timeout, env=merged, stdin=stdin, check=check, shown=argv)

    def become(self, argv: Sequence[str]) -> NoReturn:
        """Turn our own process into a command inside, terminal and all."""
        entered = self.enter(argv)
        os.execvpe(entered[0], entered, environment(self.lab))

    def start(self, name: str, *argv: str, env: Mapping[str, str] | None = None) -> Program:
        """Start a program inside; its output goes to the node's /run/lab/log/`name`.log."""
        return spawn(name, self.enter(argv), self.log(name), {**environment(self.lab), **(env or {})})

    def log(self, name: str) -> Path:
        return self.path(f"/run/lab/log/{name}.log")

    def listening(self, proto: str) -> frozenset[int]:
        """The ports with a listening TCP socket, or an unconnected UDP socket, of either family."""
        state = {"tcp": "0A", "udp": "07"}[proto]
        ports = set()
        for family in ("", "6"):
            for line in Path(f"/proc/{self.pid}/net/{proto}{family}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == state:
                    ports.add(int(fields[1].rpartition(":")[2], 16))
        return frozenset(ports)

    def wait_listening(self, proto: str, *ports: int, seconds: float = 10) -> None:
        wanted = frozenset(ports)
        wait_until(
            lambda: wanted <= self.listening(proto),
            seconds,
            lambda: f"{self.name}: nothing listens on {proto} {sorted(wanted - self.listening(proto))}",
        )


def hold(lab: str, name: str, pid_file: Path) -> Node:
    """Make the namespaces of a node, and the process that holds them, which writes `pid_file`."""
    script = 'echo $$ > "$1.new" && mv "$1.new" "$1" && exec sleep infinity'
    argv = ("unshare", "--net", "--mount", "--uts", "--", "sh", "-c", script, f"v6native-lab-{name}", str(pid_file))
    log = pid_file.with_suffix(".log")
    holder = spawn(name, argv, log, environment(lab))

    def ready() -> bool:
        if holder.status() is not None:
            raise LabError(f"{name}: no namespaces could be made: {log.read_text(errors='replace').strip()}")
        return pid_file.exists()

    wait_until(ready, 10, f"{name}: the process that holds the namespaces did not start")
    node = Node(lab, name, int(pid_file.read_text()))
    node.run("sh", "-e", "-c", PRIVATE_MOUNTS)
    node.run("hostname", name)
    node.path("/etc/hostname").write_text(f"{name}\n")
    node.path("/etc/hosts").write_text(f"127.0.0.1 localhost\n::1 localhost ip6-localhost\n127.0.1.1 {name}\n")
    node.path("/etc/v6native/instance").write_text(f"{node.instance}\n")
    return node
