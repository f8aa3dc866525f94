# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the daemon decides, without its clock and its sockets: start, reload, look again, remove.

Every method blocks; the caller serialises them (run.py does so with one lock).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from v6native.config.model import Config
from v6native.daemon import confirm
from v6native.daemon.down import forget
from v6native.daemon.node import Change, NodeWork, Progress
from v6native.daemon.snapshot import Snapshots
from v6native.daemon.workers import WorkerSpec
from v6native.errors import V6nativeError

log = structlog.get_logger("v6native.daemon")


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """How the last load and apply went; `error` None: well. `at` is UTC."""

    at: datetime.datetime
    changes: tuple[Change, ...]
    error: str | None

    @property
    def ok(self) -> bool:
        return self.error is None


class Daemon:
    """The running configuration of one node, and how the last attempt to change it ended.

    `workers` are those that it needs; `trouble` is why the last repair of the host failed, None where it did not.
    """

    def __init__(
        self, node: NodeWork, snapshots: Snapshots, wall: Callable[[], datetime.datetime], progress: Progress
    ) -> None:
        self._node = node
        self._snapshots = snapshots
        self._wall = wall
        self._progress = progress
        self._config: Config | None = None
        self._result: ReloadResult | None = None
        self.trouble: str | None = None
        self.workers: tuple[WorkerSpec, ...] = ()

    @property
    def config(self) -> Config:
        """The configuration that runs; only after `start`."""
        if self._config is None:
            raise V6nativeError("the node is not up: run `v6native up`")
        return self._config

    @property
    def is_up(self) -> bool:
        return self._config is not None

    @property
    def last(self) -> ReloadResult | None:
        return self._result

    def start(self) -> tuple[Change, ...]:
        """Loads and applies; any error is the caller's, and nothing was touched when the file was wrong."""
        candidate = self._snapshots.take()
        config = self._node.load()
        changes = self._node.apply(config, self._progress)
        self._keep(config, changes)
        self._snapshots.keep(candidate)
        return changes

    def reload(self) -> ReloadResult:
        """Loads everything anew. On any error the old configuration stays, and is put back where it was touched."""
        try:
            candidate = self._snapshots.take()
            config = self._node.load()
        except V6nativeError as error:
            return self._failed(str(error))
        try:
            changes = self._node.apply(config, self._progress)
        except V6nativeError as error:
            return self._failed(self._put_back(str(error)))
        self._snapshots.keep(candidate)
        result = self._keep(config, changes)
        log.info("reloaded", changes=len(changes))
        return result

    def look(self) -> tuple[Change, ...]:
        """Looks at the host again and repairs what differs; what fails is kept in `trouble`, and tried again later.

        After `remove` there is nothing to look after.
        """
        if self._config is None:
            return ()
        try:
            changes = self._node.preview(self.config)
            if changes:
                log.info("host_changed", repairing=[change.text for change in changes])
                changes = self._node.apply(self.config, self._progress)
                self.workers = self._node.workers(self.config)
        except V6nativeError as error:
            if self.trouble != str(error):
                log.error("repair_failed", error=str(error))
            self.trouble = str(error)
            raise
        if self.trouble is not None:
            log.info("repaired")
        self.trouble = None
        return changes

    def plan(self) -> tuple[Change, ...]:
        """What a reload would change now."""
        return self._node.preview(self._node.load())

    def remove(self) -> tuple[Change, ...]:
        """Leaves the host as it was found; the daemon has nothing to run after this.

        A change that waits for its confirmation needs none any more: what is removed on purpose is not put back.
        """
        confirm.confirm(self._snapshots.paths.run)
        changes = self._node.remove(self._progress)
        self._config, self.workers = None, ()
        forget(self._snapshots.paths)
        return changes

    def _keep(self, config: Config, changes: tuple[Change, ...]) -> ReloadResult:
        for warning in config.warnings:
            log.warning("configuration", warning=str(warning), remedy=warning.remedy)
        self._config = config
        self.workers = self._node.workers(config)
        self.trouble = None
        self._result = ReloadResult(self._wall(), changes, None)
        return self._result

    def _put_back(self, error: str) -> str:
        try:
            self._node.apply(self.config, self._progress)
        except V6nativeError as second:
            self.trouble = str(second)
            return f"{error}\nPutting the old configuration back failed too: {second}"
        return f"{error}\nThe old configuration runs again."

    def _failed(self, error: str) -> ReloadResult:
        log.error("reload_failed", error=error)
        self._result = ReloadResult(self._wall(), (), error)
        return self._result
