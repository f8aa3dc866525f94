# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What a lab has on the host, and its removal: processes, pins and files, found even where a crash lost count of them.

The network namespaces, their interfaces, routes and mounts end with the last process inside.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from v6native.errors import LabError
from v6native.lab.node import TAG, Node, run
from v6native.lab.wait import wait_until

ROOT = Path("/run/v6native-lab")
BPFFS = Path("/sys/fs/bpf")
NAME = re.compile(r"[a-z0-9][a-z0-9_.]{0,23}")


@dataclass(frozen=True, slots=True)
class Estate:
    """The lab called `name`; it need not exist."""

    name: str
    root: Path = ROOT
    bpffs: Path = BPFFS

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise LabError(
                f"a lab's name has 1 to 24 of a-z 0-9 _ . and begins with a letter or digit, not {self.name!r}"
            )

    @property
    def folder(self) -> Path:
        return self.root / self.name

    @property
    def record(self) -> Path:
        """Written when the lab stands: what `up` was asked for."""
        return self.folder / "lab.json"

    def pid_file(self, node: str) -> Path:
        return self.folder / f"{node}.pid"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One `up` or `down` of this lab at a time; the lock is the root folder, so that it leaves no file."""
        self.root.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # The one who held the lock may have removed the folder as the last lab's.
            self.root.mkdir(mode=0o755, parents=True, exist_ok=True)
            yield
        finally:
            os.close(descriptor)

    def nodes(self) -> dict[str, Node]:
        """The nodes whose holder lives."""
        found = {}
        for file in sorted(self.folder.glob("*.pid")):
            pid = int(file.read_text() or 0)
            if pid and _tagged(pid, self.name):
                found[file.stem] = Node(self.name, file.stem, pid)
        return found

    def settings(self) -> dict[str, str]:
        """What the standing lab was built with; empty where no `up` has finished."""
        try:
            return dict(json.loads(self.record.read_text()))
        except (FileNotFoundError, ValueError):
            return {}

    def processes(self) -> frozenset[int]:
        """Every process that carries the lab's tag or lives in one of its network namespaces, but us and our parents."""
        spaces = {_namespace(node.pid) for node in self.nodes().values()} - {None}
        ours = _ancestry()
        return frozenset(
            pid
            for pid in _all_processes()
            if pid not in ours and (_tagged(pid, self.name) or _namespace(pid) in spaces)
        )

    def remove(self) -> None:
        """Take everything of this lab away; works on a half-built one and on none."""

        # Holders last: while they live, whoever a dying server begins anew is found by its namespace, tagged or not.
        holders = frozenset(node.pid for node in self.nodes().values())
        self._end_all(but=holders)
        self._end_all()
        for pins in (self.bpffs / "v6native").glob(f"{self.name}-*"):
            shutil.rmtree(pins)
        shutil.rmtree(self.folder, ignore_errors=True)
        self._leave_root()

    def _end_all(self, but: frozenset[int] = frozenset()) -> None:
        wait_until(
            lambda: _end(self.processes() - but),
            15,
            lambda: f"lab {self.name}: processes {sorted(self.processes())} do not end",
        )

    def bring_bpffs(self) -> None:
        """Mount the host's bpffs where the machine has not done so (systemd does); the last `down` unmounts that one again."""
        if not os.path.ismount(self.bpffs):
            run(["mount", "-t", "bpf", "bpf", str(self.bpffs)], timeout=10)
            (self.root / ".bpffs").touch()

    def _leave_root(self) -> None:
        mark = self.root / ".bpffs"
        if any(self.root.glob("[!.]*")):
            return
        with contextlib.suppress(OSError):
            (self.bpffs / "v6native").rmdir()
        if mark.exists():
            # A fresh bpffs holds the kernel's own maps.debug and progs.debug.
            if not any(entry.suffix != ".debug" for entry in self.bpffs.iterdir()):
                run(["umount", str(self.bpffs)], timeout=10)
            mark.unlink()
        self.root.rmdir()


def _all_processes() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _tagged(pid: int, lab: str) -> bool:
    try:
        return f"{TAG}={lab}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _end(pids: frozenset[int]) -> bool:
    """Kills them; True where there were none left to kill."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        # Those that we started ourselves wait for us to take note of their end.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return not pids


def _namespace(pid: int) -> int | None:
    try:
        return Path(f"/proc/{pid}/ns/net").stat().st_ino
    except OSError:
        return None


def _ancestry() -> frozenset[int]:
    """Our own process and its parents: `down` may be typed in a shell that runs in the lab."""
    line = set()
    pid = os.getpid()
    while pid > 1:
        line.add(pid)
        status = Path(f"/proc/{pid}/stat").read_text()
        pid = int(status.rpartition(")")[2].split()[1])
    return frozenset(line)
