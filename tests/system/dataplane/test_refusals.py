# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Refused packets out of the rings: each once, to one reader, and nothing is left on when that one dies."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest

from tests.packets.build import udp6
from tests.packets.harness import Bench
from tests.system.dataplane.conftest import Open
from tests.system.dataplane.flows import CONFIG, send
from v6native.dataplane import abi
from v6native.dataplane.door import Translator
from v6native.dataplane.kernel import KernelDataPlane
from v6native.errors import DataPlaneError

STRANGER = udp6(sport=7, src="2001:db8:9::1")
EMPTY = abi.TraceControl().until_ns


@pytest.fixture
def plane(open_plane: Open) -> KernelDataPlane:
    it = open_plane()
    it.configure(CONFIG)
    return it


def control(plane: KernelDataPlane, of: str = "nat64") -> abi.TraceControl:
    return abi.TraceControl.from_buffer_copy(plane.generation().maps[of]["trace_control"].at(0))


def test_what_was_refused_is_told_once(plane: KernelDataPlane) -> None:
    send(plane, STRANGER)
    assert plane.refusals(100).seen == (), "nobody watched then"
    send(plane, STRANGER)
    send(plane, udp6(sport=8))
    (refused,) = plane.refusals(100).seen
    assert (refused.translator, refused.reason.name) == (Translator.NAT64, "SOURCE_NOT_ALLOWED")
    assert (refused.packet, refused.length, refused.mark) == (STRANGER, len(STRANGER), 0)
    assert 0 <= refused.age < 60 and refused.interface == "lo", "a test run is on loopback"
    assert plane.refusals(100).seen == ()


def test_both_translators_are_told(plane: KernelDataPlane) -> None:
    plane.refusals(100)
    bench = Bench(plane)
    bench.siit(udp6())
    bench.nat64(STRANGER)
    told = {(refused.translator.value, refused.reason.name) for refused in plane.refusals(100).seen}
    assert told == {("siit", "NO_MAPPING"), ("nat64", "SOURCE_NOT_ALLOWED")}


def test_more_than_the_rate_is_counted_as_lost(plane: KernelDataPlane) -> None:
    plane.refusals(3)
    for _packet in range(40):
        send(plane, STRANGER)
    found = plane.refusals(3)
    assert len(found.seen) + found.lost == 40 and 3 <= len(found.seen) < 20
    assert plane.refusals(3).lost == 0, "each is counted once"


def test_more_than_the_ring_holds_is_counted_as_lost(plane: KernelDataPlane) -> None:
    plane.refusals(10_000)
    Bench(plane).flood(STRANGER for _packet in range(2500))
    found = plane.refusals(10_000)
    assert len(found.seen) + found.lost == 2500 and found.lost > 500


def test_nothing_is_left_on(plane: KernelDataPlane) -> None:
    plane.refusals(100)
    left = control(plane).until_ns - time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    assert 0 < left <= 3_000_000_000
    plane.end_refusals()
    assert (control(plane).until_ns, control(plane, "siit").until_ns) == (EMPTY, EMPTY)
    before = plane.counters()["TRACE_LOST"]
    send(plane, STRANGER)
    assert plane.counters()["TRACE_LOST"] == before
    assert plane.refusals(100).seen == ()


def test_there_is_one_reader(open_plane: Open, plane: KernelDataPlane) -> None:
    other = open_plane()
    plane.refusals(100)
    with pytest.raises(DataPlaneError, match="another v6native reads the refused packets already"):
        other.refusals(100)
    plane.end_refusals()
    send(plane, STRANGER)
    other.refusals(100)
    send(plane, STRANGER)
    assert len(other.refusals(100).seen) == 1
    other.end_refusals()


def test_a_dead_reader_makes_room(plane: KernelDataPlane) -> None:
    child = os.fork()
    if child == 0:
        plane.refusals(100)
        os._exit(0)
    os.waitpid(child, 0)
    assert plane.refusals(100).seen == ()


def test_the_reader_goes_on_when_the_programs_change(plane: KernelDataPlane) -> None:
    plane.refusals(100)
    assert CONFIG.nat64 is not None
    plane.configure(replace(CONFIG, nat64=replace(CONFIG.nat64, sessions=8192)))
    plane.refusals(100)
    send(plane, STRANGER)
    assert [r.reason.name for r in plane.refusals(100).seen] == ["SOURCE_NOT_ALLOWED"]


def test_where_nothing_is_loaded(open_plane: Open) -> None:
    with pytest.raises(DataPlaneError, match="no translators are loaded"):
        open_plane().refusals(100)
