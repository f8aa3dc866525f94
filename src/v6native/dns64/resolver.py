# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A question from when it is asked until it is answered: local records, cache, upstream, and the rules over them.

The same upstream question is asked once, however many clients wait for it.
"""

from __future__ import annotations

from collections.abc import Callable

from v6native.dns64 import wire
from v6native.dns64.answer import Answer, failure, from_upstream
from v6native.dns64.attempt import Reply
from v6native.dns64.cache import Cache
from v6native.dns64.loop import Loop, Timer
from v6native.dns64.query import Query
from v6native.dns64.rules import Need, View, decide
from v6native.dns64.settings import Limits, Timing
from v6native.dns64.special import LocalRecords
from v6native.dns64.stats import Stats
from v6native.dns64.upstream import Upstreams

Done = Callable[[Answer], None]
Arrived = Callable[[bytes, Answer], None]


class Resolver:
    """`local`, `upstreams`, `timing` and `limits` may be replaced between two turns of the loop: a reload."""

    def __init__(
        self, loop: Loop, stats: Stats, upstreams: Upstreams, local: LocalRecords, timing: Timing, limits: Limits
    ) -> None:
        self.loop = loop
        self.stats = stats
        self.upstreams = upstreams
        self.local = local
        self.timing = timing
        self.limits = limits
        self.cache = Cache(limits.cache_entries, limits.cache_bytes)
        self.jobs = 0
        self._waiting: dict[bytes, list[Arrived]] = {}

    def answer(self, query: Query, view: View, done: Done) -> None:
        """Calls `done` with the answer: at once where all is known, else within twice `timing.query`."""
        known = decide(query, view, self.find, int(self.loop.now))
        if isinstance(known, Answer):
            done(known)
        elif not query.flags & wire.RD:
            # Without RD only what is known is asked for (RFC 1034 §4.3.1); nothing is.
            done(failure(query.question, wire.REFUSED, int(self.loop.now), 0))
        elif self.jobs >= self.limits.pending:
            self.stats.count("overload")
            done(failure(query.question, wire.SERVFAIL, int(self.loop.now), 0))
        else:
            self.jobs += 1
            _Job(self, query, view, done).go_on(known)

    def find(self, key: bytes) -> Answer | None:
        """What is known without asking."""
        now = int(self.loop.now)
        return self.local.find(key[:-1], now) or self.cache.get(key, now)

    def fetch(self, key: bytes, arrived: Arrived) -> None:
        """Asks upstream; `arrived` is called later, once."""
        waiting = self._waiting.get(key)
        if waiting is not None:
            self.stats.count("coalesced")
            waiting.append(arrived)
            return
        self._waiting[key] = [arrived]
        self.upstreams.ask(key, lambda reply, authentic: self._arrived(key, reply, authentic))

    def _arrived(self, key: bytes, reply: Reply | None, authentic: bool) -> None:
        now = int(self.loop.now)
        if reply is None or reply.message.asked != key[:-1]:
            answer = failure(key[:-1], wire.SERVFAIL, now, self.timing.failure)
        else:
            limits = self.limits
            answer = from_upstream(*reply, now, limits.max_ttl, limits.max_negative_ttl, self.timing.failure)
            answer.authentic = authentic
        self.cache.put(key, answer, now)
        for arrived in self._waiting.pop(key):
            self.loop.call(arrived, key, answer)


class _Job:
    """A question that needs upstream. It keeps what came for it, which need not stay in the cache until the end."""

    __slots__ = ("_beside", "_done", "_got", "_query", "_resolver", "_view")

    def __init__(self, resolver: Resolver, query: Query, view: View, done: Done) -> None:
        self._resolver = resolver
        self._query = query
        self._view = view
        self._done = done
        self._got: dict[bytes, Answer] = {}
        self._beside: Timer | None = None

    def go_on(self, need: Need) -> None:
        beside = need.beside
        if beside is not None and self._find(beside) is None:
            self._beside = self._resolver.loop.later(
                self._resolver.timing.parallel_a, lambda: self._resolver.fetch(beside, self._keep)
            )
        self._resolver.fetch(need.key, self._arrived)

    def _find(self, key: bytes) -> Answer | None:
        return self._got.get(key) or self._resolver.find(key)

    def _keep(self, key: bytes, answer: Answer) -> None:
        self._got[key] = answer

    def _arrived(self, key: bytes, answer: Answer) -> None:
        self._got[key] = answer
        if self._beside is not None:
            self._beside.cancel()
            self._beside = None
        try:
            outcome = decide(self._query, self._view, self._find, int(self._resolver.loop.now))
        except Exception:
            # The client is answered all the same, and the error goes to the log.
            self._end(failure(self._query.question, wire.SERVFAIL, int(self._resolver.loop.now), 0))
            raise
        if isinstance(outcome, Answer):
            self._end(outcome)
        else:
            self.go_on(outcome)

    def _end(self, answer: Answer) -> None:
        self._resolver.jobs -= 1
        self._done(answer)
