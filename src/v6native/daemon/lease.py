# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The fast path's lease: judged anew whenever anything moves that could want to see packets, renewed each second.

At the first sign of a new rule the permission goes, before anybody has looked what the rule is: packets are slower for
that moment, never where they should not be. If this process dies or hangs, the lease runs out by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from v6native.config.model import Config
from v6native.daemon.node import NodeWork
from v6native.errors import V6nativeError
from v6native.fastpath.judge import Verdict

log = structlog.get_logger("v6native.daemon")

RENEW = 1.0
VALID = 3.0
"""Seconds. A lease survives two renewals that come late."""
PERIOD = 30.0
"""What rings no bell (an offload, say) is seen after so long."""


class FastKeeper:
    """`config` gives the configuration that runs, None while there is none. `verdicts` are the last ones."""

    def __init__(self, node: NodeWork, config: Callable[[], Config | None]) -> None:
        self._node = node
        self._config = config
        self._stale = asyncio.Event()
        self._suspect = True
        self._rung = 0
        self._unheard: object = None
        self._failing = False
        self._ended = False
        self._looking = asyncio.Lock()
        self.verdicts: tuple[Verdict, ...] = ()

    def heard(self, *, rules: bool) -> None:
        """Something changed; `rules`: something that may want to see packets."""
        if rules:
            self._rung += 1
            if not self._suspect:
                self._suspect = True
                self._permit((), 0.0)
        self._stale.set()

    async def end(self) -> None:
        """From the return on nothing of the host is touched. For `down`, which removes it."""
        self._ended = True
        async with self._looking:
            pass

    async def run(self) -> None:
        self._unheard = await asyncio.to_thread(self._node.fast_unheard)
        self._stale.set()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._judge())
                tasks.create_task(self._renew())
        finally:
            self._permit((), 0.0)

    async def _judge(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PERIOD):
                    await self._stale.wait()
            self._stale.clear()
            rung = self._rung
            try:
                verdicts = await self._verdicts()
            except Exception as error:
                # A bug here must not end the daemon; the fast path stays off.
                log.error("fast_path_unjudged", error=str(error), exc_info=not isinstance(error, V6nativeError))
                self.heard(rules=True)
                await asyncio.sleep(RENEW)
                continue
            # What rang meanwhile may have been missed: it is stale again already.
            if rung == self._rung:
                self._adopt(verdicts)

    async def _verdicts(self) -> tuple[Verdict, ...]:
        async with self._looking:
            config = self._config()
            if self._ended or config is None:
                return ()
            return await asyncio.to_thread(self._node.fast_judge, config)

    def _adopt(self, verdicts: tuple[Verdict, ...]) -> None:
        for verdict in set(verdicts) - set(self.verdicts):
            pair = verdict.pair
            log.info(
                "fast_path", ingress=pair.ingress, egress=pair.egress, on=verdict.on, reasons=list(verdict.reasons)
            )
        self.verdicts, self._suspect = verdicts, False
        self._permit(verdicts, VALID)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW)
            unheard = await asyncio.to_thread(self._node.fast_unheard)
            if unheard != self._unheard:
                self._unheard = unheard
                self.heard(rules=True)
            elif not self._suspect:
                self._permit(self.verdicts, VALID)

    def _permit(self, verdicts: tuple[Verdict, ...], seconds: float) -> None:
        if self._ended:
            return
        try:
            self._node.fast_permit(verdicts, seconds)
            self._failing = False
        except V6nativeError as error:
            # Without a renewal the lease runs out: packets take the interface path.
            if not self._failing:
                log.error("fast_path_lease", error=str(error))
            self._failing = True
