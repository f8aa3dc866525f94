# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The log and who is told of it."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.config.model import Collector
from v6native.config.positions import KeyPath
from v6native.config.problem import ConfigProblem
from v6native.config.rules.draft import Draft


def check(draft: Draft) -> Iterator[ConfigProblem]:
    log = draft.config.log
    if log.enabled and draft.config.nat64.port_block == 0:
        what = "without port blocks every BIB entry is logged, thousands a second on a busy node"
        yield draft.warning(
            "log", ("log", "enabled"), what, "set nat64.port_block, 256 say, or keep an eye on the disk"
        )
    for key, listed in (("syslog", log.syslog), ("ipfix", log.ipfix)):
        yield from _collectors(draft, key, listed)
        if listed and log.enabled is False:
            what = f"enabled = false, so nothing is sent to {listed[0]}"
            yield draft.warning("unused", ("log", key), what, "write enabled = true, or remove the key")


def _collectors(draft: Draft, key: str, listed: tuple[Collector, ...]) -> Iterator[ConfigProblem]:
    for i, collector in enumerate(listed):
        path: KeyPath = ("log", key, i)
        if collector in listed[:i]:
            yield draft.error("duplicate", path, f"{collector} is given twice", "remove one of the two")
        if collector.address.is_unspecified or collector.address.is_multicast:
            what = f"{collector.address} is not a server's address"
            yield draft.error("collector", path, what, "write the address of the server")
