# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Which domains are asked for, and which of them have IPv4 only: whom to ask for IPv6.

Counted by registrable domain (what one can register below a public suffix), and how many clients asked, never which. Bounded in domains, in
addresses of each, and in names looked at in a second, whatever clients ask.
"""

from __future__ import annotations

import math
import random
from collections import deque
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from v6native.address import extract
from v6native.dns64 import wire
from v6native.dns64.answer import Answer
from v6native.dns64.loop import Loop
from v6native.dns64.rules import View
from v6native.dns64.stats import Cell

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

DOMAINS, ADDRESSES, TOLD = 2000, 16, 100
# Names looked at in a second; each takes some ten microseconds, and they are spread, for while one is looked at nobody is answered.
_A_SECOND = 500
_PAUSE, _AT_ONCE = 0.02, 20
# Clients are counted as marks in so many places (linear counting: Whang et al., 1990), to a few per cent.
MARKS = 2048


class Domain:
    """`synthesized`: of its `queries` for AAAA, those whose answer was made here. `clients`: a bit for each mark."""

    __slots__ = ("clients", "ipv4", "queries", "synthesized")

    def __init__(self) -> None:
        self.queries = self.synthesized = self.clients = 0
        self.ipv4: dict[IPv4Address, None] = {}


class _Name:
    """One name that was asked for just now, for one sort of answer: `cell` is what the hot path counts with."""

    __slots__ = ("answer", "cell", "clients", "of", "view")

    def __init__(self, of: Cell, answer: Answer, view: View) -> None:
        self.cell: Cell = [0]
        self.of = of
        self.answer = answer
        self.view = view
        self.clients = 0


class TopNames:
    """`enabled` False: nothing is kept."""

    def __init__(self, loop: Loop, domains: int = DOMAINS) -> None:
        self._loop = loop
        self._most = domains
        self._seed = random.SystemRandom().getrandbits(64)
        self._now: dict[tuple[bytes, int], _Name] = {}
        self._domains: dict[str, Domain] = {}
        self._counted: deque[tuple[bytes, _Name, int]] = deque(maxlen=4 * _A_SECOND)
        self._suffixes: PublicSuffixList | None = None
        self._began = loop.now
        self.enabled = False
        self.skipped = 0
        loop.later(1, self._each_second)

    def use(self, enabled: bool) -> None:
        """Switched off, what is known is forgotten."""
        if enabled and self._suffixes is None:
            # In a tenth of a second, in which nobody is answered: now, and not in the midst of work.
            self._suffixes = _list()
        if self.enabled and not enabled:
            self.fold()
            self._counted.clear()
            self._domains.clear()
            self.skipped = 0
        if enabled and not self.enabled:
            self._began = self._loop.now
        self.enabled = enabled

    def mark(self, client: object) -> int:
        """A bit for a client, which does not tell who it is."""
        return 1 << hash((self._seed, client)) % MARKS

    def cell(self, name: bytes, answer: Answer, view: View, client: int, of: Cell) -> Cell:
        """What to count an answer for AAAA with in this second instead of `of`, which gets the number later; `client`: its mark."""
        key = (name, id(of))
        found = self._now.get(key)
        if found is None:
            if len(self._now) >= _A_SECOND:
                self.skipped += 1
                return of
            found = self._now[key] = _Name(of, answer, view)
        found.clients |= client
        return found.cell

    def fold(self) -> None:
        """Puts the numbers where they belong; the domains get theirs by and by. Cells that were given out go on counting."""
        for (name, _), seen in self._now.items():
            number, seen.cell[0] = seen.cell[0], 0
            seen.of[0] += number
            if self.enabled and number:
                if not self._counted:
                    self._loop.later(_PAUSE, self._some)
                self._counted.append((name, seen, number))

    def document(self) -> dict[str, object]:
        """The domains with most synthesized answers, and of the others those that are asked for most."""
        self.fold()
        while self._counted:
            self._add(*self._counted.popleft())
        ranked = sorted(self._domains.items(), key=lambda item: (-item[1].synthesized, -item[1].queries, item[0]))
        return {
            "enabled": self.enabled,
            "seconds": round(self._loop.now - self._began),
            "skipped": self.skipped,
            "domains": [
                {
                    "domain": name,
                    "queries": domain.queries,
                    "synthesized": domain.synthesized,
                    "clients": clients(domain.clients),
                    "ipv4": list(map(str, sorted(domain.ipv4))),
                }
                for name, domain in ranked[:TOLD]
            ],
        }

    def _each_second(self) -> None:
        self._loop.later(1, self._each_second)
        # Untouched since a second ago: nobody counts with it any more.
        self._now = {key: seen for key, seen in self._now.items() if seen.cell[0]}
        self.fold()

    def _some(self) -> None:
        for _ in range(min(_AT_ONCE, len(self._counted))):
            self._add(*self._counted.popleft())
        if self._counted:
            self._loop.later(_PAUSE, self._some)

    def _add(self, name: bytes, seen: _Name, number: int) -> None:
        text = self._registrable(name)
        domain = self._domains.get(text)
        if domain is None:
            if len(self._domains) >= self._most:
                self._forget_some()
            domain = self._domains[text] = Domain()
        domain.queries += number
        domain.clients |= seen.clients
        if seen.answer.origin == "synthesized":
            domain.synthesized += number
            for address in embedded(seen.answer, seen.view):
                domain.ipv4.pop(address, None)
                domain.ipv4[address] = None
            while len(domain.ipv4) > ADDRESSES:
                del domain.ipv4[next(iter(domain.ipv4))]

    def _registrable(self, name: bytes) -> str:
        """Of a public suffix, or a name outside of the list: itself."""
        text = wire.name_text(name)
        return (self._suffixes and self._suffixes.privatesuffix(text)) or text

    def _forget_some(self) -> None:
        """The tenth that was asked for least."""
        least = sorted(self._domains, key=lambda name: self._domains[name].queries)
        for name in least[: max(1, self._most // 10)]:
            del self._domains[name]


@cache
def _list() -> PublicSuffixList:
    """Read once a process, and where nothing is counted not at all."""
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def embedded(answer: Answer, view: View) -> set[IPv4Address]:
    """The IPv4 addresses in the AAAA records of an answer that was made here."""
    found = set()
    for record in wire.parse(bytes(answer.message)).answer:
        if record.type == wire.AAAA:
            address = IPv6Address(record.rdata)
            found |= {v4 for rule in view.pref64 if (v4 := extract(rule.prefix, address)) is not None}
    return found


def clients(marks: int) -> int:
    """About how many clients made these marks; at most what the marks can tell apart."""
    free = MARKS - marks.bit_count()
    return round(-MARKS * math.log(max(1, free) / MARKS))
