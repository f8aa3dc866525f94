# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Everybody who watches refused packets through the daemon: one reading of the rings, told to all of them.

The rings have one reader; the daemon is it while anybody watches, so that no watcher takes what another should see.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from v6native.api.documents import to_json
from v6native.dataplane.door import Refusals, Refused
from v6native.errors import V6nativeError
from v6native.explain.refused import Limiter, Watch, document

READ_EVERY = 0.1
BEAT_EVERY = 1.0
"""Seconds. A line with what was lost so far tells a watcher that all is well, and finds out who is gone."""

# Lines that wait for a slow watcher; more are lost, and counted.
_WAITING = 5000


class _Watcher:
    """One of them: what it wants, and what waits for it."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.limiter = Limiter(watch.rate)
        self.waiting: deque[dict[str, Any]] = deque()
        self.lost = 0

    def tell(self, refused: Refused, now: datetime) -> None:
        if not self.watch.wants(refused) or not self.limiter.lets(time.monotonic()):
            return
        if len(self.waiting) >= _WAITING:
            self.lost += 1
        else:
            self.waiting.append(to_json(document(refused, now)))


class Watchers:
    """`read` gives the refused packets since its last call, `end` says that nobody wants more; both block."""

    def __init__(self, read: Callable[[int], Refusals], end: Callable[[], None]) -> None:
        self._read, self._end = read, end
        self._all: set[_Watcher] = set()
        self._task: asyncio.Task[None] | None = None
        self._begun: asyncio.Future[None] | None = None
        self._trouble: V6nativeError | None = None

    async def lines(self, watch: Watch) -> AsyncIterator[dict[str, Any]]:
        """Documents of refused packets, and `{"lost": …}` every second: how many were not told so far."""
        async with self._joined(watch) as watcher:
            beat, told = time.monotonic(), 0
            while True:
                lost = watcher.lost + watcher.limiter.lost
                if time.monotonic() >= beat or lost != told:
                    beat, told = time.monotonic() + BEAT_EVERY, lost
                    yield {"lost": lost}
                while watcher.waiting:
                    yield watcher.waiting.popleft()
                if self._trouble is not None:
                    raise self._trouble
                await asyncio.sleep(READ_EVERY)

    @asynccontextmanager
    async def _joined(self, watch: Watch) -> AsyncIterator[_Watcher]:
        watcher = _Watcher(watch)
        self._all.add(watcher)
        try:
            if self._task is None or self._begun is None:
                self._trouble = None
                self._begun = asyncio.get_running_loop().create_future()
                self._task = asyncio.create_task(self._keep_reading(self._begun))
            # Whether it can be read at all is told before the first line; who leaves now does not stop it for others.
            await asyncio.shield(self._begun)
            yield watcher
        finally:
            self._all.discard(watcher)

    async def _keep_reading(self, begun: asyncio.Future[None]) -> None:
        try:
            while await self._wanted():
                found = await asyncio.to_thread(self._read, max(w.watch.asked_rate for w in self._all))
                if not begun.done():
                    begun.set_result(None)
                now = datetime.now(UTC)
                for watcher in self._all:
                    watcher.lost += found.lost
                    for refused in found.seen:
                        watcher.tell(refused, now)
                await asyncio.sleep(READ_EVERY)
        except V6nativeError as why:
            await asyncio.to_thread(self._end)
            self._trouble = why
            if not begun.done():
                begun.set_exception(why)
                begun.exception()  # told to whoever still waits; nobody has to
        finally:
            self._task = None

    async def _wanted(self) -> bool:
        """Whether anybody watches; also who came while the reading was being ended."""
        if not self._all:
            await asyncio.to_thread(self._end)
        return bool(self._all)
