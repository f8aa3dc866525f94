# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the first fragment of a datagram decided, for those that follow it without a transport header (RFC 6146 §3.4).

The kernel's defragmentation hands fragments over in order, first one first, so nothing is queued here.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Generic, TypeVar

from v6native.translate.flow import Flow4, Flow6
from v6native.translate.reasons import Kind, Reason
from v6native.translate.verdict import Refused

LIFETIME = 30.0
"""Seconds: as long as Linux waits for the fragments of a datagram; FRAGMENT_MIN is 2 (RFC 6146 §4)."""

CAPACITY = 8192

Key = tuple[IPv4Address | IPv6Address, IPv4Address | IPv6Address, int, int]
Out = TypeVar("Out", Flow4, Flow6)


@dataclass(frozen=True, slots=True)
class _Decision(Generic[Out]):
    deadline: float
    verdict: Out | Reason


class FragmentMemory(Generic[Out]):
    """Bounded; the oldest datagram is forgotten first."""

    def __init__(self) -> None:
        self._decisions: dict[Key, _Decision[Out]] = {}

    def remember(self, flow: Flow4 | Flow6, verdict: Out | Reason, now: float) -> None:
        """Stores the outgoing tuple, or the reason of a refusal, of a first fragment; whole packets are not stored."""
        if flow.part is None:
            return
        key = _key(flow, flow.part.identification)
        self._decisions.pop(key, None)
        if len(self._decisions) >= CAPACITY:
            del self._decisions[next(iter(self._decisions))]
        self._decisions[key] = _Decision(now + LIFETIME, verdict)

    def recall(self, flow: Flow4 | Flow6, now: float) -> Out | None:
        """The outgoing tuple for a later fragment, None where no first one was seen.

        Raises Refused where the first one was refused or went to the slow path.
        """
        if flow.part is None:
            return None
        decision = self._decisions.get(_key(flow, flow.part.identification))
        if decision is None or decision.deadline <= now:
            return None
        if isinstance(decision.verdict, Reason):
            slow = decision.verdict.kind is Kind.SLOW
            raise Refused(decision.verdict if slow else Reason.FRAGMENT_OF_DROPPED)
        return decision.verdict


def _key(flow: Flow4 | Flow6, identification: int) -> Key:
    return flow.source, flow.destination, flow.protocol, identification
