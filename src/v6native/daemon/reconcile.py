# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""When to look at the host again: soon after a change, not for each of a burst, and rarely when somebody fights us."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from v6native.daemon.backoff import Backoff


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Decides by the clock alone. Seconds.

    A look comes `quiet` after the last change but at most `burst` after the first one of a burst, never within `rest` of
    the one before, and every `period` anyway: sysctls ring no bell. Looks that find something to repair, one after the other, are spaced by
    the back-off, so that two programs that undo each other do not spin.
    """

    quiet: float = 0.2
    burst: float = 1.0
    rest: float = 2.0
    period: float = 30.0
    first_change: float | None = None
    last_change: float = 0.0
    last_look: float = 0.0
    backoff: Backoff = field(default_factory=lambda: Backoff(first=0.5, ceiling=60.0, steady=120.0))

    def changed(self, now: float) -> Reconciler:
        first = now if self.first_change is None else self.first_change
        return replace(self, first_change=first, last_change=now)

    def due(self, now: float) -> float:
        """Seconds until the next look; 0 or less: now."""
        at = self.last_look + self.period
        if self.first_change is not None:
            soon = min(self.last_change + self.quiet, self.first_change + self.burst)
            at = min(at, max(soon, self.last_look + max(self.rest, self.backoff.delay)))
        return at - now

    def looking(self) -> Reconciler:
        """A look begins. What is heard from here on it may have missed: that asks for another one."""
        return replace(self, first_change=None)

    def looked(self, now: float, repaired: bool) -> Reconciler:
        """After a look; `repaired`: it found and changed something (or failed to).

        The echo of our own repair asks for another look, too, which finds nothing to do and so makes no echo.
        """
        backoff = (
            self.backoff.fail(now).start(now)
            if repaired
            else Backoff(self.backoff.first, self.backoff.ceiling, self.backoff.steady)
        )
        return replace(self, last_look=now, backoff=backoff)
