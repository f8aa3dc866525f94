# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Every policy routing rule of the host, foreign ones included: the doctor looks for what comes before ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from v6native.desired.state import PROTOCOL
from v6native.errors import EnvironmentRefused, SystemActionError
from v6native.system.processes import run

# What a rule of `ip -json rule` has besides its conditions.
_NO_CONDITION = frozenset({"priority", "table", "protocol", "src", "srclen", "dst", "dstlen", "flags", "action"})
_TABLES = {"local", "main", "default"}


@dataclass(frozen=True, slots=True)
class AnyRule:
    """`text` is as `ip rule` writes it; `catches_all`: it matches every packet."""

    family: int
    priority: int
    text: str
    ours: bool
    catches_all: bool
    kernels: bool


def all_rules() -> Iterator[AnyRule]:
    """Both families, in the kernel's order; nothing where `ip` is not installed."""
    for family in (4, 6):
        try:
            shown = json.loads(run(["ip", "-details", "-json", f"-{family}", "rule", "show"]))
        except (SystemActionError, EnvironmentRefused, ValueError):
            continue
        for rule in shown:
            yield _rule(family, rule)


def _rule(family: int, rule: dict[str, object]) -> AnyRule:
    source, destination = str(rule.get("src", "all")), str(rule.get("dst", "all"))
    conditions = {key: value for key, value in rule.items() if key not in _NO_CONDITION}
    words = [f"{rule.get('priority')}: from {source}"]
    words += [f"to {destination}"] if destination != "all" else []
    words += [f"{key} {value}" for key, value in conditions.items()]
    words.append(f"lookup {rule['table']}" if "table" in rule else str(rule.get("action", "")))
    protocol = str(rule.get("protocol", ""))
    return AnyRule(
        family=family,
        priority=int(str(rule.get("priority", 0))),
        text=" ".join(words),
        ours=protocol == str(PROTOCOL),
        catches_all=source == "all" and destination == "all" and not conditions,
        kernels=protocol == "kernel" and str(rule.get("table")) in _TABLES,
    )
