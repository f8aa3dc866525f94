# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What upstream said, by question, until it expires and a while longer; bounded in entries and octets.

Only upstream's own words lie here, never a synthesized answer: a change of prefix or view costs nothing.
Eviction is second chance: the oldest entry goes, unless it was asked for since it was last looked at.
"""

from __future__ import annotations

from v6native.dns64 import wire
from v6native.dns64.answer import Answer

# A key, an Answer object and the dictionary's slot, beside the octets of the message; measured with tracemalloc.
OVERHEAD = 420
_AAAA = wire.AAAA.to_bytes(2, "big")


class Cache:
    """`now` is in whole seconds of a monotonic clock, as everywhere in answers."""

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._entries: dict[bytes, Answer] = {}
        self.bytes = 0
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._entries)

    def holds(self, key: bytes) -> bool:
        """Whether there is an answer, be it past its time."""
        return key in self._entries

    def get(self, key: bytes, now: int) -> Answer | None:
        """The answer, unless it has expired."""
        entry = self._entries.get(key)
        if entry is None or entry.expires <= now:
            return None
        entry.used = True
        return entry

    def past(self, key: bytes, now: int, seconds: int) -> Answer | None:
        """What was true until at most so long ago, while nobody knows better: no failure."""
        entry = self._entries.get(key)
        if entry is None or entry.failed or entry.expires > now:
            return None
        until = entry.expires if entry.true_until is None else entry.true_until
        return entry if now < until + seconds else None

    def put(self, key: bytes, answer: Answer, now: int) -> None:
        """Keeps an answer that is true for longer than this second; makes room for it."""
        if key in self._entries:
            self._forget(key)
        if answer.expires <= now:
            return
        self._entries[key] = answer
        self.bytes += _size(key, answer)
        if self.bytes > self._max_bytes or len(self._entries) > self._max_entries:
            self._make_room(now)

    def clear(self) -> None:
        self._entries.clear()
        self.bytes = 0

    def resize(self, max_entries: int, max_bytes: int, now: int) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._make_room(now)

    def _make_room(self, now: int) -> None:
        entries = self._entries
        while len(entries) > self._max_entries or self.bytes > self._max_bytes:
            key = next(iter(entries))
            entry = entries[key]
            if entry.used and entry.expires > now:
                # Moved to the end without its mark: met again, it goes. So this loop ends.
                entry.used = False
                entries[key] = entries.pop(key)
            else:
                self._forget(key)
                self.evicted += 1

    def _forget(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.bytes -= _size(key, entry)


def _size(key: bytes, answer: Answer) -> int:
    size = len(key) + len(answer.message) + OVERHEAD
    # What is made of an AAAA answer hangs on it (Answer.memo), and is about as large.
    return 2 * size if key[-5:-3] == _AAAA else size
