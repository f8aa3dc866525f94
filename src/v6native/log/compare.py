# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the log holds to be open against what the data plane has: events may have been lost.

A holding may come or go while the two are read, so a difference counts only when it is seen twice, and nobody told of
that window of ports in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from v6native.dataplane.log_events import Holding
from v6native.log.store import Key, key_of


@dataclass(frozen=True, slots=True)
class Differences:
    """`gone`: open in the log, with its began_ns, but not there. `found`: there, but not open in the log."""

    gone: Mapping[Key, int] = field(default_factory=dict)
    found: Mapping[Key, Holding] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.gone or self.found)

    def confirmed(self, again: Differences, touched: Iterable[Key]) -> Differences:
        """Those that a second look found too, of windows that no event named since the first."""
        names = set(touched)
        return Differences(
            {key: began for key, began in again.gone.items() if self.gone.get(key) == began and key not in names},
            {key: held for key, held in again.found.items() if self.found.get(key) == held and key not in names},
        )


def differences(live: Mapping[Key, int], there: Iterable[Holding]) -> Differences:
    """`live` as the store tells it."""
    held = {key_of(holding): holding for holding in there}
    return Differences(
        {key: began for key, began in live.items() if key not in held or held[key].began_ns != began},
        {key: holding for key, holding in held.items() if live.get(key) != holding.began_ns},
    )
