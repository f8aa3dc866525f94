# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Loading, adopting, attaching, removing: what stays when a process goes, and what goes when it shall."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.system.dataplane.build import compile_bpf
from tests.system.dataplane.conftest import Open
from tests.system.dataplane.flows import CONFIG, nat64, open_flow, send, udp4, udp6
from v6native.config.model import Timeouts
from v6native.dataplane.bpf_object import BpfObject
from v6native.dataplane.door import DataPlane
from v6native.dataplane.kernel import KernelDataPlane
from v6native.dataplane.loader import OBJECTS
from v6native.desired.dataplane import Attachment
from v6native.errors import DataPlaneError, EnvironmentRefused, VerifierRefused
from v6native.paths import Paths

ROOT = Path(__file__).parents[3]


def filters(interface: str) -> str:
    """What tc itself says is at ingress of an interface."""
    command = ["tc", "filter", "show", "dev", interface, "ingress"]
    return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout


def qdiscs(interface: str) -> str:
    command = ["tc", "qdisc", "show", "dev", interface]
    return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout


def test_opening_changes_nothing(open_plane: Open, paths: Paths) -> None:
    plane: DataPlane = open_plane()
    assert plane.pending(CONFIG) == ("load the translators into the kernel",)
    assert plane.attached() == ()
    assert not paths.pins("test").exists()


def test_a_second_configure_changes_nothing(open_plane: Open) -> None:
    plane = open_plane()
    plane.configure(CONFIG)
    assert plane.pending(CONFIG) == ()
    programs = {name: p.id for name, p in plane.generation().programs.items()}
    plane.configure(CONFIG)
    other = open_plane()
    assert other.pending(CONFIG) == ()
    other.configure(CONFIG)
    assert {name: p.id for name, p in other.generation().programs.items()} == programs


def test_pending_says_what_differs(open_plane: Open) -> None:
    plane = open_plane()
    plane.configure(CONFIG)
    lines = plane.pending(nat64(sources=["2001:db8:1::/48"], timeout=Timeouts(udp=400)))
    assert lines == ("map sources: 1 to write, 1 to delete", "map nat64_config: new settings")
    plane.configure(nat64(sources=["2001:db8:1::/48"], timeout=Timeouts(udp=400)))
    assert plane.pending(nat64(sources=["2001:db8:1::/48"], timeout=Timeouts(udp=400))) == ()


def test_sessions_outlive_the_process(open_plane: Open) -> None:
    first = open_plane()
    first.configure(CONFIG)
    first.attach("nat64-x", "nat64")
    port = open_flow(first, 5000)
    first.close()
    second = open_plane()
    assert second.attached() == (Attachment("nat64-x", "nat64"),)
    assert [s.port6 for s in second.sessions()] == [5000]
    assert send(second, udp4(port)) == "TRANSLATED_4TO6"


def test_expiry_goes_on_without_a_process(open_plane: Open, paths: Paths) -> None:
    """A process of its own loads, and is gone; the timer in the map collects what it left."""
    script = (
        "import sys; from pathlib import Path; from v6native.dataplane.kernel import KernelDataPlane;"
        "from v6native.paths import Paths; from tests.system.dataplane import flows;"
        "from v6native.config.model import Timeouts;"
        "plane = KernelDataPlane.open(Paths(bpffs=Path(sys.argv[1])), 'test');"
        "plane.configure(flows.nat64(timeout=Timeouts(udp=1)));"
        "[flows.open_flow(plane, port) for port in range(5000, 5010)]; print(plane.totals().sessions)"
    )
    command = [sys.executable, "-c", script, str(paths.bpffs)]
    environment = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=True)
    assert done.stdout.strip() == "10"
    plane = open_plane()
    deadline = time.monotonic() + 10
    while plane.totals().sessions and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (plane.totals().sessions, plane.totals().bib) == (0, 0)


def test_attaching(open_plane: Open) -> None:
    plane = open_plane()
    plane.configure(CONFIG)
    plane.attach("nat64-x", "nat64")
    first = filters("nat64-x")
    assert "nat64" in first
    plane.attach("nat64-x", "nat64")
    assert filters("nat64-x") == first
    plane.attach("nat64-x", "slow_in")
    assert plane.attached() == (Attachment("nat64-x", "slow_in"),)
    plane.detach("nat64-x")
    plane.detach("nat64-x")
    plane.detach("no-such-link")
    assert plane.attached() == () and "clsact" not in qdiscs("nat64-x")
    with pytest.raises(DataPlaneError, match="there is no interface eth9"):
        plane.attach("eth9", "nat64")
    with pytest.raises(DataPlaneError, match="no BPF program is named nat46"):
        plane.attach("nat64-x", "nat46")


def test_others_filters_stay(open_plane: Open, paths: Paths) -> None:
    plane = open_plane()
    plane.configure(CONFIG)
    plane.attach("nat64-x", "nat64")
    theirs = str(paths.bpffs / "theirs")
    plane.generation().programs["slow_in"].pin(Path(theirs))
    command = ["tc", "filter", "add", "dev", "nat64-x", "ingress", "prio", "9", "bpf", "da", "object-pinned", theirs]
    subprocess.run(command, check=True, timeout=10)
    plane.remove()
    assert "pref 9 " in filters("nat64-x") and "pref 64 " not in filters("nat64-x")


def test_a_foreign_program_at_our_place_is_not_replaced(open_plane: Open, paths: Paths, tmp_path: Path) -> None:
    source, theirs = tmp_path / "theirs.bpf.c", paths.bpffs / "theirs"
    source.write_text(
        "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n"
        'SEC("tc") int theirs(struct __sk_buff *skb) { return 0; }\nchar LICENSE[] SEC("license") = "GPL";\n'
    )
    compile_bpf(source, tmp_path / "theirs.bpf.o")
    with BpfObject(tmp_path / "theirs.bpf.o") as item:
        item.load()
        item.programs["theirs"].pin(theirs)
    tc = ["tc", "filter", "add", "dev", "lo", "ingress", "prio", "64", "handle", "64", "bpf", "da"]
    subprocess.run(["tc", "qdisc", "add", "dev", "lo", "clsact"], check=True, timeout=10)
    subprocess.run([*tc, "object-pinned", str(theirs)], check=True, timeout=10)
    plane = open_plane()
    plane.configure(CONFIG)
    with pytest.raises(DataPlaneError, match="the BPF program theirs, which is not v6native's"):
        plane.attach("lo", "steer_lo")
    plane.detach("lo")
    plane.remove()
    assert "theirs" in filters("lo")


def test_remove_leaves_nothing(open_plane: Open, paths: Paths) -> None:
    plane = open_plane()
    plane.configure(CONFIG)
    for interface, program in (("nat64-x", "nat64"), ("clat-x", "siit"), ("lo", "steer_lo")):
        plane.attach(interface, program)
    neighbour = open_plane("beside")
    neighbour.configure(CONFIG)
    neighbour.attach("v6n-slow", "slow_in")
    plane.remove()
    plane.remove()
    assert all("clsact" not in qdiscs(i) for i in ("nat64-x", "clat-x", "lo"))
    assert not paths.pins("test").exists()
    assert neighbour.attached() == (Attachment("v6n-slow", "slow_in"),)
    assert open_plane().pending(CONFIG) == ("load the translators into the kernel",)


def test_a_new_program_takes_over_what_runs(open_plane: Open, tmp_path: Path) -> None:
    """Another build of the same ABI: the maps stay, the attached program is replaced."""
    plane = open_plane()
    plane.configure(CONFIG)
    plane.attach("nat64-x", "nat64")
    port = open_flow(plane, 5000)
    old = {m: plane.generation().maps["nat64"][m].id for m in ("bib", "sessions", "sweeper")}
    program = plane.generation().programs["nat64"].id
    plane.close()
    objects = tmp_path / "objects"
    objects.mkdir()
    for file in OBJECTS.glob("*.bpf.o"):
        # What follows an ELF's sections is nobody's: the same programs from another file.
        (objects / file.name).write_bytes(file.read_bytes() + bytes(8))
    newer = open_plane(objects=objects)
    assert newer.pending(CONFIG) == ("replace the loaded BPF programs, sessions go on",)
    newer.configure(CONFIG)
    assert newer.pending(CONFIG) == ()
    assert {m: newer.generation().maps["nat64"][m].id for m in old} == old
    assert newer.generation().programs["nat64"].id != program
    assert f"id {newer.generation().programs['nat64'].id} " in filters("nat64-x")
    assert send(newer, udp4(port)) == "TRANSLATED_4TO6"
    assert send(newer, udp6(5000)) == "TRANSLATED_6TO4"


def test_missing_interfaces_are_said(open_plane: Open) -> None:
    plane = open_plane()
    missing = replace(CONFIG, nat64_interface="nat65")
    assert plane.pending(missing)
    with pytest.raises(DataPlaneError, match="there is no interface nat65"):
        plane.configure(missing)


def test_broken_objects_are_said(open_plane: Open, tmp_path: Path) -> None:
    with pytest.raises(DataPlaneError, match="no BPF objects are there"):
        open_plane(objects=tmp_path / "nowhere").configure(CONFIG)
    (tmp_path / "nat64.bpf.o").write_bytes(b"garbage" * 40)
    with pytest.raises(DataPlaneError, match=r"nat64\.bpf\.o: not a usable BPF object"):
        open_plane(objects=tmp_path).configure(CONFIG)


def test_the_verifiers_refusal_is_one_line_with_the_log_behind_it(open_plane: Open, tmp_path: Path) -> None:
    source = tmp_path / "bad.bpf.c"
    source.write_text(
        "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n"
        'SEC("tc") int bad(struct __sk_buff *skb) { return *(int *)(long)skb->data; }\n'
        'char LICENSE[] SEC("license") = "GPL";\n'
    )
    compile_bpf(source, tmp_path / "bad.bpf.o")
    with pytest.raises(VerifierRefused, match=r"bad\.bpf\.o: the kernel's verifier refused program bad: ") as caught:
        open_plane(objects=tmp_path).configure(CONFIG)
    assert "\n" not in str(caught.value)
    assert "R1 offset is outside of the packet" in str(caught.value)
    assert "processed" in caught.value.log


def test_without_a_bpf_file_system(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentRefused, match="mount -t bpf bpf"):
        KernelDataPlane.open(Paths(bpffs=tmp_path), "test")
