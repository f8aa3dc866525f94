# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Another ABI, another table size: sessions, BIB, counters and configuration go along beside running traffic."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.packets.books import audit
from tests.packets.harness import PHONE, POOL, Action, Bench
from tests.system.dataplane.build import compile_bpf
from tests.system.dataplane.conftest import Open
from tests.system.dataplane.flows import CONFIG, ack6, answered_to, nat64, open_flow, send, syn4, syn6, udp4, udp6
from v6native.config.model import Proto
from v6native.dataplane import abi, bpffs
from v6native.dataplane.carry import Carried, copy_configuration, silent
from v6native.dataplane.door import Session, TcpState, Translator
from v6native.dataplane.kernel import KernelDataPlane
from v6native.dataplane.loader import OBJECTS, Source, load
from v6native.desired.dataplane import Attachment, StaticEntry
from v6native.paths import Paths

ROOT = Path(__file__).parents[3]
HERE = str(abi.ABI_VERSION)
WEB = StaticEntry(Proto.TCP, POOL, 80, PHONE, 8080)


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Objects of an ABI 0 that never was: fields of the session and of the BIB lie elsewhere."""
    folder = tmp_path_factory.mktemp("abi0")
    shutil.copytree(ROOT / "bpf", folder / "bpf")
    header = folder / "bpf/abi.h"
    text = header.read_text()
    for old, new in (
        ("struct session {\n", "struct session {\n\t__u64 once_was[2];\n"),
        ("struct bib_entry {\n", "struct bib_entry {\n\t__u64 once_was;\n"),
        ("sizeof(struct session) == 56", "sizeof(struct session) == 72"),
        ("sizeof(struct bib_entry) == 48", "sizeof(struct bib_entry) == 56"),
    ):
        assert old in text
        text = text.replace(old, new)
    header.write_text(text)
    reasons = folder / "bpf/reasons.h"
    words = reasons.read_text()
    assert "\tREASON(TRANSLATED_6TO4" in words
    reasons.write_text(
        words.replace("\tREASON(TRANSLATED_6TO4", '\tREASON(ONCE_WAS, DROP, "no more") \\\n\tREASON(TRANSLATED_6TO4')
    )
    for name in ("nat64", "siit"):
        compile_bpf(folder / f"bpf/{name}.bpf.c", folder / f"{name}.bpf.o")
    return folder


def flow_of(session: Session) -> tuple[object, ...]:
    s = session
    return s.proto, s.port6, s.port4, s.remote4, s.remote_port, s.state, s.bytes_6to4, s.bytes_4to6


def pool_port(plane: KernelDataPlane, packet: bytes) -> int:
    """The source port that a packet leaves with."""
    out = Bench(plane).run("nat64", Translator.NAT64, packet)
    assert out.reason == "TRANSLATED_6TO4"
    return int.from_bytes(out.packet[20:22], "big")


def busy(plane: KernelDataPlane) -> tuple[list[int], int]:
    """A static entry with a session, an established connection, ten UDP flows: their ports at the pool."""
    assert send(plane, syn4(80)) == "TRANSLATED_4TO6"
    assert send(plane, syn6(7000)) == "TRANSLATED_6TO4"
    tcp = next(e.port4 for e in plane.bib() if e.port6 == 7000)
    assert send(plane, syn4(tcp)) == "TRANSLATED_4TO6"
    return [open_flow(plane, port) for port in range(5000, 5010)], tcp


@pytest.mark.parametrize("sessions", [2048, 64])
def test_another_table_size(open_plane: Open, sessions: int) -> None:
    plane = open_plane()
    plane.configure(nat64(static=[WEB]))
    plane.attach("nat64-x", "nat64")
    ports, tcp = busy(plane)
    before, counted = {flow_of(s) for s in plane.sessions()}, plane.counters()
    plane.configure(nat64(static=[WEB], sessions=sessions))
    assert {flow_of(s) for s in plane.sessions()} == before
    assert plane.totals().max_sessions == sessions
    assert plane.counters() == counted
    assert plane.attached() == (Attachment("nat64-x", "nat64"),)
    for index, port in enumerate(ports):
        assert answered_to(plane, udp4(port)) == (str(PHONE), 5000 + index)
    assert send(plane, syn4(tcp)) == "TRANSLATED_4TO6"
    assert plane.totals().sessions == len(before)
    for port in range(6000, 6040):
        open_flow(plane, port)
    assert plane.totals().sessions == len(list(plane.sessions())) == len(before) + 40
    assert len({(e.proto, e.port4) for e in plane.bib()}) == len(list(plane.bib()))


def test_another_abi(open_plane: Open, older: Path, paths: Paths) -> None:
    """ABI 0's own programs made the state; this version's Python cannot read it but by its BTF."""
    old = open_plane(objects=older, abi_version=0)
    old.configure(CONFIG)
    old.attach("nat64-x", "nat64")
    ports = [pool_port(old, udp6(port)) for port in range(5000, 5010)]
    tcp = pool_port(old, syn6(7000))
    assert send(old, syn4(tcp)) == "TRANSLATED_4TO6"
    old.close()
    new = open_plane()
    assert new.attached() == (Attachment("nat64-x", "nat64"),)
    assert new.pending(CONFIG)[0] == "replace the loaded BPF programs, sessions go on"
    new.configure(CONFIG)
    assert new.pending(CONFIG) == ()
    assert new.counters()["TRANSLATED_6TO4"] == 11 and "ONCE_WAS" not in new.counters()
    assert sorted((s.port6, s.port4) for s in new.sessions()) == [
        *zip(range(5000, 5010), ports, strict=True),
        (7000, tcp),
    ]
    assert [s.state for s in new.sessions() if s.proto is Proto.TCP] == [TcpState.ESTABLISHED]
    assert all(290 < s.seconds_left <= 300 and s.age < 60 for s in new.sessions() if s.proto is Proto.UDP)
    for index, port in enumerate(ports):
        assert answered_to(new, udp4(port)) == (str(PHONE), 5000 + index)
    assert new.attached() == (Attachment("nat64-x", "nat64"),)
    assert [folder.name for folder in bpffs.generations(paths.pins("test"))] == [str(abi.ABI_VERSION)]


def test_what_begins_while_the_generations_change(open_plane: Open, tmp_path: Path) -> None:
    """The two passes of a change, with new flows between them."""
    plane = open_plane()
    plane.configure(CONFIG)
    early = [open_flow(plane, port) for port in range(5000, 5003)]
    half_open = pool_port(plane, syn6(7000))
    old = plane.generation()
    source = Source(OBJECTS, 2048)
    objects = source.open()
    new = load(objects, old.folder.with_name(str(abi.ABI_VERSION + 1)), source.digest(), None)
    copy_configuration(old, new)
    carried = Carried.copy(old, new)
    late = [open_flow(plane, port) for port in range(6000, 6004)]
    assert send(plane, syn4(half_open)) == "TRANSLATED_4TO6"
    # A port that the new programs have given away in between stays theirs.
    taken = KernelDataPlane(old.folder.parent, OBJECTS, abi.ABI_VERSION + 1)
    taken._now = new
    theirs, again = open_flow(taken, 9000), open_flow(taken, 6003)
    carried.rest(new)
    assert {(s.port6, s.port4) for s in taken.sessions()} == {
        *zip(range(5000, 5003), early, strict=True), *zip(range(6000, 6003), late, strict=False), (9000, theirs),
        (6003, again), (7000, half_open),
    }  # fmt: skip
    assert taken.totals().sessions == taken.totals().bib == 9
    assert audit(new) == []
    assert [s.state for s in taken.sessions() if s.proto is Proto.TCP] == [TcpState.ESTABLISHED], "opened in between"
    for port in range(10000, 12039):
        pool_port(taken, udp6(port))
    assert taken.totals().sessions == len(list(taken.sessions())) == 2048
    assert send(taken, udp6(13000)) == "TABLE_FULL"
    for item in objects:
        item.close()


def test_a_change_that_was_interrupted(open_plane: Open, paths: Paths) -> None:
    """Killed after the programs changed over and before the folders did: the attached generation is the one."""
    plane = open_plane()
    plane.configure(CONFIG)
    plane.attach("nat64-x", "nat64")
    port = open_flow(plane, 5000)
    plane.close()
    root = paths.pins("test")
    (root / HERE).rename(root / f"{HERE}-next")
    half = Source(OBJECTS, 64)
    objects = half.open()
    load(objects, root / HERE, half.digest(), None).close()
    for item in objects:
        item.close()
    again = open_plane()
    assert [s.port6 for s in again.sessions()] == [5000]
    again.configure(CONFIG)
    assert [folder.name for folder in bpffs.generations(root)] == [HERE]
    assert answered_to(again, udp4(port)) == (str(PHONE), 5000)
    assert again.attached() == (Attachment("nat64-x", "nat64"),)


def test_nobody_is_told_of_sessions_that_are_on_their_way(open_plane: Open) -> None:
    """A reset would end a connection that only has not come over yet."""
    plane = open_plane()
    plane.configure(nat64(port_block=0))
    bench = Bench(plane)

    def answered(packet: bytes) -> bool:
        bench.refill()
        return bench.nat64(packet).action is not Action.SHOT

    strays = (ack6(7000), udp4(50000))
    assert [answered(packet) for packet in strays] == [True, True]
    with silent(plane.generation()):
        assert [answered(packet) for packet in strays] == [False, False]
    assert [answered(packet) for packet in strays] == [True, True]
