# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The asyncio shell around the daemon: signals, the API socket, the service manager, netlink and the workers.

It only moves things: what is decided is in core.py, workers.py and reconcile.py, each with the clock as an argument.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog

from v6native.daemon.core import Daemon, ReloadResult
from v6native.daemon.health import HealthKeeper
from v6native.daemon.lease import FastKeeper
from v6native.daemon.node import Change, NodeWork
from v6native.daemon.notify import Notifier
from v6native.daemon.reconcile import Reconciler
from v6native.daemon.watch import drain, open_nft_watch, open_watch, open_xfrm_watch
from v6native.daemon.workers import Launcher, Supervisor
from v6native.errors import V6nativeError

log = structlog.get_logger("v6native.daemon")
T = TypeVar("T")

# A dead worker is seen and started again within a second: this is how often the daemon looks.
WORKER_LOOK = 0.2
# Names are answered when the node says that it is ready; a worker that does not come holds it up for so long.
WORKERS_BEGIN = 5.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What a running daemon is made of."""

    daemon: Daemon
    node: NodeWork
    launcher: Launcher
    supervisor: Supervisor
    notifier: Notifier
    route_protocol: int
    run_folder: Path


class Runner:
    """One run of the daemon. `serve` answers the API; it is given, so that this module knows no HTTP."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.started = time.monotonic()
        self.is_up = False
        self._work = asyncio.Lock()
        self._end = asyncio.Event()
        self._going_down = False
        self._bell = asyncio.Event()
        self._reconciler = Reconciler(last_look=time.monotonic())
        self.fast = FastKeeper(parts.node, lambda: parts.daemon.config if parts.daemon.is_up else None)
        self.health = HealthKeeper(
            parts.node, lambda: parts.daemon.config if parts.daemon.is_up else None, parts.run_folder
        )

    async def run(self, serve: Callable[[Runner], contextlib.AbstractAsyncContextManager[None]]) -> None:
        """Applies, serves, and returns when told to end; an error of the first apply is the caller's."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end)
        loop.add_signal_handler(signal.SIGHUP, self._reload_soon)
        with contextlib.ExitStack() as opened:
            watches = [opened.enter_context(w) for w in (open_watch(), open_nft_watch(), open_xfrm_watch()) if w]
            changes = await self.blocking(self.parts.daemon.start)
            self.is_up = True
            self.follow_workers()
            await self._workers_begin()
            self._reconciler = Reconciler(last_look=time.monotonic())
            for sock in watches:
                loop.add_reader(sock, self._heard, sock)
            async with serve(self), asyncio.TaskGroup() as tasks:
                doing = (self._keep_workers, self._reconcile, self._watchdog, self.fast.run, self.health.run)
                jobs = [tasks.create_task(job()) for job in doing]
                self.parts.notifier.ready(self._summary())
                log.info("up", node=self._node_name(), changes=len(changes))
                await self._end.wait()
                self.parts.notifier.stopping()
                for job in jobs:
                    job.cancel()
            for sock in watches:
                loop.remove_reader(sock)
        log.info("stopped", data_plane="stays" if self.parts.daemon.is_up else "removed")

    def end(self) -> None:
        self._end.set()

    async def blocking(self, call: Callable[[], T]) -> T:
        """Runs one blocking call in a thread, one at a time: nobody applies while another does."""
        async with self._work:
            return await asyncio.to_thread(call)

    async def reload(self) -> ReloadResult:
        self.parts.notifier.reloading()
        result = await self.blocking(self.parts.daemon.reload)
        self.follow_workers()
        self.fast.heard(rules=False)
        self.parts.notifier.ready(self._summary() if result.ok else "Reload failed; the old configuration runs")
        return result

    async def down(self) -> tuple[Change, ...]:
        """Removes everything and ends the daemon."""
        # A look or a reload that is under way now must not begin the workers again behind us.
        self._going_down = True
        released = self.parts.supervisor.release()

        def remove() -> tuple[Change, ...]:
            for worker in released:
                if worker.pid is not None:
                    self.parts.launcher.end(worker.pid, worker.spec)
            return self.parts.daemon.remove()

        await self.health.end()
        await self.fast.end()
        try:
            return await self.blocking(remove)
        finally:
            self.end()

    def _node_name(self) -> str:
        return self.parts.node.node_name(self.parts.daemon.config)

    def _summary(self) -> str:
        return f"Node {self._node_name()} is up"

    def _reload_soon(self) -> None:
        self._reload_task = asyncio.get_running_loop().create_task(self.reload())

    def follow_workers(self) -> None:
        """Runs the workers that the configuration needs now."""
        if not self._going_down:
            self.parts.supervisor.want(self.parts.daemon.workers, time.monotonic())

    async def _workers_begin(self) -> None:
        late = list(self.parts.daemon.workers)
        until = time.monotonic() + WORKERS_BEGIN
        while late := [spec for spec in late if not self.parts.launcher.listens(spec)]:
            if time.monotonic() > until or self._end.is_set():
                log.warning("workers_late", workers=[spec.name for spec in late])
                return
            await asyncio.sleep(0.02)

    def _heard(self, watch: socket.socket) -> None:
        heard = drain(watch, self.parts.route_protocol)
        if heard.host or heard.rules:
            self.fast.heard(rules=heard.rules)
        if heard.host:
            self._reconciler = self._reconciler.changed(time.monotonic())
            self._bell.set()

    async def _keep_workers(self) -> None:
        while True:
            self.parts.supervisor.step(time.monotonic())
            await asyncio.sleep(WORKER_LOOK)

    async def _reconcile(self) -> None:
        while True:
            self._bell.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._reconciler.due(time.monotonic()))):
                    await self._bell.wait()
            if self._reconciler.due(time.monotonic()) > 0:
                continue
            self._reconciler = self._reconciler.looking()
            repaired = await self._look()
            self.follow_workers()
            self._reconciler = self._reconciler.looked(time.monotonic(), repaired)

    async def _look(self) -> bool:
        try:
            return bool(await self.blocking(self.parts.daemon.look))
        except V6nativeError:
            return True
        except Exception:
            # A bug in a look must not end the daemon: it may be the one thing that keeps the workers alive.
            log.exception("look_failed")
            return True

    async def _watchdog(self) -> None:
        period = self.parts.notifier.watchdog
        while period is not None:
            self.parts.notifier.alive()
            await asyncio.sleep(period / 2)
