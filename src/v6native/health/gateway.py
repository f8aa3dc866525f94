# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the gateway behind a pref64 works, judged by one look after the other. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv6Network

# One lost answer is no outage, and one answer after an outage is not its end.
DOWN_AFTER, UP_AFTER = 3, 2


@dataclass(frozen=True, slots=True)
class Gateway:
    """`why` is the trouble that was seen last; `looks`: how many in a row said otherwise than `healthy`. Until the first look it
    counts as healthy."""

    prefix: IPv6Network
    healthy: bool = True
    why: str = ""
    looks: int = 0
    seen: bool = False

    def after(self, trouble: str) -> Gateway:
        """One look later; `trouble` empty: it worked."""
        works = not trouble
        if not self.seen:
            return replace(self, healthy=works, why=trouble, seen=True)
        if works == self.healthy:
            return replace(self, looks=0, why=trouble if not works else "")
        looks = self.looks + 1
        if looks < (UP_AFTER if works else DOWN_AFTER):
            return replace(self, looks=looks)
        return replace(self, healthy=works, why=trouble, looks=0)
