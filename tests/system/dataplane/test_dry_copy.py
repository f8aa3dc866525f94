# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The second copy of the programs: no writing function is left in it, and its maps are the running ones' tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.system.dataplane.conftest import Open
from tests.system.dataplane.flows import CONFIG, udp6
from tests.system.dataplane.xlated import atomics, calls
from v6native.dataplane.dryrun import OWN, PROGRAMS, DryCopy
from v6native.dataplane.kernel import KernelDataPlane
from v6native.dataplane.loader import OBJECTS, Source
from v6native.errors import DataPlaneError

WRITES = re.compile(r"update_elem|delete_elem|push_elem|pop_elem|ringbuf|timer|storage|perf_event|spin_lock|xchg")
# What a program may call that touches nothing but its packet, and reads; new names here need a second look.
HARMLESS = re.compile(
    r"(lookup|peek)_elem$|^bpf_(skb_\w+|l[34]_csum_replace|csum_diff|redirect(_neigh|_peer)?|fib_lookup|\w*_fib_lookup"
    r"|ktime_get_coarse_ns|user_rnd_u32|get_prandom_u32|for_each_hash_elem|get_smp_processor_id)$"
)


@pytest.fixture
def plane(open_plane: Open) -> KernelDataPlane:
    it = open_plane()
    it.configure(CONFIG)
    return it


@pytest.fixture
def copy(plane: KernelDataPlane) -> Iterator[DryCopy]:
    live = plane.generation()
    it = DryCopy(Source(OBJECTS, live.maps["nat64"]["sessions"].max_entries), live)
    yield it
    it.close()


def test_nothing_that_writes_is_left(plane: KernelDataPlane, copy: DryCopy) -> None:
    live = plane.generation().programs
    assert atomics(live["nat64"]) > 20 and any(WRITES.search(name) for name in calls(live["nat64"])), "no control"
    for name in PROGRAMS:
        called = calls(copy.program(name))
        assert [each for each in called if WRITES.search(each)] == [], name
        assert [each for each in called if not HARMLESS.search(each)] == [], name
        assert atomics(copy.program(name)) == 0, name


def test_the_tables_are_the_running_ones(plane: KernelDataPlane, copy: DryCopy) -> None:
    live = plane.generation()
    for of, maps in live.maps.items():
        tables = {each.id for name, each in maps.items() if name not in OWN and "rodata" not in name}
        used = frozenset().union(*(copy.program(name).map_ids for name in PROGRAMS))
        own = {each.id for name, each in maps.items() if name in OWN}
        assert not own & used, of
        assert tables & live.programs[of].map_ids <= used, of


def test_another_version_is_not_asked(plane: KernelDataPlane) -> None:
    """An upgraded v6native before its reload: its objects would tell of themselves."""
    plane._abi += 1
    with pytest.raises(DataPlaneError, match=r"not this version's.*v6native reload"):
        plane.dry_run("nat64", udp6(5000))
    plane._abi -= 1
    assert plane.dry_run("nat64", udp6(5000)).new_session


def test_a_copy_lives_as_long_as_the_running_ones(plane: KernelDataPlane) -> None:
    plane.dry_run("nat64", udp6(5000))
    plane.remove()
    with pytest.raises(DataPlaneError, match="no translators are loaded"):
        plane.dry_run("nat64", udp6(5000))
