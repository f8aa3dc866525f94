# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The answer: what becomes of the packet, and the steps that say why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """TRANSLATED: it leaves as the other family. UNTRANSLATED: routed, but no translator is on its way. LOCAL: the node
    itself gets it. ANSWERED: refused, and its sender is told. DROPPED: refused in silence. SLOW: the slow path goes on.
    """

    TRANSLATED = "translated"
    UNTRANSLATED = "untranslated"
    LOCAL = "local"
    ANSWERED = "answered"
    DROPPED = "dropped"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Step:
    """`key` is stable: packet, arrival, forged, steering, route, hop_limit, mtu, fragments, source, client, destination,
    binding, session, mapping, translation, hairpin, slow_path, refusal, answer. Not `ok`: here the packet's way ends.
    """

    key: str
    ok: bool
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Explanation:
    """`reason` is a name of bpf/reasons.h, where a translator refused. `packet` is what leaves, or the answer, in hexadecimal;
    `summary` the same in a line. `interface` is where it leaves; None: by none.
    """

    verdict: Verdict
    text: str
    steps: tuple[Step, ...]
    reason: str | None = None
    remedy: str | None = None
    interface: str | None = None
    summary: str | None = None
    packet: str | None = None
