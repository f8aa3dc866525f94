# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What a packet would meet: a second copy of the live programs, on the same tables, with every write compiled out.

`dry_run` (bpf/verdict.h) is a constant of that copy, so that the verifier removes each branch that writes. The tables are
the running programs' own; what a program writes for one packet only (scratch, counters, budgets) is the copy's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from v6native.dataplane import bpffs, counters
from v6native.dataplane.bpf_object import BpfObject
from v6native.dataplane.loader import Generation, Source, object_name
from v6native.dataplane.look import Fate, Look
from v6native.dataplane.program import TC_ACT_OK, TC_ACT_REDIRECT, TC_ACT_UNSPEC, Program
from v6native.dataplane.work import Work, found
from v6native.errors import DataPlaneError

# What each copy has for itself; all other maps are tables, and shared.
OWN = frozenset({
    "scratch", "counters", "answer_budget", "extension_bytes", "sweeper",
    "log_events", "slow_events", "trace_events", "trace_control", "trace_budget",
})  # fmt: skip
PROGRAMS = frozenset({"nat64", "siit", "steer_uplink", "steer_lo"})
"""Those that a packet can be tried on."""

_RINGS = ("log_events", "slow_events", "trace_events")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_ETHERNET = 14
# As a veth gives it to a translator (desired/links.py); the programs look at none of it but the type.
_ADDRESSES = bytes(12)
# enum bpf_prog_test_run's room: a page, less what the kernel puts before and behind the frame.
LONGEST = 3400
_FATES = {TC_ACT_OK: Fate.STACK, TC_ACT_UNSPEC: Fate.STACK, TC_ACT_REDIRECT: Fate.REDIRECT}


class DryCopy:
    """The programs of one generation, loaded once more. One run at a time; `close` when the generation goes."""

    def __init__(self, source: Source, live: Generation) -> None:
        """`source` has the objects that `live` runs. Takes about as long as loading them did."""
        self._live = live
        self._objects = {object_name(item): item for item in source.open()}
        try:
            for of, item in self._objects.items():
                _share(of, item, live)
                item.constant("dry_run", 1)
                item.only(PROGRAMS)
                item.load()
        except BaseException:
            self.close()
            raise
        self._of = {name: of for of, item in self._objects.items() for name in item.programs}
        self._types = {of: item.btf() for of, item in self._objects.items()}

    def close(self) -> None:
        for item in self._objects.values():
            item.close()

    def program(self, name: str) -> Program:
        return self._objects[self._of[name]].programs[name]

    def look(self, program: str, packet: bytes, mark: int = 0) -> Look:
        """What `program` would do with an IP packet that comes with that mark."""
        if len(packet) > LONGEST:
            raise DataPlaneError(f"the kernel tries packets of {LONGEST} bytes at most, this one has {len(packet)}")
        of = self._of[program]
        item = self._objects[of]
        kind = b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"
        with _one_cpu() as cpu:
            for name in ("scratch", "answer_budget"):
                item.maps[name].put(0, bytes(len(item.maps[name].at(0))))
            before = self._counted(of, cpu)
            ran = item.programs[program].run(_ADDRESSES + kind + packet, mark=mark)
            after = self._counted(of, cpu)
            work = item.maps["scratch"].at_cpu(0, cpu)
        moved = [
            reason for index, reason in enumerate(counters.reasons(self._live, of)) if after[index] > before[index]
        ]
        look = Look(
            fate=_FATES.get(ran.action, Fate.DROP),
            reason=next((reason for reason in moved if reason.kind != "NOTE"), None),
            packet=ran.frame[_ETHERNET:],
            mark=ran.mark,
            frame_for=ran.frame[5],
            answered=any(reason.name == "ANSWER_SENT" for reason in moved),
        )
        if program != "nat64":
            return look
        return found(look, Work(self._types[of], work, six=packet[0] >> 4 == 6), self._live)

    def _counted(self, of: str, cpu: int) -> list[int]:
        each = (value[cpu * 8 : cpu * 8 + 8] for _key, value in self._objects[of].maps["counters"].items())
        return [int.from_bytes(value, sys.byteorder) for value in each]


def _share(of: str, item: BpfObject, live: Generation) -> None:
    """Every table is the running one; DataPlaneError where it has no such table, or another one."""
    for name in item.map_names():
        if name in _RINGS:
            item.resize(name, _PAGE)
        if name in OWN or item.internal(name):
            continue
        there = live.map(of, bpffs.pin_name(name))
        if there is None or not item.fits(name, there):
            raise DataPlaneError(
                f"the running translators have another table {name} than these objects expect: `v6native reload` first"
            )
        item.reuse(name, there)


@contextmanager
def _one_cpu() -> Iterator[int]:
    """This thread stays on one processor, whose scratch it reads afterwards."""
    allowed = os.sched_getaffinity(0)
    cpu = min(allowed)
    os.sched_setaffinity(0, {cpu})
    try:
        yield cpu
    finally:
        os.sched_setaffinity(0, allowed)
