# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The audit itself: it finds nothing in sound tables, and sees each count and index that is off by one."""

from __future__ import annotations

import pytest

from tests.packets.books import audit, leftovers
from tests.packets.build import tcp6, udp4, udp6
from tests.packets.harness import PHONE, POOL, Bench, nat64_settings
from v6native.config.model import Proto
from v6native.dataplane import abi
from v6native.dataplane.shared import SharedArray
from v6native.desired.dataplane import StaticEntry


@pytest.fixture
def busy(bench: Bench) -> Bench:
    """Two clients with blocks, several remotes, a static entry in use, and slots that were freed."""
    web = StaticEntry(Proto.UDP, POOL, 53, PHONE, 5353)
    bench.configure(nat64_settings(port_block=16, address_dependent=True, static=(web,)))
    for n in range(30):
        bench.nat64(tcp6(sport=1000 + n))
    bench.advance(300)
    bench.sweep()
    for n in range(18):
        bench.nat64(udp6(sport=1000 + n, dport=53 + n % 3))
        bench.nat64(udp6(sport=1000 + n % 2, src="2001:db8:64:2::1"))
    bench.nat64(udp4(53))
    return bench


def test_sound_tables_add_up(busy: Bench) -> None:
    assert audit(busy.plane.generation()) == []
    assert audit(busy.plane.generation()) == [], "it reads and changes nothing"


def test_what_is_left_is_told_until_nothing_is(busy: Bench) -> None:
    assert set(leftovers(busy.plane.generation())) >= {"session_index", "remotes", "block_count", "holds"}
    busy.advance(8000)
    busy.sweep()
    assert set(leftovers(busy.plane.generation())) == {
        "client_index",
        "client_count",
        "block_index",
        "block_count",
        "holds",
    }
    busy.advance(121)
    busy.sweep()
    assert leftovers(busy.plane.generation()) == {} and audit(busy.plane.generation()) == []


@pytest.mark.parametrize(
    ("table", "struct", "change"),
    [
        ("sessions", abi.Session, "flags"),
        ("bib", abi.Bib, "refs"),
        ("bib", abi.Bib, "block"),
        ("bib", abi.Bib, "client"),
        ("clients", abi.Client, "refs"),
        ("clients", abi.Client, "sessions"),
        ("blocks", abi.PortBlock, "refs"),
        ("blocks", abi.PortBlock, "owner"),
        ("nat64_state", abi.Nat64State, "session_count"),
        ("nat64_state", abi.Nat64State, "sessions_used_to"),
        ("nat64_state", abi.Nat64State, "blocks_used_to"),
    ],
)
def test_a_wrong_number_is_seen(busy: Bench, table: str, struct: type[abi.Struct], change: str) -> None:
    with_map = busy.plane.generation().maps["nat64"][table]
    element = struct.from_buffer_copy(with_map.at(0))
    setattr(element, change, getattr(element, change) + 1)
    with_map.put(0, bytes(element))
    assert audit(busy.plane.generation()) != []


@pytest.mark.parametrize("name", ["session_index", "bib4", "bib6", "client_index", "block_index", "remotes"])
def test_a_lost_key_is_seen(busy: Bench, name: str) -> None:
    index = busy.plane.generation().maps["nat64"][name]
    key = next(index.items())[0]
    index.delete(key)
    assert any(line.startswith(name) for line in audit(busy.plane.generation()))


def test_a_slot_that_is_free_twice_is_seen(busy: Bench) -> None:
    queue = busy.plane.generation().maps["nat64"]["free_bib"]
    slot = queue.pop()
    assert slot is not None
    queue.set(b"", slot)
    assert audit(busy.plane.generation()) == []
    queue.set(b"", slot)
    assert any("twice" in line for line in audit(busy.plane.generation()))


def test_a_block_of_two_clients_is_seen(busy: Bench) -> None:
    with SharedArray(busy.plane.generation().maps["nat64"]["blocks"], abi.PortBlock) as blocks:
        other = next(slot for slot, block in blocks.walk(1, 8) if block.owner and block.owner != blocks[0].owner)
        for name in ("first", "last"):
            blocks.store(other, name, getattr(blocks[0], name))
    assert any("in two blocks" in line for line in audit(busy.plane.generation()))
