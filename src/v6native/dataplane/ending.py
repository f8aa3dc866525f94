# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Ends BIB entries with their sessions, at once and beside running traffic.

The BPF programs alone free slots and count: two who free would hand out one slot twice. So an entry is taken out of
sight, loses its keys and is marked as ended, and its sessions get a deadline in the past; the sweep then collects them,
and with the last one the entry.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from v6native.dataplane import abi
from v6native.dataplane.maps import BpfMap
from v6native.dataplane.shared import SharedArray, grace_period
from v6native.dataplane.tables import Tables, in_use


def end(tables: Tables, slots: Iterable[int]) -> int:
    """End the entries in those slots. Returns how many were still there."""
    with SharedArray(tables.bib, abi.Bib) as bib:
        hidden = {slot: bib[slot].flags for slot in slots if in_use(bib[slot])}
        if not hidden:
            return 0
        for slot in hidden:
            # No packet finds it from here on, and the sweep does not release it.
            bib.store(slot, "flags", 0)
        grace_period()
        # One that was freed and taken by another flow in the instant before is not ours to end.
        hidden = {slot: flags for slot, flags in hidden.items() if not bib[slot].flags & abi.BIB_IN_USE}
        for slot in hidden:
            entry = bib[slot]
            _delete_own(tables.bib6, entry.key6(), slot)
            _delete_own(tables.bib4, entry.key4(), slot)
        for slot, flags in hidden.items():
            # In use again, found by nobody: the sweep releases it with its last session.
            bib.store(slot, "flags", flags | abi.BIB_ENDED)
    _expire(tables, frozenset(hidden))
    return len(hidden)


def _delete_own(index: BpfMap, key: bytes, slot: int) -> None:
    if index.get(key) == slot.to_bytes(4, sys.byteorder):
        index.delete(key)


def _expire(tables: Tables, slots: frozenset[int]) -> None:
    with SharedArray(tables.sessions, abi.Session) as sessions:
        for index, session in sessions.walk(0, tables.counts().sessions_used_to):
            if session.bib in slots and session.flags & abi.SESSION_IN_USE:
                # Not ESTABLISHED first: that state would live on as TRANS.
                if session.state < abi.STATE_NO_STATE:
                    sessions.store(index, "state", 0)
                sessions.store(index, "deadline_ns", 0)
