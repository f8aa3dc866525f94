# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The hosts that tell whether translation works are ones that may be reached by it."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.address import non_global
from v6native.config.positions import KeyPath
from v6native.config.problem import ConfigProblem
from v6native.config.rules.draft import Draft


def check(draft: Draft) -> Iterator[ConfigProblem]:
    nat64, probe = draft.config.nat64, draft.config.health.probe
    for i, address in enumerate(probe):
        path: KeyPath = ("health", "probe", i)
        if address in probe[:i]:
            yield draft.error("duplicate", path, f"{address} is given twice", "remove one of the two")
        where = non_global(address)
        if where is not None and not any(address in network for network in nat64.allow_ipv4):
            what = f"{address} is in {where}, which the NAT64 refuses: it would never answer"
            yield draft.error("probe", path, what, "write a host in the global internet")
        elif any(address in network for network in nat64.refuse_ipv4):
            what = f"{address} is refused by nat64.refuse_ipv4: it would never answer"
            yield draft.error("probe", path, what, "write another host")
