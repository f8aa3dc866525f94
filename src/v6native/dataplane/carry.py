# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Brings configuration, BIB and sessions of one generation of maps into another, of another ABI or size.

Both are read by their own BTF, field by field: a field keeps its value by its name, a new one is zero. BIB entries and
sessions get new slots, from the bottom, so that no list of free slots must be rebuilt.

The new programs take over in the middle. `Carried.rest` then brings what came up while `copy` was at work.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from v6native.dataplane import abi
from v6native.dataplane.btf import Field
from v6native.dataplane.counters import REASONS_MAP, reasons
from v6native.dataplane.libbpf import BPF_NOEXIST
from v6native.dataplane.loader import Generation
from v6native.dataplane.maps import ARRAY, HASH, LPM_TRIE, BpfMap
from v6native.dataplane.program import NO_PACKET, Program
from v6native.dataplane.shared import SharedArray
from v6native.dataplane.tables import Tables, clock, in_use, live, remember

# Not copied as they are: the state proper, what only BPF may write, what lasts seconds.
_STATE = frozenset({"bib", "bib4", "bib6", "sessions", "session_index", "nat64_state"})
_CLIENTS = frozenset({"clients", "client_index", "blocks", "block_index"})
_NOT_COPIED = _STATE | _CLIENTS | {
    "free_bib", "free_sessions", "free_clients", "free_blocks", "sweeper", "fragments", "counters", "stored_syns",
    "remotes", "trace_control", "fast_pairs", "fast_lease",
}  # fmt: skip
# Slots kept for flows that begin while the generations change, at most a quarter of the table.
_RESERVE = 16384


def recode(old: Sequence[Field], new: Sequence[Field], new_size: int) -> Callable[[bytes], bytes]:
    """Turns a struct of one layout into the other, by field name. Numbers grow and shrink at their high end."""
    places = {f.name: f for f in old}
    pairs = [(places[f.name], f) for f in new if f.name in places]
    plain = not old or not new

    if list(old) == list(new):
        return bytes

    def turn(value: bytes) -> bytes:
        if plain:
            return _resize(value, new_size)
        out = bytearray(new_size)
        for was, now in pairs:
            out[now.offset : now.offset + now.size] = _resize(value[was.offset : was.offset + was.size], now.size)
        return bytes(out)

    return turn


def _resize(value: bytes, size: int) -> bytes:
    if sys.byteorder == "little":
        return value[:size].ljust(size, b"\0")
    return value[-size:].rjust(size, b"\0")


def _between(old: BpfMap, new: BpfMap) -> tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]:
    (old_key, old_value), (new_key, new_value) = old.fields(), new.fields()
    return recode(old_key, new_key, new.key_size), recode(old_value, new_value, new.value_size)


def copy_configuration(old: Generation, new: Generation) -> None:
    """All maps that hold what configure.py writes, and the counters."""
    for of, maps in new.maps.items():
        for name, there in maps.items():
            here = old.map(of, name)
            if here is None or name in _NOT_COPIED or name.startswith(("rodata", f"{of}_rodata")):
                continue
            if there.type not in (HASH, ARRAY, LPM_TRIE):
                continue
            key_of, value_of = _between(here, there)
            for key, value in here.items():
                if there.type != ARRAY or int.from_bytes(key, sys.byteorder) < there.max_entries:
                    there.set(key_of(key), value_of(value))
        _copy_counters(old, new, of)


@contextlib.contextmanager
def silent(new: Generation) -> Iterator[None]:
    """The NAT64 tells nobody that it knows no session: it may be one that is still to come over. An interrupted change
    is followed by one that writes the configuration anew."""
    maps = new.maps["nat64"]
    active = int.from_bytes(maps["nat64_active"].at(0), sys.byteorder) & 1
    spoken = maps["nat64_config"].at(active)
    quiet = abi.Nat64Config.from_buffer_copy(spoken)
    quiet.icmp_rate = 0
    quiet.flags &= ~abi.CONFIG_RESET_ORPHANS
    maps["nat64_config"].put(active, bytes(quiet))
    try:
        yield
    finally:
        maps["nat64_config"].put(active, spoken)


def _copy_counters(old: Generation, new: Generation, of: str) -> None:
    here, there = old.map(of, "counters"), new.map(of, "counters")
    if here is None or there is None or old.map(of, REASONS_MAP) is None:
        return
    places = {reason.name: index for index, reason in enumerate(reasons(new, of))}
    for index, reason in enumerate(reasons(old, of)):
        if reason.name in places:
            there.put(places[reason.name], here.at(index))


@dataclass(frozen=True, slots=True)
class _Placed:
    """A session's new slot, and what it was like when it was brought there."""

    slot: int
    state: int
    deadline_ns: int


@dataclass(slots=True)
class Carried:
    """What has been brought over: new slots by old slot, and the first free ones."""

    old: Tables
    new: Tables
    remotes: BpfMap
    bib: dict[int, int] = field(default_factory=dict)
    placed: dict[bytes, _Placed] = field(default_factory=dict)
    next_bib: int = 0
    next_static: int = 0
    next_session: int = 0
    # Where the slots end that user space may fill: all of the new maps, and once they are in use those it reserved.
    bib_end: int = 0
    session_end: int = 0
    # Once packets use the new maps.
    programs: Mapping[str, Program] | None = None

    @property
    def dependent(self) -> bool:
        """Whether filtering asks whom a host has spoken to (map remotes)."""
        return bool(self.new.settings().flags & abi.CONFIG_ADDRESS_DEPENDENT)

    @classmethod
    def copy(cls, old: Generation, new: Generation) -> Carried:
        """Into maps that no attached program uses yet."""
        it = cls(Tables.of(old), Tables.of(new), new.maps["nat64"]["remotes"])
        it.next_static = it.bib_end = it.new.first_static
        it.session_end = it.new.sessions.max_entries
        it._statics()
        it._sessions()
        it._reserve()
        return it

    def rest(self, new: Generation) -> None:
        """The new programs run: what began under the old ones since `copy`. The slots left over become free ones."""
        sessions, entries, programs = self.next_session, self.next_bib, new.programs
        # From here on packets count on the same numbers: only a program changes them without losing theirs.
        self.programs = programs
        self._sessions()
        programs["add_counts"].run(NO_PACKET, mark=self.next_session - sessions, priority=self.next_bib - entries)
        for slot in range(entries, self.next_bib):
            programs["release_bib"].run(NO_PACKET, mark=slot)
        free_bib, free_sessions = new.maps["nat64"]["free_bib"], new.maps["nat64"]["free_sessions"]
        for index in range(self.next_session, self.session_end):
            free_sessions.set(b"", index.to_bytes(4, sys.byteorder))
        for index in range(self.next_bib, self.bib_end):
            free_bib.set(b"", index.to_bytes(4, sys.byteorder))

    def _entries(self) -> list[tuple[int, abi.Bib]]:
        turn, empty = _between(self.old.bib, self.new.bib)[1], bytes(self.old.bib.value_size)
        return [
            (int.from_bytes(key, sys.byteorder), entry)
            for key, value in self.old.bib.items()
            if value != empty and in_use(entry := abi.Bib.from_buffer_copy(turn(value)))
        ]

    def _statics(self) -> None:
        with SharedArray(self.new.bib, abi.Bib) as bib:
            for old_slot, entry in self._entries():
                if entry.flags & abi.BIB_STATIC:
                    self._place(bib, old_slot, self.next_static, entry)
                    self.next_static += 1

    def _place(self, bib: SharedArray[abi.Bib], old_slot: int, slot: int, entry: abi.Bib) -> bool:
        """Put an entry without sessions into a slot and make it found; false if its addresses are taken by now.

        It is held once where packets use the new maps: `rest` lets go of it.
        """
        entry.client = entry.block = 0
        entry.refs = int(self.programs is not None)
        bib.write(slot, entry, last="flags")
        index = slot.to_bytes(4, sys.byteorder)
        try:
            self.new.bib4.set(entry.key4(), index, BPF_NOEXIST)
        except FileExistsError:
            bib.store(slot, "flags", 0)
            bib.store(slot, "refs", 0)
            return False
        try:
            self.new.bib6.set(entry.key6(), index, BPF_NOEXIST)
        except FileExistsError:
            self.new.bib4.delete(entry.key4())
            if self.programs is None:
                bib.store(slot, "flags", 0)
                return False
            # A packet may have found it: it is ended like any other.
            bib.store(slot, "flags", entry.flags | abi.BIB_ENDED)
            self.next_bib += 1
            return False
        self.bib[old_slot] = slot
        return True

    def _sessions(self) -> None:
        turn, empty = _between(self.old.sessions, self.new.sessions)[1], bytes(self.old.sessions.value_size)
        settings, entries = self.new.settings(), dict(self._entries())
        now = clock(settings)
        with SharedArray(self.new.bib, abi.Bib) as bib, SharedArray(self.new.sessions, abi.Session) as table:
            for _key, value in self.old.sessions.items():
                if value == empty:
                    continue
                session = abi.Session.from_buffer_copy(turn(value))
                if session.bib not in entries or not live(session, settings, now):
                    continue
                if was := self.placed.get(session.key()):
                    _catch_up(table, was, session)
                elif self._has_entry(bib, session.bib, entries) and self.next_session < self.session_end:
                    self._place_session(bib, table, session, entries[session.bib])

    def _has_entry(self, bib: SharedArray[abi.Bib], old_slot: int, entries: dict[int, abi.Bib]) -> bool:
        """Whether the session's BIB entry is there, brought over now if it was not."""
        if old_slot in self.bib:
            return True
        if self.next_bib >= self.bib_end or not self._place(bib, old_slot, self.next_bib, entries[old_slot]):
            return False
        self.next_bib += 1
        return True

    def _hold(self, bib: SharedArray[abi.Bib], slot: int, entry: abi.Bib) -> bool:
        """Count a session on the entry in that slot of the new maps; false if it is another's by now."""
        if self.programs is None:
            bib.store(slot, "refs", bib[slot].refs + 1)
            return True
        if not self.programs["hold_bib"].run(NO_PACKET, mark=slot).action:
            return False
        if (bib[slot].key6(), bib[slot].key4()) == (entry.key6(), entry.key4()):
            return True
        self.programs["release_bib"].run(NO_PACKET, mark=slot)
        return False

    def _place_session(
        self, bib: SharedArray[abi.Bib], table: SharedArray[abi.Session], session: abi.Session, entry: abi.Bib
    ) -> None:
        slot, old_key = self.next_session, session.key()
        session.bib = self.bib[session.bib]
        if not self._hold(bib, session.bib, entry):
            return
        table.write(slot, session, last="flags")
        try:
            self.new.session_index.set(session.key(), slot.to_bytes(4, sys.byteorder), BPF_NOEXIST)
        except FileExistsError:
            # A packet of it has opened it anew meanwhile, with a hold of its own.
            table.store(slot, "flags", 0)
            if self.programs is not None:
                self.programs["release_bib"].run(NO_PACKET, mark=session.bib)
            return
        self.next_session += 1
        self.placed[old_key] = _Placed(slot, session.state, session.deadline_ns)
        if self.dependent:
            remember(self.remotes, session)

    def _reserve(self) -> None:
        self.bib_end = min(self.next_bib + min(_RESERVE, self.bib_end // 4), self.bib_end)
        self.session_end = min(self.next_session + min(_RESERVE, self.session_end // 4), self.session_end)
        state = abi.Nat64State(
            sessions_used_to=self.session_end,
            bib_used_to=self.bib_end,
            session_count=self.next_session,
            bib_count=self.next_bib,
        )
        self.new.state.put(0, bytes(state))


def _catch_up(table: SharedArray[abi.Session], was: _Placed, old: abi.Session) -> None:
    """What a packet changed under the old programs, unless one of the new ones has touched the session since."""
    new = table[was.slot]
    if (old.state, old.deadline_ns) != (was.state, was.deadline_ns) == (new.state, new.deadline_ns):
        table.store(was.slot, "deadline_ns", old.deadline_ns)
        table.store(was.slot, "state", old.state)
