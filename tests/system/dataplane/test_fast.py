# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The fast path's permission in the kernel's maps, and its programs beside others' filters."""

from __future__ import annotations

import socket
import subprocess
import time

from tests.system.dataplane.conftest import Open
from tests.system.dataplane.flows import CONFIG
from v6native.dataplane import abi, fast
from v6native.dataplane.door import FastPermit
from v6native.dataplane.kernel import KernelDataPlane
from v6native.desired.dataplane import FastPair
from v6native.system.foreign import read_foreign

OUT, BACK = FastPair("nat64", "clat", True), FastPair("clat", "nat64", False)


def pairs(plane: KernelDataPlane) -> dict[tuple[int, int], tuple[int, int]]:
    table = plane.generation().maps["nat64"]["fast_pairs"]
    found = {}
    for key, value in table.items():
        k, v = fast.FastKey.from_buffer_copy(key), fast.FastPair.from_buffer_copy(value)
        found[(k.ingress, k.egress)] = (v.flags, v.name)
    return found


def lease(plane: KernelDataPlane) -> fast.FastLease:
    return fast.FastLease.from_buffer_copy(plane.generation().maps["nat64"]["fast_lease"].at(0))


def test_without_a_permission_there_is_no_lease(open_plane: Open) -> None:
    plane = open_plane()
    plane.permit((FastPermit(OUT),), 3)  # nothing is loaded yet
    plane.configure(CONFIG)
    assert (pairs(plane), lease(plane).deadline_ns) == ({}, 0)


def test_exactly_what_is_permitted(open_plane: Open) -> None:
    plane = open_plane()
    plane.configure(CONFIG)
    nat64, clat = socket.if_nametoindex("nat64"), socket.if_nametoindex("clat")
    plane.permit((FastPermit(OUT), FastPermit(BACK, ingress_l3=True)), 3)
    found = pairs(plane)
    assert {key: flags for key, (flags, _) in found.items()} == {
        (nat64, clat): fast.FAST_FROM6,
        (clat, nat64): fast.FAST_FROM4 | fast.FAST_IN_L3,
    }
    assert len({name for _, name in found.values()}) == 2, "interfaces are told apart"
    assert 2.9e9 < lease(plane).deadline_ns - time.monotonic_ns() < 3e9
    before = lease(plane).epoch
    plane.permit((FastPermit(BACK, egress_l3=True), FastPermit(FastPair("gone0", "clat", True))), 3)
    assert {key: flags for key, (flags, _) in pairs(plane).items()} == {
        (clat, nat64): fast.FAST_FROM4 | fast.FAST_OUT_L3
    }
    assert lease(plane).epoch == before + 1
    plane.permit((), 3)
    assert (pairs(plane), lease(plane).deadline_ns) == ({}, 0)


def test_both_directions_between_the_same_two(open_plane: Open) -> None:
    """A node whose LAN is its uplink."""
    plane = open_plane()
    plane.configure(CONFIG)
    same = [FastPermit(FastPair("nat64", "nat64", from6)) for from6 in (True, False)]
    plane.permit(same, 3)
    assert [flags for flags, _ in pairs(plane).values()] == [fast.FAST_FROM6 | fast.FAST_FROM4]


def test_epochs_go_round_without_zero(open_plane: Open) -> None:
    plane = open_plane()
    plane.configure(CONFIG)
    seen = []
    for _ in range(2 * fast.FAST_NAMES):
        plane.permit((FastPermit(OUT),), 3)
        seen.append(lease(plane).epoch)
    assert set(seen) == set(range(1, fast.FAST_NAMES + 1))


def test_the_permission_is_written_while_programs_are_replaced(open_plane: Open) -> None:
    """Another ABI: a new generation of maps, found by the same call of another object."""
    keeper = open_plane()
    keeper.configure(CONFIG)
    keeper.permit((FastPermit(OUT),), 3)
    newer = open_plane(abi_version=abi.ABI_VERSION + 1)
    newer.configure(CONFIG)
    assert pairs(newer) == {}, "nobody has looked yet whether it still holds"
    keeper.permit((FastPermit(OUT),), 3)
    assert len(pairs(newer)) == 1


def test_our_filters_are_not_foreign(open_plane: Open) -> None:
    plane = open_plane()
    plane.configure(CONFIG)
    plane.attach("clat", "fast")
    plane.attach("nat64", "fast_steer")
    assert read_foreign(["clat", "nat64"]).filters == {"clat": (), "nat64": ()}
    argv = "tc filter add dev clat ingress pref 65 protocol ip u32 match u32 0 0 flowid 1:1"
    subprocess.run(argv.split(), check=True, timeout=10)
    assert set(read_foreign(["clat"]).filters["clat"]) == {"ingress pref 65 u32"}
