# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Asks the upstream resolvers, and never waits for a slow one while another could answer.

The fastest server is asked first; when it takes longer than it usually does (at most `hedge` seconds), the next one is
asked as well, and the first good answer counts. A server that stays silent sleeps: it is asked last, and beside the
others now and then, so that its return is seen without anybody having waited for it. So are slower ones.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from v6native.dns64 import wire
from v6native.dns64.attempt import Attempt, Done, EncryptedAttempt, PlainAttempt, Reply
from v6native.dns64.channel import Channel
from v6native.dns64.loop import Loop, Timer
from v6native.dns64.settings import Timing, UpstreamServer
from v6native.dns64.stats import Stats

_log = structlog.get_logger("dns64")

# A usual answer may be this early before the next server is asked, seconds.
_SHORTEST_HEDGE = 0.05
# The first repetition to servers that were all asked; doubled each time.
_REPEAT = 1.0
# A pause before servers that refused at once are asked again: one that is being restarted is back soon.
_REFUSED_PAUSE = 0.3
# After a good server said that it failed, what is left for the others.
_SECOND_OPINION = 0.4
_MAX_ATTEMPTS = 12
# Silences in a row that put a server to sleep; the first sleep and the longest, seconds.
_SILENCES = 3
_SLEEP, _LONGEST_SLEEP = 1.0, 30.0
# How often a server that is not the fastest is asked beside it.
_COMPARE = 10.0
# How long a server that does not know EDNS is asked without it, and one that does not keep the letters' case in lower case.
_PLAIN = 300.0
_NO_EDNS = (wire.FORMERR, wire.NOTIMP, wire.BADVERS)
_GOOD = (wire.NOERROR, wire.NXDOMAIN)

# Called with the answer and its server; None: no server gave any answer.
Answered = Callable[[Reply | None, bool], None]


class Server:
    """What is known of one upstream server; times as of Loop.now, `srtt` None until it first answered."""

    def __init__(self, loop: Loop, stats: Stats, settings: UpstreamServer, authorities: str) -> None:
        self._loop = loop
        self._stats = stats
        self.settings = settings
        self.authentic = settings.authentic
        self.channel = Channel(loop, stats, settings, authorities) if settings.tls is not None else None
        self.srtt: float | None = None
        self.rttvar = 0.0
        self.silences = 0
        self.asleep_until = 0.0
        self.sleep = _SLEEP
        self.asked_at = float("-inf")
        self.plain_until = 0.0
        self.unmixed_until = 0.0
        self.asked = self.answered = self.failed = 0
        self.watched: Attempt | None = None

    def attempt(self, key: bytes, plain: bool, done: Done) -> Attempt:
        """Asks it; OSError where it cannot even be tried. `plain`: without EDNS."""
        now = self._loop.now
        plain = plain or self.plain_until > now
        if self.channel is not None:
            return EncryptedAttempt(self._loop, self._stats, self.channel, key, plain, done)
        mixed = not self.settings.authentic and self.unmixed_until <= now
        return PlainAttempt(self._loop, self._stats, self.settings, key, plain, mixed, done)

    def close(self) -> None:
        if self.watched is not None:
            self.watched.close()
        if self.channel is not None:
            self.channel.close()

    def hedge(self, longest: float) -> float:
        """How long its answer usually takes (RFC 6298's way), within bounds."""
        if self.srtt is None:
            return longest
        return min(longest, max(_SHORTEST_HEDGE, self.srtt + 4 * self.rttvar))

    def heard(self, seconds: float) -> None:
        """It answered after so long."""
        if self.srtt is None:
            self.srtt, self.rttvar = seconds, seconds / 2
        else:
            self.rttvar += (abs(self.srtt - seconds) - self.rttvar) / 4
            self.srtt += (seconds - self.srtt) / 8
        self.answered += 1
        self._stats.upstream.add(seconds)
        self.silences = 0
        if self.asleep_until:
            _log.info("upstream is back", upstream=str(self.settings.address), port=self.settings.port)
        self.asleep_until, self.sleep = 0.0, _SLEEP

    def silent(self, now: float) -> None:
        """It did not answer in time, or with something that is no answer, or nobody was there."""
        self.failed += 1
        self.silences += 1
        if self.silences >= _SILENCES and self.asleep_until <= now:
            if not self.asleep_until:
                _log.warning("upstream does not answer", upstream=str(self.settings.address), port=self.settings.port)
                self.asleep_until = now
            self.doze(now)

    def doze(self, now: float) -> None:
        """Is being tried: until it answers, the others' questions need not be sent to it as well."""
        if self.asleep_until:
            self.asleep_until = now + self.sleep
            self.sleep = min(2 * self.sleep, _LONGEST_SLEEP)

    def to_be_compared(self, now: float) -> bool:
        return now >= self.asleep_until if self.asleep_until else now - self.asked_at > _COMPARE


class Upstreams:
    """All servers; `ask` is the only way in."""

    def __init__(
        self, loop: Loop, stats: Stats, servers: tuple[UpstreamServer, ...], timing: Timing, authorities: str = ""
    ) -> None:
        self.loop = loop
        self.stats = stats
        self.timing = timing
        self.servers = [Server(loop, stats, settings, authorities) for settings in servers]
        self.exchanges: set[Exchange] = set()

    def ask(self, key: bytes, answered: Answered) -> None:
        """Asks for a cache key. `answered` is called once, within `timing.query`, never before this returns."""
        self.exchanges.add(Exchange(self, key, answered))

    def ordered(self) -> list[Server]:
        """The fastest first; one that was never heard last of the awake, then those asleep."""
        if len(self.servers) == 1:
            return self.servers.copy()
        return sorted(
            self.servers, key=lambda s: (bool(s.asleep_until), s.srtt if s.srtt is not None else float("inf"))
        )

    def document(self) -> dict[str, dict[str, float]]:
        """Numbers by server; `upstream_silent` is 1 for one that does not answer, `upstream_srtt_ms` its usual time."""

        def by_server(number: Callable[[Server], float]) -> dict[str, float]:
            return {f"{s.settings.address}#{s.settings.port}": number(s) for s in self.servers}

        return {
            "upstream_asked": by_server(lambda s: s.asked),
            "upstream_answered": by_server(lambda s: s.answered),
            "upstream_failed": by_server(lambda s: s.failed),
            "upstream_silent": by_server(lambda s: int(bool(s.asleep_until))),
            "upstream_srtt_ms": by_server(lambda s: round((s.srtt or 0.0) * 1000, 3)),
        }

    def problems(self) -> list[str]:
        """Why some cannot be asked encrypted, a line each."""
        channels = ((server.settings, server.channel) for server in self.servers)
        return [f"{s.address}#{s.port}: {c.problem}" for s, c in channels if c is not None and c.problem]

    def close(self) -> None:
        """Ends all questions without an answer."""
        for exchange in self.exchanges:
            exchange.abandon()
        self.exchanges.clear()
        for server in self.servers:
            server.close()


class Exchange:
    """One question until it has an answer."""

    def __init__(self, upstreams: Upstreams, key: bytes, answered: Answered) -> None:
        self._up = upstreams
        self._key = key
        self._answered: Answered | None = answered
        self._deadline = upstreams.loop.now + upstreams.timing.query
        self._open: dict[Attempt, Server] = {}
        self._attempts = 0
        self._repeat = _REPEAT
        self._second_best: tuple[Reply, Server] | None = None
        self._untried = upstreams.ordered()
        self._refused: list[Server] = []
        self._timer: Timer | None = None
        # This ends nothing yet: whatever happens is told by a socket or a timer.
        self._begin()

    def abandon(self) -> None:
        """Ends it without a word to anybody."""
        self._answered = None
        self._stop_waiting()
        for attempt in self._open:
            attempt.close()

    def _begin(self) -> None:
        now = self._up.loop.now
        first = self._untried.pop(0)
        # Beside the first, those that want to be heard again. At the start nobody was, so that it is a race.
        for server in [server for server in self._untried if server.to_be_compared(now)]:
            self._untried.remove(server)
            server.doze(now)
            self._send(server)
        self._send_and_wait(first)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        left = max(0.0, self._deadline - self._up.loop.now)
        self._timer = self._up.loop.later(min(seconds, left), self._due)

    def _due(self) -> None:
        if self._up.loop.now >= self._deadline:
            self._end(self._second_best)
            return
        if not self._untried:
            self._untried, self._refused = self._refused, []
        if self._untried:
            self._send_and_wait(self._untried.pop(0))
        else:
            self._repeat *= 2
            self._wait(self._repeat)
            for server in self._up.ordered():
                self._send(server)

    def _send_and_wait(self, server: Server) -> None:
        # In this order: where it cannot be sent, the wait is cut short.
        self._wait(server.hedge(self._up.timing.hedge) if self._untried else self._repeat)
        self._send(server)

    def _send(self, server: Server, plain: bool = False) -> None:
        now = self._up.loop.now
        if self._answered is None or self._attempts >= _MAX_ATTEMPTS:
            return
        self._attempts += 1
        server.asked += 1
        server.asked_at = now
        try:
            attempt = server.attempt(self._key, plain, self._done)
        except OSError:
            server.silent(now)
            self._next(server)
        else:
            self._open[attempt] = server

    def _done(self, attempt: Attempt, reply: Reply | None) -> None:
        now = self._up.loop.now
        server = self._open.pop(attempt)
        if server.watched is attempt:
            server.watched = None
        if reply is None:
            server.silent(now)
            self._next(server)
            return
        server.heard(now - attempt.sent)
        if attempt.respelled:
            server.unmixed_until = now + _PLAIN
        if reply.message.rcode in _GOOD:
            if attempt.plain and server.plain_until <= now:
                server.plain_until = now + _PLAIN
            self._end((reply, server))
        elif reply.message.rcode in _NO_EDNS and not attempt.plain:
            self._send(server, plain=True)
        else:
            self._second_best = (reply, server)
            self._deadline = min(self._deadline, now + _SECOND_OPINION)
            self._next()

    def _next(self, refused: Server | None = None) -> None:
        """After one has failed: the next one now, or the end; those that `refused` get another chance after a pause."""
        if self._answered is None:
            return
        if refused is not None:
            self._refused.append(refused)
        if self._untried:
            self._wait(0)
        elif self._second_best is not None and not self._open:
            self._end(self._second_best)
        elif self._second_best is not None:
            self._wait(_SECOND_OPINION)
        else:
            self._wait(_REFUSED_PAUSE)

    def _end(self, found: tuple[Reply, Server] | None) -> None:
        answered, self._answered = self._answered, None
        if answered is None:
            return
        self._stop_waiting()
        self._up.exchanges.discard(self)
        now = self._up.loop.now
        late = {s for a, s in self._open.items() if found is None or now - a.sent >= s.hedge(self._up.timing.hedge)}
        for server in late:
            # A watched one is judged when its time is over.
            if found is None or server.watched is not None:
                server.silent(now)
        for attempt, server in list(self._open.items()):
            self._leave(attempt, server)
        if found is None:
            self._up.stats.count("upstream-timeout")
            answered(None, False)
        else:
            reply, server = found
            answered(reply, server.authentic and bool(reply.message.flags & wire.AD))

    def _leave(self, attempt: Attempt, server: Server) -> None:
        """One late attempt a server stays open for a while, to learn whether the server is slow or gone."""
        if server.watched is not None:
            attempt.close()
            self._open.pop(attempt, None)
            return
        server.watched = attempt

        def forget() -> None:
            if server.watched is attempt:
                server.watched = None
                server.silent(self._up.loop.now)
                attempt.close()

        self._up.loop.later(self._up.timing.query, forget)
