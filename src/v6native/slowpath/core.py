# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""One frame from the TAP → the frames to write back. Pure: the time and the random numbers are arguments.

The last byte of a frame's destination says who wants the packet (bpf/abi.h, SLOW_*): a translator gets it whole; the
host's own stack gets IPv6 in fragments.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from v6native.slowpath.fragment import cut
from v6native.slowpath.limiter import Limiter, Rates
from v6native.slowpath.originate import STALE_SECONDS, Event, frame
from v6native.slowpath.reassembly import LONGEST_IPV6, Limits, Outcome, Reassembler, source_of

ETHERNET = 14
LONGEST_FRAME = ETHERNET + LONGEST_IPV6
UP, NAT64, CLAT = 0, 1, 2
_IPV4, _IPV6 = b"\x08\x00", b"\x86\xdd"
# Where the source address lies in either header.
_SOURCE = {_IPV4: slice(ETHERNET + 12, ETHERNET + 16), _IPV6: slice(ETHERNET + 8, ETHERNET + 24)}


class SlowPath:
    """`counters` counts frames by what became of them; `random32` gives identifications of what it makes itself."""

    def __init__(
        self, now: float, random32: Callable[[], int], limits: Limits | None = None, rates: Rates | None = None
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._random32 = random32
        self._reassembler = Reassembler(limits or Limits())
        self._limiter = Limiter(rates or Rates(), now)

    def handle(self, frame: bytes, now: float) -> list[bytes]:
        """The frames that one frame leads to: none, one, or several fragments."""
        self.counters["received"] += 1
        kind = frame[12:ETHERNET]
        if kind not in _SOURCE or len(frame) > LONGEST_FRAME:
            return self._count("not_ip")
        source = frame[_SOURCE[kind]]
        if len(source) not in (4, 16):
            return self._count(Outcome.MALFORMED)
        if not self._limiter.allow(source_of(source), now):
            return self._count("over_rate")
        who = frame[5]
        if who == UP:
            return self._cut(frame) if kind == _IPV6 else self._count("not_ipv6")
        if who not in (NAT64, CLAT):
            return self._count("unknown_translator")
        if frame[ETHERNET] >> 4 != (6 if kind == _IPV6 else 4):
            return self._count(Outcome.MALFORMED)
        return self._join(frame, now)

    def originate(self, event: Event, age: float) -> bytes | None:
        """The frame that an event leads to; `age` in seconds. None: too old, or damaged."""
        if age > STALE_SECONDS:
            self.counters["stale"] += 1
            return None
        made = frame(event, self._random32() & 0xFFFF)
        self.counters["originated" if made else str(Outcome.MALFORMED)] += 1
        return made

    def tick(self, now: float) -> None:
        """Give up what is too old, even when nothing comes."""
        self._reassembler.expire(now)

    def stats(self) -> dict[str, int]:
        """For people and metrics: what happened since the start, and what is held now."""
        held = self._reassembler
        return {
            **self.counters,
            "datagrams_held": len(held),
            "bytes_held": held.bytes_held,
            "expired": held.expired,
            "evicted": held.evicted,
        }

    def _join(self, frame: bytes, now: float) -> list[bytes]:
        result = self._reassembler.add(frame[ETHERNET:], now)
        if isinstance(result, Outcome):
            return self._count(result)
        self.counters["reassembled"] += 1
        return [frame[:ETHERNET] + result]

    def _cut(self, frame: bytes) -> list[bytes]:
        # The IPv4 packet's identification, in 32 bits (RFC 7915 §4.1); slow.h puts it there.
        pieces = cut(frame[ETHERNET:], int.from_bytes(frame[3:5]))
        if not pieces:
            return self._count("cannot_cut")
        self.counters["cut"] += 1
        return [frame[:ETHERNET] + piece for piece in pieces]

    def _count(self, what: str) -> list[bytes]:
        self.counters[str(what)] += 1
        return []
