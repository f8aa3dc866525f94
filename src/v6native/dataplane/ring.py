# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A BPF ring buffer (Documentation/bpf/ringbuf.rst), read in place and given back when its reader has done its work.

libbpf's own reader gives each record back as its callback returns, so that whoever dies before the records are safe has
lost them. Here they stay in the ring until `release`: the next reader finds them again.
"""

from __future__ import annotations

import mmap
import threading
from ctypes import c_ulong, sizeof

from v6native.dataplane.maps import BpfMap

RINGBUF = 27

# linux/bpf.h: a record's header is its length, with these two bits, and a page offset; records are aligned to 8 bytes.
_BUSY, _DISCARDED = 1 << 31, 1 << 30
_HEADER = 8


class RingBuffer:
    """One reader of one ring. Positions count bytes since the map was made, and never go back."""

    def __init__(self, ring: BpfMap) -> None:
        self._size, self.fd = ring.max_entries, ring.fd
        page = mmap.PAGESIZE
        # The consumer's page, which we may write; the producer's page and the data, twice in a row, which we may not.
        self._ours = mmap.mmap(ring.fd, page, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ | mmap.PROT_WRITE)
        self._theirs = mmap.mmap(
            ring.fd, page + 2 * self._size, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ, offset=page
        )
        self._whole = memoryview(self._theirs)
        self._producer = self._whole[: sizeof(c_ulong)].cast("L")
        self._data = self._whole[page:]
        self._words = self._data.cast("I")
        self._fence = threading.Lock()

    def close(self) -> None:
        for view in (self._words, self._data, self._producer, self._whole):
            view.release()
        self._ours.close()
        self._theirs.close()

    @property
    def position(self) -> int:
        """Up to where records were given back."""
        return c_ulong.from_buffer_copy(self._ours, 0).value

    def read(self, start: int, most: int) -> tuple[list[bytes], int]:
        """At most so many records from a position on, and the position behind them; nothing is given back.

        A record that is still being written ends the list.
        """
        end = self._producer[0]
        self._order()
        found: list[tuple[int, int]] = []
        while start < end and len(found) < most:
            at = start % self._size
            header = self._words[at // 4]
            if header & _BUSY:
                break
            length = header & ~_DISCARDED
            if not header & _DISCARDED:
                found.append((at + _HEADER, length))
            start += _HEADER + (length + 7) // 8 * 8
        self._order()
        return [bytes(self._data[at : at + length]) for at, length in found], start

    def release(self, position: int) -> None:
        """Give back everything before that position."""
        self._order()
        c_ulong.from_buffer(self._ours).value = position

    def _order(self) -> None:
        """What was read before this is older than what is read after it, on every processor.

        The kernel publishes a record with a full barrier; we have to read position, header and data in that order. A
        release and an acquire in between are enough, and a lock is made of them.
        """
        for _turn in range(2):
            with self._fence:
                pass
