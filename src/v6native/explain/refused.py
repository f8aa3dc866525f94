# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A refused packet as `trace` shows it, and which of them a watcher wants: parsed once, then asked of every packet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network

from v6native.dataplane.door import Refused
from v6native.doctor.remedies import REMEDIES
from v6native.errors import V6nativeError
from v6native.explain.summary import summary

WORDS = ("rate", "reason", "client")
DEFAULT_RATE = 100
MOST_RATE = 10_000
"""Packets a second that are shown; each is a line to be made and sent."""

FILTERED_RATE = 5000
"""Of these the programs tell where a watcher wants only some: one in a thousand shall not be lost among the others."""


class BadWatch(V6nativeError):
    """What cannot be watched; the message says which word is wrong, and what it may be."""


@dataclass(frozen=True, slots=True)
class Watch:
    """At most `rate` a second of those with one of `reasons` (empty: any) and with an address in `client` (None: any)."""

    rate: int = DEFAULT_RATE
    reasons: frozenset[str] = frozenset()
    client: IPv4Network | IPv6Network | None = None

    @property
    def asked_rate(self) -> int:
        """What the programs are asked for."""
        return max(self.rate, FILTERED_RATE) if self.reasons or self.client else self.rate

    def wants(self, refused: Refused) -> bool:
        if self.reasons and refused.reason.name not in self.reasons:
            return False
        if self.client is None:
            return True
        told = summary(refused.packet, quoted=True)
        return told is not None and (told.source in self.client or told.destination in self.client)


@dataclass(frozen=True, slots=True)
class RefusedDocument:
    """One line of `trace`. `time` is the node's, ISO 8601; `packet` has the first bytes in hexadecimal; where they make no
    sound packet, the addresses and the rest are null."""

    time: str
    translator: str
    interface: str
    reason: str
    text: str
    remedy: str | None
    source: str | None
    destination: str | None
    protocol: str | None
    source_port: int | None
    destination_port: int | None
    summary: str | None
    length: int
    mark: int
    packet: str


@dataclass(slots=True)
class Limiter:
    """Lets so many a second through, and counts the others."""

    rate: int
    second: int = 0
    used: int = 0
    lost: int = field(default=0)

    def lets(self, now: float) -> bool:
        if self.second != int(now):
            self.second, self.used = int(now), 0
        self.used += 1
        if self.used > self.rate:
            self.lost += 1
            return False
        return True


def parse(words: Mapping[str, str], reasons: Iterable[str]) -> Watch:
    """`rate`, `reason` (several, with commas between) and `client`, as text; `reasons` are those that the programs know."""
    if unknown := sorted(set(words) - set(WORDS)):
        raise BadWatch(f"there is no {unknown[0]}: a watch has {', '.join(WORDS)}")
    known = frozenset(reasons) & REMEDIES.keys()
    chosen = frozenset(word.strip().upper() for word in words.get("reason", "").split(",") if word.strip())
    if wrong := sorted(chosen - known):
        raise BadWatch(f"reason {wrong[0]}: that is no refusal; they are {', '.join(sorted(known))}")
    return Watch(_rate(words.get("rate")), chosen, _network(words.get("client")))


def document(refused: Refused, now: datetime) -> RefusedDocument:
    told = summary(refused.packet, quoted=True)
    ports = told.ports if told else None
    return RefusedDocument(
        time=(now - timedelta(seconds=refused.age)).isoformat(timespec="milliseconds"),
        translator=refused.translator.value,
        interface=refused.interface,
        reason=refused.reason.name,
        text=refused.reason.text,
        remedy=REMEDIES.get(refused.reason.name),
        source=str(told.source) if told else None,
        destination=str(told.destination) if told else None,
        protocol=told.protocol if told else None,
        source_port=ports[0] if ports else None,
        destination_port=ports[1] if ports else None,
        summary=str(told) if told else None,
        length=refused.length,
        mark=refused.mark,
        packet=refused.packet.hex(),
    )


def _rate(text: str | None) -> int:
    if text is None:
        return DEFAULT_RATE
    if not text.isdecimal() or not 1 <= int(text) <= MOST_RATE:
        raise BadWatch(f"rate {text}: packets a second, from 1 to {MOST_RATE}")
    return int(text)


def _network(text: str | None) -> IPv4Network | IPv6Network | None:
    if text is None:
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError as why:
        raise BadWatch(f"client {text}: this is no address or prefix") from why
