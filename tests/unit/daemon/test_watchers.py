# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Whoever began to read refused packets ends it, however that came to be: the reader's lock is nobody else's meanwhile."""

from __future__ import annotations

import asyncio
import threading

import pytest

from v6native.daemon.watchers import Watchers
from v6native.dataplane.door import Refusals
from v6native.errors import DataPlaneError
from v6native.explain.refused import Watch


class Ring:
    """A reading waits for `free`; `held` from a reading until the end."""

    def __init__(self, *, fails: bool = False) -> None:
        self.free, self.begun = threading.Event(), threading.Event()
        self.held, self.fails = False, fails

    def read(self, _rate: int) -> Refusals:
        self.held = True
        self.begun.set()
        assert self.free.wait(5)
        if self.fails:
            raise DataPlaneError("gone")
        return Refusals((), 0)

    def end(self) -> None:
        self.held = False


async def first_line(watchers: Watchers) -> object:
    return await anext(watchers.lines(Watch()))


def test_one_who_leaves_before_the_first_line() -> None:
    ring = Ring()

    async def act() -> None:
        watchers = Watchers(ring.read, ring.end)
        watching = asyncio.create_task(first_line(watchers))
        await asyncio.to_thread(ring.begun.wait, 5)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching
        ring.free.set()
        async with asyncio.timeout(5):
            while ring.held:
                await asyncio.sleep(0.01)

    asyncio.run(act())


def test_a_reading_that_fails() -> None:
    ring = Ring(fails=True)
    ring.free.set()

    async def act() -> None:
        watchers = Watchers(ring.read, ring.end)
        with pytest.raises(DataPlaneError, match="gone"):
            await first_line(watchers)
        assert not ring.held
        ring.fails = False
        assert await first_line(watchers) == {"lost": 0}, "the next one reads again"

    asyncio.run(act())
