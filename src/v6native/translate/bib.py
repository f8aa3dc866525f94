# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The Binding Information Bases and session tables (RFC 6146 §3.1), as plain dictionaries.

Endpoint-independent mapping: a BIB entry belongs to an IPv6 transport address, whatever it talks to. Each pref64 is a
NAT64 of its own, so that a reply's source lies in the pref64 that was asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

from v6native.translate.clients import Client
from v6native.translate.tcp_states import TABLE, Event, State, Timer


@dataclass(frozen=True, slots=True)
class Binding:
    """One BIB entry; `protocol` is 6, 17 or 1; ports are identifiers for ICMP; `pref64` is an index.

    A static one is nobody's: `client` is None.
    """

    protocol: int
    pref64: int
    address6: IPv6Address
    port6: int
    address4: IPv4Address
    port4: int
    static: bool = False
    client: Client | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One session table entry; `remote_port` is 0 for ICMP; `deadline` in seconds of the caller's clock."""

    binding: Binding
    remote4: IPv4Address
    remote_port: int
    state: State
    deadline: float


SessionKey = tuple[Binding, IPv4Address, int]
SynKey = tuple[IPv4Address, int, IPv4Address, int]
"""From and to where a SYN came: the remote address and port, the NAT64's."""


class Tables:
    """BIB and sessions of all protocols."""

    def __init__(self, static: Iterable[Binding] = ()) -> None:
        self._by6: dict[tuple[int, int, IPv6Address, int], Binding] = {}
        self._by4: dict[tuple[int, IPv4Address, int], Binding] = {}
        self._sessions: dict[SessionKey, Session] = {}
        self._syns: dict[SynKey, float] = {}
        for binding in static:
            self.add(binding)

    @property
    def bindings(self) -> tuple[Binding, ...]:
        return tuple(self._by4.values())

    @property
    def sessions(self) -> tuple[Session, ...]:
        return tuple(self._sessions.values())

    def binding6(self, protocol: int, pref64: int, address: IPv6Address, port: int) -> Binding | None:
        return self._by6.get((protocol, pref64, address, port))

    def binding4(self, protocol: int, address: IPv4Address, port: int) -> Binding | None:
        return self._by4.get((protocol, address, port))

    def session(self, binding: Binding, remote4: IPv4Address, remote_port: int) -> Session | None:
        return self._sessions.get((binding, remote4, remote_port))

    def ports_of(self, client: Client, protocol: int) -> int:
        """How many BIB entries a client has."""
        return sum(binding.client == client and binding.protocol == protocol for binding in self._by4.values())

    def sessions_of(self, client: Client) -> int:
        return sum(session.binding.client == client for session in self._sessions.values())

    def add(self, binding: Binding) -> None:
        self._by6[binding.protocol, binding.pref64, binding.address6, binding.port6] = binding
        self._by4[binding.protocol, binding.address4, binding.port4] = binding

    def remove(self, binding: Binding) -> None:
        del self._by6[binding.protocol, binding.pref64, binding.address6, binding.port6]
        del self._by4[binding.protocol, binding.address4, binding.port4]

    def put(self, session: Session) -> None:
        """Adds a session, or replaces it by its next state."""
        self._sessions[session.binding, session.remote4, session.remote_port] = session

    def store_syn(self, key: SynKey, deadline: float) -> None:
        """RFC 6146 §3.5.2.2; a repeated SYN does not wait longer."""
        self._syns.setdefault(key, deadline)

    def take_syn(self, key: SynKey) -> bool:
        """Whether such a SYN was stored; it is not any more."""
        return self._syns.pop(key, None) is not None

    def knows(self, binding: Binding, remote4: IPv4Address) -> bool:
        """Whether the entry has a session with that remote address."""
        return any(s.binding == binding and s.remote4 == remote4 for s in self._sessions.values())

    def expire(self, now: float, timeouts: Mapping[Timer, float]) -> tuple[Binding, ...]:
        """Times sessions out whose lifetime is over, and removes dynamic BIB entries that have none left: these."""
        self._syns = {key: deadline for key, deadline in self._syns.items() if deadline > now}
        for key, session in list(self._sessions.items()):
            current: Session | None = session
            while current and current.deadline <= now:
                current = _timed_out(current, timeouts)
            if current is None:
                del self._sessions[key]
            else:
                self._sessions[key] = current
        used = {session.binding for session in self._sessions.values()}
        gone = tuple(binding for binding in self.bindings if not binding.static and binding not in used)
        for binding in gone:
            self.remove(binding)
        return gone


def _timed_out(session: Session, timeouts: Mapping[Timer, float]) -> Session | None:
    """The session after its lifetime ended, None where that closed it."""
    if session.state is State.NO_STATE:
        return None
    transition = TABLE[session.state][Event.TIMEOUT]
    if transition.timer is None:
        return None
    return replace(session, state=transition.state, deadline=session.deadline + timeouts[transition.timer])
