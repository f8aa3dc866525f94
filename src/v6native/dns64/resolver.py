# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A question from when it is asked until it is answered: local records, cache, upstream, and the rules over them.

The same upstream question is asked once, however many clients wait for it. What clients go on to ask for is fetched anew
shortly before it expires. Where upstream fails, or takes long, an answer past its time is better than none (RFC 8767).
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

# An answer of which this part of its time is left is fetched anew when it is asked for; shorter ones are not worth it.
_PREFETCH_PART, _PREFETCH_LEAST = 10, 10

Done = Callable[[Answer], None]
Arrived = Callable[[bytes, Answer], None]


class Resolver:
    """`local`, `upstreams`, `zones`, `timing` and `limits` may be replaced between two turns of the loop: a reload.

    `zones`: whom to ask about a domain and what is below it, by lower-cased wire name.
    """

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
        self.zones: dict[bytes, Upstreams] = {}
        self.jobs = self.misses = 0
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
            self.misses += 1
            _Job(self, query, view, done).go_on(known)

    def find(self, key: bytes) -> Answer | None:
        """What is known without asking."""
        now = int(self.loop.now)
        # Both are asked three times for an answer that has to be made: no call where there is nothing.
        if self.local.names:
            known = self.local.find(key[:-1], now)
            if known is not None:
                return known
        cached = self.cache.get(key, now)
        if cached is not None and (cached.expires - now) * _PREFETCH_PART <= cached.expires - cached.born:
            self._prefetch(key, cached)
        return cached

    def past(self, key: bytes) -> Answer | None:
        """An answer whose time is over, for want of a better one."""
        if not self.cache.holds(key):
            return None
        now = int(self.loop.now)
        entry = self.cache.past(key, now, self.timing.stale)
        return None if entry is None else entry.stale(now)

    def _prefetch(self, key: bytes, cached: Answer) -> None:
        worth = cached.expires - cached.born >= _PREFETCH_LEAST and cached.origin == "upstream"
        if worth and key not in self._waiting and len(self._waiting) < self.limits.pending:
            self.stats.count("prefetch")
            self.fetch(key, lambda _key, _answer: None)

    def fetch(self, key: bytes, arrived: Arrived) -> None:
        """Asks upstream; `arrived` is called later, once."""
        waiting = self._waiting.get(key)
        if waiting is not None:
            self.stats.count("coalesced")
            waiting.append(arrived)
            return
        self._waiting[key] = [arrived]
        self._asked_about(key).ask(key, lambda reply, authentic: self._arrived(key, reply, authentic))

    def _better_than_failure(self, key: bytes, failed: Answer, now: int) -> Answer:
        standing = self.cache.get(key, now)
        if standing is not None:
            return standing  # It was fetched anew before its time.
        past = self.past(key)
        if past is None:
            return failed
        self.stats.count("stale")
        return past

    def _asked_about(self, key: bytes) -> Upstreams:
        if self.zones:
            for suffix in wire.suffixes(key[:-5]):
                if suffix in self.zones:
                    return self.zones[suffix]
        return self.upstreams

    def _arrived(self, key: bytes, reply: Reply | None, authentic: bool) -> None:
        now = int(self.loop.now)
        if reply is None or reply.message.asked != key[:-1]:
            answer = failure(key[:-1], wire.SERVFAIL, now, self.timing.failure)
        else:
            limits = self.limits
            born = now - reply.age
            answer = from_upstream(
                reply.raw, reply.message, born, limits.max_ttl, limits.max_negative_ttl, self.timing.failure
            )
            answer.authentic = authentic
        if answer.failed:
            answer = self._better_than_failure(key, answer, now)
        self.cache.put(key, answer, now)
        for arrived in self._waiting.pop(key):
            self.loop.call(arrived, key, answer)


class _Job:
    """A question that needs upstream. It keeps what came for it, which need not stay in the cache until the end."""

    __slots__ = ("_beside", "_done", "_got", "_late", "_query", "_resolver", "_view", "_wanted")

    def __init__(self, resolver: Resolver, query: Query, view: View, done: Done) -> None:
        self._resolver = resolver
        self._query = query
        self._view = view
        self._done = done
        self._got: dict[bytes, Answer] = {}
        self._beside: Timer | None = None
        self._late: Timer | None = None
        self._wanted = b""

    def go_on(self, need: Need) -> None:
        beside = need.beside
        if beside is not None and self._find(beside) is None:
            self._beside = self._resolver.loop.later(
                self._resolver.timing.parallel_a, lambda: self._resolver.fetch(beside, self._keep)
            )
        self._wanted = need.key
        if self._resolver.past(need.key) is not None:
            self._late = self._resolver.loop.later(self._resolver.timing.stale_after, self._overdue)
        self._resolver.fetch(need.key, self._arrived)

    def _overdue(self) -> None:
        """Upstream takes long: what is past its time will do. Its answer is kept when it comes."""
        past = self._resolver.past(self._wanted)
        if past is not None:
            self._resolver.stats.count("stale")
            self._arrived(self._wanted, past)

    def _find(self, key: bytes) -> Answer | None:
        return self._got.get(key) or self._resolver.find(key)

    def _keep(self, key: bytes, answer: Answer) -> None:
        self._got[key] = answer

    def _arrived(self, key: bytes, answer: Answer) -> None:
        if key != self._wanted:
            return  # It went on without this one.
        self._wanted = b""
        self._got[key] = answer
        for timer in (self._beside, self._late):
            if timer is not None:
                timer.cancel()
        self._beside = self._late = None
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
