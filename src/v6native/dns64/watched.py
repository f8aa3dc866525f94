# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Files that others write, and that are to be read anew then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from v6native.dns64.loop import Loop

CHECK_SECONDS = 10
_NONE = (0, 0, 0)


class Watched:
    """Calls `changed` within CHECK_SECONDS after one of the files is another, or is there, or is gone."""

    def __init__(self, loop: Loop, files: Sequence[Path], changed: Callable[[], None]) -> None:
        self._loop = loop
        self._files = tuple(files)
        self._changed = changed
        self._seen = self._stamps()
        self._timer = loop.later(CHECK_SECONDS, self._later)

    def look(self) -> None:
        """At once."""
        stamps = self._stamps()
        if stamps != self._seen:
            self._seen = stamps
            self._changed()

    def close(self) -> None:
        self._timer.cancel()

    def _later(self) -> None:
        self._timer = self._loop.later(CHECK_SECONDS, self._later)
        self.look()

    def _stamps(self) -> tuple[tuple[int, int, int], ...]:
        return tuple(map(_stamp, self._files))


def _stamp(file: Path) -> tuple[int, int, int]:
    try:
        seen = file.stat()
    except OSError:
        return _NONE
    return seen.st_ino, seen.st_mtime_ns, seen.st_size
