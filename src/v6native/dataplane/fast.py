# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The fast path's permission: which packets may pass by the host's stack, for the next few seconds.

It is written through the pins, not through an open generation, because it must be renewed while another thread loads
programs or changes maps. While one generation takes over from another, both get it.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence
from ctypes import c_uint32, c_uint64
from pathlib import Path

from v6native.dataplane import abi, bpffs
from v6native.dataplane.door import FastPermit
from v6native.dataplane.maps import BpfMap

# bpf/abi.h, as dataplane/abi.py mirrors the rest of it.
FAST_FROM6 = 1
FAST_FROM4 = 2
FAST_IN_L3 = 4
FAST_OUT_L3 = 8
FAST_NAMES = 255
_NS = 1_000_000_000


class FastKey(abi.Struct):
    NAME = "fast_key"
    _fields_ = (("ingress", c_uint32), ("egress", c_uint32))


class FastPair(abi.Struct):
    NAME = "fast_pair"
    _fields_ = (("flags", c_uint32), ("name", c_uint32))


class FastLease(abi.Struct):
    NAME = "fast_lease"
    _fields_ = (("deadline_ns", c_uint64), ("epoch", c_uint32), ("pad", c_uint32))


STRUCTS: tuple[type[abi.Struct], ...] = (FastKey, FastPair, FastLease)


def permit(root: Path, permits: Sequence[FastPermit], seconds: float, now_ns: int) -> None:
    """Exactly these, until so many seconds after `now_ns`; without any, at once nothing."""
    wanted = _rows(permits)
    for folder in bpffs.generations(root):
        # A folder may go while another thread replaces the programs; its successor is here too, or comes.
        with contextlib.suppress(FileNotFoundError):
            _write(folder / "maps" / "nat64", wanted, now_ns + int(seconds * _NS) if wanted else 0)


def _write(folder: Path, wanted: dict[bytes, bytes], deadline_ns: int) -> None:
    with _opened(folder / "fast_lease") as lease, _opened(folder / "fast_pairs") as pairs:
        epoch = FastLease.from_buffer_copy(lease.at(0)).epoch % FAST_NAMES + 1
        have = dict(pairs.items())
        if have != wanted:
            # Nobody while it changes: what a number stands for may be another interface in a moment.
            lease.put(0, bytes(FastLease(0, epoch)))
        for key in have.keys() - wanted.keys():
            pairs.delete(key)
        for key, value in wanted.items():
            if have.get(key) != value:
                pairs.set(key, value)
        lease.put(0, bytes(FastLease(deadline_ns, epoch)))


def _rows(permits: Sequence[FastPermit]) -> dict[bytes, bytes]:
    """What an interface's name is now need not be what it was: the epoch, which changes with each write, tells them apart."""
    indices: dict[str, int] = {}
    for name in sorted({name for p in permits for name in (p.pair.ingress, p.pair.egress)}):
        # One that went away has no packets either.
        with contextlib.suppress(OSError):
            indices[name] = socket.if_nametoindex(name)
    numbers = {name: number for number, name in enumerate(indices, 1) if number <= FAST_NAMES}
    flags: dict[tuple[str, str], int] = {}
    for p in permits:
        key = (p.pair.ingress, p.pair.egress)
        flags[key] = flags.get(key, 0) | (FAST_FROM6 if p.pair.from6 else FAST_FROM4)
        flags[key] |= (FAST_IN_L3 if p.ingress_l3 else 0) | (FAST_OUT_L3 if p.egress_l3 else 0)
    return {
        bytes(FastKey(indices[ingress], indices[egress])): bytes(FastPair(value, numbers[ingress]))
        for (ingress, egress), value in flags.items()
        if ingress in numbers and egress in numbers
    }


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BpfMap]:
    found = BpfMap.pinned(path)
    try:
        yield found
    finally:
        found.close()
