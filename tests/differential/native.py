# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Our stateless translator as a host has it: the BPF program, the slow path, and the kernel where it fragments for us."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from tests.packets.harness import Bench
from v6native.packet import IPv4Packet, parse_ipv4
from v6native.slowpath.core import UP, SlowPath
from v6native.slowpath.limiter import Rates
from v6native.translate.reasons import Kind, Reason

REASSEMBLED, FRAG_CLAT, HAIRPIN = 0x08000000, 0x88000000, 0x18000000
FRAGMENT_MTU = 1280 - 28
"""The MTU of the route that rule 61 leads to."""
UNLIMITED = Rates(1e9, 1e9, 1e9, 1e9)


@dataclass(frozen=True, slots=True)
class Made:
    """What left the translator, in order, and the verdicts on the way there."""

    packets: list[bytes]
    verdicts: list[Reason]


@dataclass(slots=True)
class Native:
    bench: Bench

    def translate(self, *packets: bytes) -> Made:
        self.bench.forget_fragments()
        self.bench.refill()
        slow = SlowPath(0.0, lambda: 0x12345678, rates=UNLIMITED)
        made = Made([], [])
        for packet in packets:
            self._one(packet, slow, made)
        return made

    def _one(self, packet: bytes, slow: SlowPath, made: Made) -> None:
        waiting = deque([(packet, 0)])
        while waiting:
            given, mark = waiting.popleft()
            out = self.bench.siit(given, mark)
            reason = Reason[out.reason]
            made.verdicts.append(reason)
            if reason is Reason.REFRAGMENT:
                waiting.extend((piece, FRAG_CLAT) for piece in kernel_fragments(out.packet))
            elif reason is Reason.HAIRPINNED:
                waiting.append((out.packet, HAIRPIN))
            elif reason.kind is Kind.SLOW:
                frames = slow.handle(out.frame, 0.0)
                if out.slow_for == UP:
                    made.packets.extend(frame[14:] for frame in frames)
                else:
                    waiting.extend((frame[14:], REASSEMBLED) for frame in frames)
            elif out.action.name == "OK" and reason.kind is not Kind.PASS:
                made.packets.append(out.packet)


def kernel_fragments(packet: bytes) -> list[bytes]:
    """What ip_fragment makes of a packet on its way in once more; it was routed for that."""
    whole = parse_ipv4(packet)
    whole = replace(whole, ttl=whole.ttl - 1)
    room = (FRAGMENT_MTU - 20 - len(whole.options)) // 8 * 8
    if len(packet) <= FRAGMENT_MTU:
        return [whole.to_bytes()]
    return [_piece(whole, at, room).to_bytes() for at in range(0, len(whole.payload), room)]


def _piece(whole: IPv4Packet, at: int, room: int) -> IPv4Packet:
    last = at + room >= len(whole.payload)
    return replace(
        whole,
        payload=whole.payload[at : at + room],
        fragment_offset=whole.fragment_offset + at,
        more_fragments=whole.more_fragments or not last,
    )
