# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The NAT64's books, audited: every count and index in the maps against a recount of what lies in the arrays.

    assert audit(bench.plane.generation()) == []     # nothing lost, nothing handed out twice
    assert leftovers(bench.plane.generation()) == {} # all tables are empty again

Both are for times at which no packet is on its way: a hold is taken before what it is for exists.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from v6native.dataplane import abi
from v6native.dataplane.loader import Generation
from v6native.dataplane.maps import BpfMap
from v6native.dataplane.shared import S, SharedArray

PROTOS = len(abi.BIB_PROTOS)


@dataclass(slots=True)
class Books:
    """A copy of the tables, by slot; what is in use and what is free of each, as the arrays say."""

    maps: dict[str, BpfMap]
    state: abi.Nat64State
    address_dependent: bool
    sessions: dict[int, abi.Session]
    bib: dict[int, abi.Bib]
    clients: dict[int, abi.Client]
    blocks: dict[int, abi.PortBlock]
    first_static: int
    wrong: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, generation: Generation) -> Books:
        maps = generation.maps["nat64"]
        state = abi.Nat64State.from_buffer_copy(maps["nat64_state"].at(0))
        active = int.from_bytes(maps["nat64_active"].at(0), sys.byteorder) & 1
        flags = abi.Nat64Config.from_buffer_copy(maps["nat64_config"].at(active)).flags
        first_static = maps["bib"].max_entries - abi.STATIC_SLOTS
        bib = _slots(maps["bib"], abi.Bib, state.bib_used_to)
        static = _slots(maps["bib"], abi.Bib, maps["bib"].max_entries, first_static)
        return cls(
            maps=maps,
            state=state,
            address_dependent=bool(flags & abi.CONFIG_ADDRESS_DEPENDENT),
            sessions=_slots(maps["sessions"], abi.Session, state.sessions_used_to),
            bib=bib | {slot: entry for slot, entry in static.items() if entry.flags},
            clients=_slots(maps["clients"], abi.Client, state.clients_used_to),
            blocks=_slots(maps["blocks"], abi.PortBlock, state.blocks_used_to),
            first_static=first_static,
        )

    def expect(self, what: str, found: object, recounted: object) -> None:
        if found != recounted:
            self.wrong.append(f"{what}: {found}, recounted {recounted}")


def audit(generation: Generation) -> list[str]:
    """What does not add up, a line each."""
    books = Books.of(generation)
    _sessions(books)
    _bib(books)
    _clients(books)
    _blocks(books)
    _remotes(books)
    return books.wrong


def leftovers(generation: Generation) -> dict[str, int]:
    """How many of each there still are; static BIB entries and the decisions about fragments, which only age, aside."""
    books = Books.of(generation)
    static = sum(bool(entry.flags & abi.BIB_STATIC) for entry in books.bib.values())
    maps = ("session_index", "stored_syns", "remotes", "client_index", "block_index", "bib4", "bib6")
    found = {name: sum(1 for _ in books.maps[name].items()) for name in maps}
    found |= {"bib4": found["bib4"] - static, "bib6": found["bib6"] - static}
    counts = ("session_count", "bib_count", "client_count", "block_count")
    found |= {name: getattr(books.state, name) for name in counts}
    found["holds"] = sum(entry.refs & ~abi.BIB_DEAD_REFS for entry in (*books.bib.values(), *books.clients.values()))
    found["holds"] += sum(block.refs & ~abi.BIB_DEAD_REFS for block in books.blocks.values())
    return {name: count for name, count in found.items() if count}


def _slots(table: BpfMap, struct: type[S], end: int, start: int = 0) -> dict[int, S]:
    with SharedArray(table, struct) as array:
        return dict(array.walk(start, end))


def _sessions(books: Books) -> None:
    live = {slot: s for slot, s in books.sessions.items() if s.flags & abi.SESSION_IN_USE}
    books.expect("session_index", _index(books, "session_index"), {s.key(): slot for slot, s in live.items()})
    books.expect("session_count", books.state.session_count, len(live))
    _free(books, "free_sessions", set(books.sessions) - set(live))
    for slot, session in live.items():
        if not books.bib.get(session.bib, abi.Bib()).flags & abi.BIB_IN_USE:
            books.wrong.append(f"session {slot} is on BIB entry {session.bib}, which is free")


def _bib(books: Books) -> None:
    used = {slot: entry for slot, entry in books.bib.items() if entry.flags & abi.BIB_IN_USE}
    dynamic = {slot for slot in used if slot < books.first_static}
    found = {slot: entry for slot, entry in used.items() if not entry.flags & abi.BIB_ENDED}
    books.expect("bib4", _index(books, "bib4"), {entry.key4(): slot for slot, entry in found.items()})
    books.expect("bib6", _index(books, "bib6"), {entry.key6(): slot for slot, entry in found.items()})
    books.expect("bib_count", books.state.bib_count, len(dynamic))
    free = {slot for slot in books.bib if slot < books.first_static} - dynamic
    _free(books, "free_bib", free)
    _dead(books, "BIB entry", {slot: books.bib[slot] for slot in free})
    sessions = Counter(s.bib for s in books.sessions.values() if s.flags & abi.SESSION_IN_USE)
    for slot, entry in used.items():
        books.expect(f"holds of BIB entry {slot}", entry.refs, sessions[slot])
        if slot in dynamic and not entry.refs:
            books.wrong.append(f"BIB entry {slot} has no session and is not released")


def _clients(books: Books) -> None:
    used = {slot: c for slot, c in books.clients.items() if c.flags & abi.CLIENT_IN_USE}
    keys = {bytes(abi.ClientKey(bytes(c.address), c.len)): slot for slot, c in used.items()}
    books.expect("client_index", _index(books, "client_index"), keys)
    books.expect("client_count", books.state.client_count, len(used))
    free = {slot: c for slot, c in books.clients.items() if slot not in used}
    _free(books, "free_clients", set(free))
    _dead(books, "client", free)
    entries = Counter((e.client, e.proto) for e in _in_use(books))
    sessions = Counter(books.bib[s.bib].client for s in books.sessions.values() if s.flags & abi.SESSION_IN_USE)
    for slot, client in books.clients.items():
        number = slot + 1
        ports = [entries[number, proto] for proto in range(PROTOS)]
        blocks = [block for block in client.blocks if block]
        books.expect(f"ports of client {slot}", list(client.ports), ports)
        books.expect(f"sessions of client {slot}", client.sessions, sessions[number])
        if slot in used:
            books.expect(f"holds of client {slot}", client.refs, sum(ports) + len(blocks))
        elif blocks:
            books.wrong.append(f"client {slot} is free and has the blocks {blocks}")
        owned = sorted(block + 1 for block, it in books.blocks.items() if it.owner == number)
        books.expect(f"blocks of client {slot}", sorted(blocks), owned)


def _blocks(books: Books) -> None:
    used = {slot: b for slot, b in books.blocks.items() if b.owner}
    keys = {bytes(abi.BlockKey(bytes(b.address), b.start)): slot for slot, b in used.items()}
    books.expect("block_index", _index(books, "block_index"), keys)
    books.expect("block_count", books.state.block_count, len(used))
    free = {slot: b for slot, b in books.blocks.items() if slot not in used}
    _free(books, "free_blocks", set(free))
    _dead(books, "block", free)
    entries = Counter((e.block, e.proto) for e in _in_use(books))
    for slot, block in books.blocks.items():
        ports = [entries[slot + 1, proto] for proto in range(PROTOS)]
        books.expect(f"ports of block {slot}", list(block.used), ports)
        if slot in used:
            books.expect(f"holds of block {slot}", block.refs, sum(ports))
    taken: Counter[tuple[bytes, int]] = Counter()
    for block in used.values():
        taken.update((bytes(block.address), port) for port in range(block.first, block.last + 1))
    if twice := [port for port, times in taken.items() if times > 1]:
        books.wrong.append(f"{len(twice)} ports are in two blocks: {twice[:3]}")
    for entry in _in_use(books):
        if entry.block:
            _inside(books, entry, used.get(entry.block - 1))


def _inside(books: Books, entry: abi.Bib, block: abi.PortBlock | None) -> None:
    port = int.from_bytes(bytes(entry.port4), "big")
    if block is None:
        books.wrong.append(f"port {port} is of block {entry.block - 1}, which is free")
    elif bytes(block.address) != bytes(entry.address4) or not block.first <= port <= block.last:
        books.wrong.append(f"port {port} is outside of its block {block.first}-{block.last}")
    elif block.owner != entry.client:
        books.wrong.append(f"port {port} of client {entry.client - 1} is in a block of client {block.owner - 1}")


def _remotes(books: Books) -> None:
    """Which addresses a BIB entry's host has spoken to; kept only under address-dependent filtering."""
    if not books.address_dependent:
        return
    live = [s for s in books.sessions.values() if s.flags & abi.SESSION_IN_USE]
    spoken = Counter(bytes(abi.RemoteKey(s.bib, bytes(s.remote4))) for s in live)
    books.expect("remotes", _index(books, "remotes"), dict(spoken))


def _in_use(books: Books) -> Iterator[abi.Bib]:
    return (entry for entry in books.bib.values() if entry.flags & abi.BIB_IN_USE)


def _index(books: Books, name: str) -> dict[bytes, int]:
    return {key: int.from_bytes(value, sys.byteorder) for key, value in books.maps[name].items()}


def _free(books: Books, name: str, free: set[int]) -> None:
    """The queue of free slots holds every free one once. A queue cannot be read: it is emptied and filled again."""
    queue, waiting = books.maps[name], []
    while (value := queue.pop()) is not None:
        waiting.append(value)
    for value in waiting:
        queue.set(b"", value)
    slots = [int.from_bytes(value, sys.byteorder) for value in waiting]
    if twice := sorted(slot for slot, times in Counter(slots).items() if times > 1):
        books.wrong.append(f"{name} holds slots twice: {twice[:5]}")
    if lost := sorted(free - set(slots)):
        books.wrong.append(f"{name} has lost slots: {lost[:5]} of {len(lost)}")
    if used := sorted(set(slots) - free):
        books.wrong.append(f"{name} holds slots that are in use: {used[:5]} of {len(used)}")


def _dead(books: Books, what: str, free: Mapping[int, abi.Bib | abi.Client | abi.PortBlock]) -> None:
    """A free slot cannot be held; one that was never used is all zeros."""
    for slot, element in free.items():
        if element.refs != abi.BIB_DEAD_REFS and any(bytes(element)):
            books.wrong.append(f"{what} {slot} is free and held: {element.refs:#x}")
