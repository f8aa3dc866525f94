# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`up`: puts the parts together and runs them until told to end."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import structlog

from v6native.api.app import make_app
from v6native.api.server import serving
from v6native.daemon import confirm, undo
from v6native.daemon.backend import DaemonBackend
from v6native.daemon.core import Daemon
from v6native.daemon.launcher import ProcessLauncher
from v6native.daemon.lock import only_daemon
from v6native.daemon.log import set_up_log
from v6native.daemon.node import NodeWork
from v6native.daemon.notify import Notifier
from v6native.daemon.run import Parts, Runner
from v6native.daemon.snapshot import Snapshots
from v6native.daemon.workers import Supervisor
from v6native.desired.state import PROTOCOL
from v6native.errors import V6nativeError
from v6native.paths import Paths


@dataclass(frozen=True, slots=True)
class Wish:
    """How `up` was asked for. `confirm_seconds` None: no undo; `json_log`: the log is for a program."""

    node_name: str | None = None
    confirm_seconds: int | None = None
    json_log: bool = False


def bring_up(node: NodeWork, paths: Paths, wish: Wish, undo_argv: Sequence[str] = undo.ARGV) -> None:
    """Returns when a signal or `down` ended the daemon; any error of the start is the caller's to tell.

    Everything that can be refused is refused before the undo process starts: until then nothing was changed.
    """
    set_up_log(wish.json_log)
    with only_daemon(paths.run):
        if wish.confirm_seconds is not None:
            node.preview(node.load())
            undo.start(paths, wish.node_name, wish.confirm_seconds, node.in_place(), undo_argv)
        runner = make_runner(node, paths)
        try:
            asyncio.run(_run(runner, paths))
        except BaseException:
            if wish.confirm_seconds is not None and not runner.is_up:
                confirm.hurry(paths.run)
            raise


def make_runner(node: NodeWork, paths: Paths) -> Runner:
    log = structlog.get_logger("v6native.daemon")
    daemon = Daemon(
        node, Snapshots(paths), lambda: datetime.datetime.now(datetime.UTC), lambda step: log.info("step", did=step)
    )
    launcher = ProcessLauncher(journal="JOURNAL_STREAM" in os.environ)
    return Runner(Parts(daemon, node, launcher, Supervisor(launcher), Notifier.from_environment(), PROTOCOL, paths.run))


async def _run(runner: Runner, paths: Paths) -> None:
    @contextlib.asynccontextmanager
    async def serve(_runner: Runner) -> AsyncIterator[None]:
        async with serving(make_app(DaemonBackend(runner, paths)), paths.api_socket):
            yield

    try:
        await runner.run(serve)
    except* V6nativeError as group:
        raise group.exceptions[0] from None
