# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What a dry run says of a packet against what the live program then does with it."""

from __future__ import annotations

from tests.packets.harness import Action, Bench, Outcome
from tests.properties.oracle import canonical
from v6native.dataplane.door import Translator
from v6native.dataplane.look import Fate, Look

_FATES = {Action.OK: Fate.STACK, Action.UNSPEC: Fate.STACK, Action.SHOT: Fate.DROP, Action.REDIRECT: Fate.REDIRECT}


def same(bench: Bench, packet: bytes, mark: int = 0, program: str = "nat64") -> Outcome:
    """One packet, dry and then live; fails where they differ, but for what is drawn by lot: ports and identifications."""
    dry = bench.plane.dry_run(program, packet, mark)
    bench.refill()
    live = bench.run(program, Translator.SIIT if program == "siit" else Translator.NAT64, packet, mark)
    told = f"{packet.hex()} mark {mark:#x}\ndry  {dry}\nlive {live}"
    assert (dry.reason.name if dry.reason else None) == next(iter(live.counted), None), told
    assert (dry.fate, dry.mark) == (_FATES[live.action], live.mark), told
    assert not dry.reason or dry.reason.kind != "SLOW" or dry.frame_for == live.slow_for, told
    assert dry.answered == ("ANSWER_SENT" in live.noted), told
    if live.action is not Action.SHOT:
        got = live.packet
        if dry.new_binding and dry.reason and dry.reason.kind == "DONE":
            got = _with_port_of(dry, got)
        assert canonical(got, quoted=False) == canonical(dry.packet, quoted=False), told
    return live


def _with_port_of(dry: Look, live: bytes) -> bytes:
    """The live packet with the port that the dry run drew, after a look whether its own is one that was announced."""
    assert dry.new_binding
    at = 20 + (4 if live[9] == 1 else 0)
    assert live[12:16] == dry.new_binding.address4.packed
    assert dry.new_binding.ports.first <= int.from_bytes(live[at : at + 2], "big") <= dry.new_binding.ports.last
    check = {6: 36, 17: 26, 1: 22}[live[9]]
    changed = bytearray(live)
    for place in (at, check):
        changed[place : place + 2] = dry.packet[place : place + 2]
    return bytes(changed)
