# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""All tables of the loaded programs, byte for byte: to show that something changed none of them."""

from __future__ import annotations

from tests.packets.harness import Bench
from v6native.dataplane.dryrun import OWN
from v6native.dataplane.maps import QUEUE, BpfMap

Snapshot = dict[str, dict[bytes, bytes]]


def snapshot(bench: Bench) -> Snapshot:
    """By object/map: what stands in it. What a program has for itself, and the objects' constants, are no tables.

    The sweep writes where it is: turn the bench's clock first, then it rests.
    """
    assert bench.offset, "the sweep runs: bench.advance() first"
    return {
        f"{of}/{name}": _contents(table)
        for of, maps in bench.plane.generation().maps.items()
        for name, table in maps.items()
        if name not in OWN and "rodata" not in name and "bss" not in name
    }


def changed(before: Snapshot, after: Snapshot) -> list[str]:
    """What differs, a line each."""
    return [
        f"{name}: {key.hex()}: {before[name].get(key, b'').hex()} became {after[name].get(key, b'').hex()}"
        for name in before
        for key in before[name].keys() | after[name].keys()
        if before[name].get(key) != after[name].get(key)
    ]


def _contents(table: BpfMap) -> dict[bytes, bytes]:
    if table.type != QUEUE:
        return dict(table.items())
    # A queue is read by emptying it; it gets everything back, in its order.
    values = []
    while (value := table.pop()) is not None:
        values.append(value)
    for value in values:
        table.set(b"", value)
    return {index.to_bytes(4, "big"): value for index, value in enumerate(values)}
