# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Ends BIB entries with their sessions, at once and beside running traffic.

The BPF programs alone free slots and count: two who free would hand out one slot twice. So an entry is taken out of
sight, loses its keys and is marked as ended, and its sessions get a deadline in the past; the sweep then collects them,
and with the last one the entry. An entry whose last session went while it was out of sight is collected by a program
that is run for it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from v6native.dataplane import abi
from v6native.dataplane.loader import Generation
from v6native.dataplane.maps import BpfMap
from v6native.dataplane.program import NO_PACKET
from v6native.dataplane.shared import SharedArray, grace_period
from v6native.dataplane.tables import Tables, in_use


def end(generation: Generation, slots: Iterable[int]) -> int:
    """End the entries in those slots. Returns how many were still there."""
    tables = Tables.of(generation)
    with SharedArray(tables.bib, abi.Bib) as bib:
        found = {slot: bib[slot] for slot in slots if in_use(bib[slot])}
        if not found:
            return 0
        for slot in found:
            # No packet finds it from here on, and the sweep does not collect it.
            bib.store(slot, "flags", 0)
        grace_period()
        hidden = {slot: entry for slot, entry in found.items() if _still(entry, bib[slot])}
        for slot, entry in hidden.items():
            _delete_own(tables.bib6, entry.key6(), slot)
            _delete_own(tables.bib4, entry.key4(), slot)
        for slot, entry in hidden.items():
            # In use again, found by nobody: the sweep collects it with its last session.
            bib.store(slot, "flags", entry.flags | abi.BIB_ENDED)
        collect = generation.programs["collect_bib"]
        for slot in hidden:
            if not bib[slot].refs:
                collect.run(NO_PACKET, mark=slot)
    slots = frozenset(hidden)
    with SharedArray(tables.bib, abi.Bib) as bib:
        # The slot of one that the sweep has collected meanwhile is another's, and so are its sessions.
        expire(tables, lambda session: session.bib in slots and bool(bib[session.bib].flags & abi.BIB_ENDED))
    return len(hidden)


def _still(entry: abi.Bib, now: abi.Bib) -> bool:
    """Whether a slot holds the entry that was hidden: one freed in the instant before, or another's by now, is not ours."""
    free = now.flags & abi.BIB_IN_USE or now.refs & abi.BIB_DEAD_REFS
    return not free and now.created_ns == entry.created_ns


def _delete_own(index: BpfMap, key: bytes, slot: int) -> None:
    if index.get(key) == slot.to_bytes(4, sys.byteorder):
        index.delete(key)


def expire(tables: Tables, gone: Callable[[abi.Session], bool]) -> None:
    """Give the sessions for which `gone` holds a deadline in the past."""
    with SharedArray(tables.sessions, abi.Session) as sessions:
        for index, copied in sessions.walk(0, tables.counts().sessions_used_to):
            if not copied.flags & abi.SESSION_IN_USE or not gone(copied):
                continue
            session = sessions[index]
            if session.flags & abi.SESSION_IN_USE and session.key() == copied.key():
                # Not ESTABLISHED first: that state would live on as TRANS.
                if session.state < abi.STATE_NO_STATE:
                    sessions.store(index, "state", 0)
                sessions.store(index, "deadline_ns", 0)
