# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""An array map as memory shared with the BPF programs: one field is written without touching those beside it.

A map update writes a whole element, and would undo what a packet changed in it meanwhile.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar

from v6native.dataplane.abi import Struct
from v6native.dataplane.maps import BpfMap

S = TypeVar("S", bound=Struct)

# Elements copied at a time while walking.
_SLICE = 4096
_NUMBERS: dict[int, Any] = {1: ctypes.c_uint8, 2: ctypes.c_uint16, 4: ctypes.c_uint32, 8: ctypes.c_uint64}
# linux/membarrier.h MEMBARRIER_CMD_GLOBAL: returns after an RCU grace period. No C library wraps it.
_MEMBARRIER = {"x86_64": 324, "ppc64le": 365, "s390x": 356}
_MEMBARRIER_GENERIC = 283
_COMMAND_GLOBAL = 1
# Where it is refused (a nohz_full kernel): far longer than a packet takes.
_GRACE_SECONDS = 0.1


class SharedArray(Generic[S]):
    """`with SharedArray(map, Bib) as bib: bib[5].refs; bib.store(5, "flags", 0)`."""

    def __init__(self, array: BpfMap, struct: type[S]) -> None:
        self.struct = struct
        self.length = array.max_entries
        # The kernel pads each element to 8 bytes, and the whole to a page.
        self._stride = (array.value_size + 7) // 8 * 8
        size = (self._stride * self.length + mmap.PAGESIZE - 1) // mmap.PAGESIZE * mmap.PAGESIZE
        self._memory = mmap.mmap(array.fd, size, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ | mmap.PROT_WRITE)

    def __enter__(self) -> SharedArray[S]:
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None) -> None:
        self._memory.close()

    def __getitem__(self, index: int) -> S:
        """A copy of an element."""
        if not 0 <= index < self.length:
            raise IndexError(index)
        return self.struct.from_buffer_copy(self._memory[index * self._stride : (index + 1) * self._stride])

    def walk(self, start: int, end: int) -> Iterator[tuple[int, S]]:
        """Copies of the elements from `start` to before `end`, lazily."""
        end = min(end, self.length)
        for first in range(start, end, _SLICE):
            count = min(_SLICE, end - first)
            chunk = self._memory[first * self._stride : (first + count) * self._stride]
            for at in range(count):
                yield first + at, self.struct.from_buffer_copy(chunk, at * self._stride)

    def store(self, index: int, field: str, value: int | bytes) -> None:
        """Write one field. A number is written in one store, as the programs that read it expect."""
        if not 0 <= index < self.length:
            raise IndexError(index)
        place = getattr(self.struct, field)
        start = index * self._stride + place.offset
        if isinstance(value, bytes):
            self._memory[start : start + place.size] = value
            return
        _NUMBERS[place.size].from_buffer(self._memory, start).value = value

    def write(self, index: int, value: S, last: str) -> None:
        """Write a whole element that no program uses yet, its field `last`, a number, after all others."""
        number = getattr(value, last)
        setattr(value, last, 0)
        start = index * self._stride
        self._memory[start : start + ctypes.sizeof(value)] = bytes(value)
        self.store(index, last, number)
        setattr(value, last, number)


def grace_period() -> None:
    """Return when every program that was running has ended: what was unlinked before is seen by nobody."""
    number = _MEMBARRIER.get(platform.machine(), _MEMBARRIER_GENERIC)
    if ctypes.CDLL(None).syscall(number, _COMMAND_GLOBAL, 0, 0) != 0:
        time.sleep(_GRACE_SECONDS)
