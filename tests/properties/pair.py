# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The NAT64 as it runs in the kernel beside the reference translator: each packet through both, and their tables compared.

Which port, and which block, a new BIB entry gets is free; the reference is told what the program chose, and keeps it
only where its own rules allow that choice.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import TypeVar

from tests.packets.books import audit, leftovers
from tests.packets.harness import Action, Bench, Outcome
from tests.properties.arrangements import ARRANGEMENTS, NUMBERS, reference_rules
from tests.properties.oracle import MARKS, assert_same, reference_settings, verdict
from v6native.dataplane import abi
from v6native.dataplane.door import TcpState
from v6native.dataplane.maps import BpfMap
from v6native.dataplane.shared import SharedArray
from v6native.dataplane.tables import bib_entry
from v6native.desired.dataplane import Nat64Settings
from v6native.translate.clients import HOLD_DOWN
from v6native.translate.nat64 import Nat64
from v6native.translate.reasons import Reason
from v6native.translate.verdict import Answered, Arrival, Dropped, Result, Translated

T = TypeVar("T")
TABLE = 4096
SMALLEST_BLOCK = 16
LATER = 0.03
LONG = 8000
"""Seconds; longer than any session lasts."""


class Choice:
    """The port, and the first port of the block, that the program gave to a new BIB entry."""

    port = 0
    block = 0

    def __call__(self, choices: range) -> int:
        chosen = self.block if choices.step >= SMALLEST_BLOCK else self.port
        return choices.index(chosen) if chosen in choices else 0


class Pair:
    """The program and the reference, with the same rules and the same clock."""

    def __init__(
        self, bench: Bench, settings: Nat64Settings = ARRANGEMENTS["one address"], nat64_interface: str = "lo"
    ) -> None:
        bench.reset()
        # Another size would be another set of maps: the limit alone is told to the program.
        bench.configure(replace(settings, sessions=TABLE), nat64_interface=nat64_interface)
        bench.adjust(max_sessions=settings.sessions)
        self.bench, self.settings, self.choice = bench, settings, Choice()
        self.now, self.packets = 0, 0
        # In the middle of a second, so that a packet that takes its time is still of the same one; and ahead of the
        # kernel's clock, which goes on meanwhile.
        self._began = int(bench.now()) + 1000.5
        self.reference = Nat64(reference_rules(settings), reference_settings(settings.options), self.choice)

    def wait(self, seconds: int) -> None:
        if seconds:
            self.now += seconds
            # A little later each time: waits may add up to just what the program waits for, and its clock goes on by itself.
            self._began += LATER
            self._turn()
            for _round in range(3):
                # A session, then its BIB entry, then what the client had of it.
                self.bench.sweep()
            self.reference.expire(self.now)

    def packet(self, packet: bytes, arrival: Arrival = Arrival.FRESH, mark: int = 0) -> None:
        self.packets += 1
        self._turn()
        out = self.bench.nat64(packet, MARKS[arrival] | mark)
        self.choice.port = chosen_port(out)
        known = {(block.address, block.start) for block in self.reference.clients.blocks}
        self.choice.block = next((start for address, start in self._blocks() if (address, start) not in known), 0)
        expected = self.reference.translate(packet, self.now, arrival, mark)
        if out.reason == "HAIRPINNED":
            self._hairpinned(packet, out, expected)
        else:
            assert_same(packet, verdict(out, out.action, out.packet), expected)
        self.assert_same_tables(f"given {packet.hex()}\nverdict {out.reason}")

    def end(self) -> None:
        """Everything adds up; a long time later nothing is left."""
        generation = self.bench.plane.generation()
        assert audit(generation) == []
        self.wait(LONG)
        self.wait(int(HOLD_DOWN) + 1)
        assert leftovers(generation) == {}
        assert audit(generation) == []
        self.assert_same_tables()

    def _turn(self) -> None:
        self.bench.turn_to(self._began + self.now)

    def _hairpinned(self, packet: bytes, first: Outcome, expected: Result) -> None:
        """The program redirects its output into itself: the second pass has the verdict."""
        assert (first.action, first.mark & abi.MARK_MASK) == (Action.REDIRECT, MARKS[Arrival.HAIRPIN])
        second = self.bench.nat64(first.packet, first.mark)
        live = verdict(second, second.action, second.packet)
        if isinstance(live, Translated):
            live = Translated(live.packet, Reason.HAIRPINNED)
        if isinstance(live, Answered):
            # The answer to our own address comes back in, where the reference translates it at once.
            assert (second.action, second.mark & abi.MARK_MASK) == (Action.REDIRECT, MARKS[Arrival.HAIRPIN])
            third = self.bench.nat64(second.packet, second.mark)
            told = verdict(third, third.action, third.packet)
            live = Answered(told.packet, live.reason) if isinstance(told, Translated) else Dropped(live.reason)
        assert_same(packet, live, expected)

    def assert_same_tables(self, told: str = "") -> None:
        live = {
            (NUMBERS[s.proto], s.address6, s.port6, s.address4, s.port4, s.remote4, s.remote_port, _name(s.state))
            for s in self.bench.sessions()
        }
        reference = {
            (b.protocol, b.address6, b.port6, b.address4, b.port4, s.remote4, s.remote_port, s.state.name)
            for s in self.reference.tables.sessions
            for b in [s.binding]
        }
        assert live == reference, _differ("sessions", live, reference, told)
        bib = self._bib()
        bindings = {
            (b.protocol, b.address4, b.port4, b.address6, b.port6)
            for b in self.reference.tables.bindings
            if not b.static
        }
        assert bib == bindings, _differ("BIB entries", bib, bindings, told)
        blocks = set(self._blocks().items())
        expected = {((b.address, b.start), (b.first, b.last, b.client)) for b in self.reference.clients.blocks}
        assert blocks == expected, _differ("port blocks", blocks, expected, told)

    def _bib(self) -> set[tuple[int, IPv4Address, int, IPv6Address, int]]:
        """The dynamic entries of the program."""
        found = set()
        with SharedArray(self._map("bib"), abi.Bib) as table:
            for _slot, entry in table.walk(0, self._state().bib_used_to):
                if entry.flags & abi.BIB_IN_USE:
                    shown = bib_entry(entry, 0)
                    found.add((NUMBERS[shown.proto], shown.address4, shown.port4, shown.address6, shown.port6))
        return found

    def _blocks(self) -> dict[tuple[IPv4Address, int], tuple[int, int, IPv6Network]]:
        """Of the program: first port, last port and owner, by address and start."""
        found = {}
        with SharedArray(self._map("blocks"), abi.PortBlock) as blocks:
            for _slot, block in blocks.walk(0, self._state().blocks_used_to):
                if block.owner:
                    owner = abi.Client.from_buffer_copy(self._map("clients").at(block.owner - 1))
                    client = IPv6Network((IPv6Address(bytes(owner.address)), owner.len))
                    found[IPv4Address(bytes(block.address)), block.start] = (block.first, block.last, client)
        return found

    def _state(self) -> abi.Nat64State:
        return abi.Nat64State.from_buffer_copy(self._map("nat64_state").at(0))

    def _map(self, name: str) -> BpfMap:
        return self.bench.plane.generation().maps["nat64"][name]


def _differ(what: str, live: set[T], reference: set[T], told: str) -> str:
    return f"{what}\nonly live: {live - reference}\nonly in the reference: {reference - live}\n{told}"


def chosen_port(out: Outcome) -> int:
    """From the IPv4 packet that the program made: the source port, or the identifier."""
    packet = out.packet
    if len(packet) < 28 or packet[0] >> 4 != 4:
        return 0
    at = 24 if packet[9] == 1 else 20
    return int.from_bytes(packet[at : at + 2], "big")


def _name(state: TcpState | None) -> str:
    return "NO_STATE" if state is None else state.name
