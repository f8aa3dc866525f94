# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The BIB and the session table as the operator sees them (RFC 6146 §3.1, §3.2), read lazily out of the maps."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from v6native.address import embed
from v6native.config.model import Proto
from v6native.dataplane import abi
from v6native.dataplane.door import BibEntry, Session, TcpState, Totals
from v6native.dataplane.loader import Generation
from v6native.dataplane.maps import BpfMap
from v6native.dataplane.shared import SharedArray

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Tables:
    """The maps of nat64.bpf.o that hold its state."""

    bib: BpfMap
    bib4: BpfMap
    bib6: BpfMap
    sessions: BpfMap
    session_index: BpfMap
    state: BpfMap
    config: BpfMap
    active: BpfMap

    @classmethod
    def of(cls, generation: Generation) -> Tables:
        """KeyError where one of them is missing."""
        m = generation.maps["nat64"]
        names = ("bib", "bib4", "bib6", "sessions", "session_index", "nat64_state", "nat64_config", "nat64_active")
        return cls(*(m[name] for name in names))

    @property
    def first_static(self) -> int:
        """The first slot of map bib that only user space fills."""
        return max(self.bib.max_entries - abi.STATIC_SLOTS, 0)

    def counts(self) -> abi.Nat64State:
        return abi.Nat64State.from_buffer_copy(self.state.at(0))

    def settings(self) -> abi.Nat64Config:
        """The configuration that the programs use now."""
        active = int.from_bytes(self.active.at(0), sys.byteorder) & 1
        return abi.Nat64Config.from_buffer_copy(self.config.at(active))


def remember(remotes: BpfMap, session: abi.Session) -> None:
    """Count a session for address-dependent filtering, which asks with whom a BIB entry has one (map remotes)."""
    key = bytes(abi.RemoteKey(session.bib, session.remote4))
    known = int.from_bytes(remotes.get(key) or b"", sys.byteorder)
    remotes.set(key, (known + 1).to_bytes(4, sys.byteorder))


def in_use(entry: abi.Bib) -> bool:
    """Whether a slot is a BIB entry, and not one that is being ended (ending.py)."""
    return entry.flags & (abi.BIB_IN_USE | abi.BIB_ENDED) == abi.BIB_IN_USE


def entries(tables: Tables) -> Iterator[tuple[int, abi.Bib]]:
    """All BIB entries with their slots, the dynamic ones first."""
    with SharedArray(tables.bib, abi.Bib) as bib:
        top = tables.first_static
        for start, end in ((0, min(tables.counts().bib_used_to, top)), (top, bib.length)):
            for index, entry in bib.walk(start, end):
                if in_use(entry):
                    yield index, entry


def bib(tables: Tables) -> Iterator[BibEntry]:
    now = clock(tables.settings())
    for _index, entry in entries(tables):
        yield bib_entry(entry, now)


def bib_entry(entry: abi.Bib, now: int) -> BibEntry:
    return BibEntry(
        proto=_proto(entry.proto),
        address6=IPv6Address(bytes(entry.address6)),
        port6=_port(entry.port6),
        address4=IPv4Address(bytes(entry.address4)),
        port4=_port(entry.port4),
        static=bool(entry.flags & abi.BIB_STATIC),
        sessions=entry.refs & ~abi.BIB_DEAD_REFS,
        age=max(now - entry.created_ns, 0) / _NS,
    )


def sessions(tables: Tables) -> Iterator[Session]:
    settings = tables.settings()
    pref64s = _pref64s(settings)
    with SharedArray(tables.sessions, abi.Session) as table, SharedArray(tables.bib, abi.Bib) as of:
        for _index, session in table.walk(0, tables.counts().sessions_used_to):
            now = clock(settings)
            if (left := _left(session, settings, now)) is None or session.bib >= of.length:
                continue
            entry = of[session.bib]
            if in_use(entry) and entry.pref64 < len(pref64s):
                yield _session(session, entry, pref64s[entry.pref64], left, now)


def session_at(tables: Tables, bib_index: int, remote4: bytes, remote_port: bytes) -> Session | None:
    """The live session of a BIB entry with that remote address and port, which is zero for ICMP."""
    key = abi.SessionKey(bib_index, remote4, remote_port)
    if (index := tables.session_index.get(bytes(key))) is None:
        return None
    settings = tables.settings()
    now = clock(settings)
    session = abi.Session.from_buffer_copy(tables.sessions.at(int.from_bytes(index, sys.byteorder)))
    entry = abi.Bib.from_buffer_copy(tables.bib.at(bib_index))
    left = _left(session, settings, now)
    if left is None or session.key() != bytes(key) or not in_use(entry):
        return None
    return _session(session, entry, _pref64s(settings)[entry.pref64], left, now)


def totals(tables: Tables) -> Totals:
    counts = tables.counts()
    top = tables.first_static
    with SharedArray(tables.bib, abi.Bib) as table:
        static = sum(in_use(entry) for _index, entry in table.walk(top, table.length))
    bib_count = counts.bib_count + static
    return Totals(counts.session_count, tables.sessions.max_entries, bib_count, counts.client_count, counts.block_count)


def clock(settings: abi.Nat64Config) -> int:
    """The programs' clock, in nanoseconds."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) + settings.clock_offset_ns


def live(session: abi.Session, settings: abi.Nat64Config, now: int) -> bool:
    return _left(session, settings, now) is not None


def _left(session: abi.Session, settings: abi.Nat64Config, now: int) -> tuple[TcpState | None, int] | None:
    """State and nanoseconds until it expires; None: not in use, or expired. ESTABLISHED goes through TRANS first."""
    if not session.flags & abi.SESSION_IN_USE:
        return None
    state = abi.TCP_STATES[session.state] if session.state < abi.STATE_NO_STATE else None
    left = session.deadline_ns - now
    if left <= 0 and state is TcpState.ESTABLISHED:
        state, left = TcpState.TRANS, left + settings.timeout_ns[abi.TIMER_TCP_TRANS]
    return (state, left) if left > 0 else None


def _session(
    session: abi.Session, entry: abi.Bib, pref64: IPv6Network, left: tuple[TcpState | None, int], now: int
) -> Session:
    remote4 = IPv4Address(bytes(session.remote4))
    return Session(
        proto=_proto(entry.proto),
        address6=IPv6Address(bytes(entry.address6)),
        port6=_port(entry.port6),
        address4=IPv4Address(bytes(entry.address4)),
        port4=_port(entry.port4),
        remote6=embed(pref64, remote4),
        remote4=remote4,
        remote_port=_port(session.remote_port),
        state=left[0],
        hairpin=bool(session.flags & abi.SESSION_HAIRPIN),
        seconds_left=left[1] / _NS,
        age=max(now - session.created_ns, 0) / _NS,
        bytes_6to4=session.bytes_6to4,
        bytes_4to6=session.bytes_4to6,
    )


def _pref64s(settings: abi.Nat64Config) -> list[IPv6Network]:
    found = settings.pref64[: settings.pref64_count]
    return [IPv6Network((bytes(p.prefix), p.len)) for p in found]


def _proto(number: int) -> Proto:
    return abi.BIB_PROTOS[number % len(abi.BIB_PROTOS)]


def _port(network_order: bytes) -> int:
    return int.from_bytes(bytes(network_order), "big")
