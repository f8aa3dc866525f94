# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Which prefixes' gateways are down, as the daemon writes it to health.json; nobody else probes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv6Network
from pathlib import Path

from v6native.dns64.loop import Loop

LOOK_SECONDS = 1.0
# A daemon that is not there any more tells nothing: then all count as working again.
OLD_SECONDS = 120.0


class Gateways:
    """Calls `changed` with the prefixes that are down, whenever they are others."""

    def __init__(
        self,
        loop: Loop,
        file: Path,
        changed: Callable[[frozenset[IPv6Network]], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._loop = loop
        self._file = file
        self._changed = changed
        self._clock = clock
        self.down: frozenset[IPv6Network] = frozenset()
        self._timer = loop.later(0, self._later)

    def look(self) -> None:
        down = self._read()
        if down != self.down:
            self.down = down
            self._changed(down)

    def close(self) -> None:
        self._timer.cancel()

    def _later(self) -> None:
        self._timer = self._loop.later(LOOK_SECONDS, self._later)
        self.look()

    def _read(self) -> frozenset[IPv6Network]:
        with suppress(OSError, ValueError, AttributeError, KeyError, TypeError):
            if self._clock() - self._file.stat().st_mtime < OLD_SECONDS:
                told = json.loads(self._file.read_bytes())["pref64"]
                return frozenset(IPv6Network(prefix) for prefix, one in told.items() if one["healthy"] is False)
        return frozenset()
