# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the lab owes its host: nothing changes, nothing stays, labs do not see each other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from v6native.errors import LabError
from v6native.lab import lab as labs
from v6native.lab import topology as t
from v6native.lab.edge import Arrangement
from v6native.lab.estate import Estate
from v6native.lab.wait import wait_until

from .conftest import new_estate

pytestmark = pytest.mark.lab


def host(estate: Estate) -> dict[str, object]:
    """What of the host this lab could have changed; others may come and go beside it."""

    def said(*argv: str) -> str:
        return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=10).stdout

    return {
        "links": said("ip", "-o", "link"),
        "addresses": said("ip", "-br", "address"),
        "routes": said("ip", "route", "show", "table", "all") + said("ip", "-6", "route", "show", "table", "all"),
        "rules": said("ip", "rule") + said("ip", "-6", "rule"),
        "forwarding": Path("/proc/sys/net/ipv4/ip_forward").read_text(),
        "files": sorted(str(p) for p in Path("/etc").glob("*")) + sorted(str(p) for p in Path("/var/lib").glob("*")),
        "namespaces": [name for name in said("ip", "netns").split() if estate.name in name],
        "resolver": Path("/etc/resolv.conf").read_text(),
        "name": os.uname().nodename,
    }


def leftovers(estate: Estate) -> list[str]:
    pins = [str(p) for p in (estate.bpffs / "v6native").glob(f"{estate.name}-*")]
    return pins + [str(pid) for pid in estate.processes()] + ([str(estate.folder)] if estate.folder.exists() else [])


@pytest.mark.parametrize("bare", [True, False])
def test_down_leaves_nothing(estate: Estate, bare: bool) -> None:
    before = host(estate)
    lab = labs.up(estate, Arrangement.SHARED, bare=bare)
    lab["edge1"].run("mkdir", "-p", f"/sys/fs/bpf/v6native/{lab['edge1'].instance}/maps")
    lab["phone"].run("sh", "-c", "echo x > /etc/changed; echo x > /var/lib/changed; echo x > /run/changed")
    assert host(estate) == before
    assert leftovers(estate)
    labs.down(estate)
    assert leftovers(estate) == []
    assert host(estate) == before


# As a web server does: whoever ends a worker gets another one, and none has the environment by which the lab knows its own.
RESPAWNING = """
import os
while True:
    pid = os.fork()
    if not pid:
        os.execve("/bin/sleep", ["sleep", "600"], {})
    os.waitpid(pid, 0)
"""


def test_down_ends_what_begins_anew(estate: Estate) -> None:
    lab = labs.up(estate, Arrangement.SHARED, bare=True)
    spaces = {Path(f"/proc/{node.pid}/ns/net").readlink() for node in lab.nodes.values()}
    for n in range(40):
        lab["phone"].start(f"respawning{n}", sys.executable, "-c", RESPAWNING)
    wait_until(lambda: len(inside(spaces)) >= 80, 20, "they do not begin")
    labs.down(estate)
    assert inside(spaces) == []


def inside(spaces: set[Path]) -> list[int]:
    """Processes in these network namespaces, whatever their environment says."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "ns" / "net").readlink() in spaces:
                found.append(int(folder.name))
        except OSError:
            continue  # gone meanwhile
    return found


def test_up_again_keeps_the_standing_lab(estate: Estate) -> None:
    first = labs.up(estate, Arrangement.SHARED, bare=True)
    second = labs.up(estate, Arrangement.SHARED, bare=True)
    assert second.nodes == first.nodes


def test_up_rebuilds_a_broken_lab(estate: Estate) -> None:
    first = labs.up(estate, Arrangement.SHARED, bare=True)
    os.kill(first["r1"].pid, signal.SIGKILL)
    wait_until(lambda: "r1" not in estate.nodes(), 5, "the holder of r1 outlives SIGKILL")
    with pytest.raises(LabError, match="half there"):
        labs.find(estate)
    second = labs.up(estate, Arrangement.SHARED, bare=True)
    assert set(second.nodes) == set(t.MAIN.nodes)
    assert set(second.nodes.values()).isdisjoint(first.nodes.values())


def test_two_labs_side_by_side(estate: Estate) -> None:
    """Both with v6native: one's `down` takes nothing of the other's, pins included."""
    with new_estate() as second:
        one, other = labs.up(estate, Arrangement.SHARED), labs.up(second, Arrangement.POOL)
        page = ("curl", "-sS", "-m10", "http://v4only.example/")
        for lab in (one, other):
            assert lab["phone"].run(*page).out == "the internet\n"
        assert one["edge1"].instance != other["edge1"].instance
        labs.down(estate)
        assert other["phone"].run(*page).out == "the internet\n"
        assert other["edge1"].run("v6native", "status", "--json").ok


@pytest.mark.parametrize("wanted", [1, 3, 6, 10, 20])
def test_down_after_a_crash_in_up(estate: Estate, wanted: int) -> None:
    """`up` killed when so many processes stand: `down` finds all that it had made."""
    script = (
        "import sys; from v6native.lab import lab; from v6native.lab.estate import Estate;"
        "from v6native.lab.edge import Arrangement; lab.up(Estate(sys.argv[1]), Arrangement.SHARED)"
    )
    with subprocess.Popen([sys.executable, "-c", script, estate.name]) as builder:
        wait_until(lambda: len(estate.processes() - {builder.pid}) >= wanted, 60, "up does not begin")
        builder.kill()
    labs.down(estate)
    assert leftovers(estate) == []


def test_down_of_nothing(estate: Estate) -> None:
    labs.down(estate)
    assert leftovers(estate) == []


@pytest.mark.parametrize("name", ["", "a/b", "..", "Lab", "a b", "x" * 25, "a-b"])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(LabError, match="a lab's name"):
        Estate(name)
