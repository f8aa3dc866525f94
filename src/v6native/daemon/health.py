# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Looks every few seconds whether the gateways work, and writes down what it finds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from ipaddress import IPv6Address, IPv6Network
from pathlib import Path

import structlog

from v6native.address import embed
from v6native.config.model import Config
from v6native.daemon.node import NodeWork
from v6native.errors import V6nativeError
from v6native.health.gateway import Gateway
from v6native.health.probe import answering
from v6native.health.report import FILE, render
from v6native.system.files import write_atomically

log = structlog.get_logger("v6native.daemon")

# How long an answer may take, seconds.
PATIENCE = 1.0
# How often the node's own state is looked at, seconds: that reads all of the host, as a repair does.
OWN_STATE = 30.0

Probe = Callable[[Collection[IPv6Address], float], frozenset[IPv6Address]]


class HealthKeeper:
    """`config` gives the configuration that runs, None while there is none. `gateways` are as of the last look."""

    def __init__(
        self,
        node: NodeWork,
        config: Callable[[], Config | None],
        run: Path,
        probe: Probe = answering,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._node = node
        self._config = config
        self._file = run / FILE
        self._probe = probe
        self._clock = clock
        self._known: dict[IPv6Network, Gateway] = {}
        self._trouble, self._looked = "", float("-inf")
        self._ended = False
        self._looking = asyncio.Lock()

    @property
    def gateways(self) -> tuple[Gateway, ...]:
        return tuple(self._known.values())

    async def end(self) -> None:
        """From the return on nothing is written. For `down`."""
        self._ended = True
        async with self._looking:
            pass

    async def run(self) -> None:
        while True:
            config = self._config()
            if config is not None:
                try:
                    async with self._looking:
                        await asyncio.to_thread(self.look, config)
                except (OSError, V6nativeError) as error:
                    log.warning("health_not_known", error=str(error))
                except Exception:
                    # A bug in a look must not end the daemon.
                    log.exception("health_look_failed")
            await asyncio.sleep(5.0 if config is None else config.health.interval)

    def look(self, config: Config) -> None:
        """One look, which takes at most a second; the file tells at once what it found."""
        trouble = self._own_state(config)
        prefixes = config.network.pref64
        targets = {prefix: [embed(prefix, address) for address in config.health.probe] for prefix in prefixes}
        asked = frozenset(address for addresses in targets.values() for address in addresses)
        answered = self._probe(asked, PATIENCE) if asked and not trouble else frozenset()
        before = self._known
        self._known = {}
        for prefix in prefixes:
            why = trouble
            if not why and targets[prefix] and not answered.intersection(targets[prefix]):
                why = f"none of {', '.join(map(str, config.health.probe))} answers through it"
            self._known[prefix] = now = before.get(prefix, Gateway(prefix)).after(why)
            if prefix in before and before[prefix].healthy != now.healthy:
                log.warning("gateway_changed", pref64=str(prefix), healthy=now.healthy, why=now.why)
        if not self._ended:
            write_atomically(self._file, render(self._known.values()))

    def _own_state(self, config: Config) -> str:
        if self._clock() - self._looked >= OWN_STATE:
            self._trouble = self._node.gateway_trouble(config)
            self._looked = self._clock()
        return self._trouble
