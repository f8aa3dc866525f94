# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The Mapper of a stateful NAT64: filtering and updating, and outgoing tuples (RFC 6146 §3.5, §3.6)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

from v6native.address import embed
from v6native.packet import ICMP, TCP, UDP
from v6native.translate.bib import Binding, Session, SynKey, Tables
from v6native.translate.clients import Clients
from v6native.translate.flow import Error4, Error6, Flow4, Flow6
from v6native.translate.fragments import FragmentMemory
from v6native.translate.pool4 import Pick
from v6native.translate.reasons import Reason
from v6native.translate.rfc7915.tables import UNREACHABLE4, UNREACHABLE6
from v6native.translate.rules import Rules
from v6native.translate.tcp_states import TABLE, Event, State, Timer, event_4to6, event_6to4
from v6native.translate.verdict import Answer, Refused, Reset, Settings

PROHIBITED6 = Answer(UNREACHABLE6, 1)
ADDRESS_UNREACHABLE6 = Answer(UNREACHABLE6, 3)
PORT_UNREACHABLE6 = Answer(UNREACHABLE6, 4)
HOST_UNREACHABLE4 = Answer(UNREACHABLE4, 1)
PROTOCOL_UNREACHABLE4 = Answer(UNREACHABLE4, 2)
PORT_UNREACHABLE4 = Answer(UNREACHABLE4, 3)
PROHIBITED4 = Answer(UNREACHABLE4, 13)
RESET = Reset()

# One in so many sessions cannot be opened from outside, so that a flood from there leaves room to those inside.
INSIDE_SHARE = 4


@dataclass(frozen=True, slots=True)
class StatefulMapper:
    """One packet's view of the tables, at `now`."""

    rules: Rules
    settings: Settings
    tables: Tables
    clients: Clients
    pick: Pick
    fragments6: FragmentMemory[Flow4]
    fragments4: FragmentMemory[Flow6]
    now: float
    mark: int = 0

    def admit_6to4(self, source: IPv6Address, destination: IPv6Address, *, error: bool) -> None:
        """RFC 6146 §3.5: to a pref64, and not from one. ICMPv6 errors are held to it as well."""
        if self.rules.in_pref64(destination) is None:
            raise Refused(Reason.NOT_PREF64)
        if any(source in pref64 for pref64 in self.rules.pref64):
            raise Refused(Reason.SOURCE_IN_PREF64)

    def check_6to4(self, flow: Flow6) -> None:
        if flow.part and flow.part.offset:
            self._recall6(flow)
            return
        try:
            self._permit(flow)
        except Refused as refused:
            self.fragments6.remember(flow, refused.reason, self.now)
            raise

    def check_4to6(self, flow: Flow4) -> None:
        if flow.part and flow.part.offset:
            self._recall4(flow)
            return
        if flow.protocol not in (TCP, UDP, ICMP):
            raise Refused(Reason.UNKNOWN_PROTOCOL, PROTOCOL_UNREACHABLE4)
        try:
            out = self._out_4to6(flow, self._bound(flow))
        except Refused as refused:
            self.fragments4.remember(flow, refused.reason, self.now)
            raise
        # Already here: the kernel may be asked to fragment the first fragment, but not a shorter one that follows it.
        self.fragments4.remember(flow, out, self.now)

    def slow_6to4(self, flow: Flow6, reason: Reason) -> None:
        self.fragments6.remember(flow, reason, self.now)

    def slow_4to6(self, flow: Flow4, reason: Reason) -> None:
        self.fragments4.remember(flow, reason, self.now)

    def flow_6to4(self, flow: Flow6) -> Flow4:
        """RFC 6146 §3.5.1 to §3.5.3, packets from the IPv6 side."""
        if flow.part and flow.part.offset:
            return replace(self._recall6(flow), part=flow.part)
        if flow.protocol not in (TCP, UDP, ICMP):
            raise Refused(Reason.UNKNOWN_PROTOCOL, PORT_UNREACHABLE6)
        try:
            out = self._update_6to4(flow)
        except Refused as refused:
            self.fragments6.remember(flow, refused.reason, self.now)
            raise
        self.fragments6.remember(flow, out, self.now)
        return out

    def flow_4to6(self, flow: Flow4) -> Flow6:
        """The same, packets from the IPv4 side: only a BIB entry lets them in."""
        if flow.part and flow.part.offset:
            return replace(self._recall4(flow), part=flow.part)
        binding = self._bound(flow)
        remote_port = 0 if flow.protocol == ICMP else flow.source_port
        session = self.tables.session(binding, flow.source, remote_port)
        state, timer = _step(flow.protocol, session, event_4to6(flow.tcp_flags))
        try:
            if session is None:
                self._let_in(binding, flow)
                if state is not State.CLOSED:
                    self._admit(binding, inside=False)
            self._store(binding, flow.source, remote_port, session, state, timer)
        except Refused as refused:
            self.fragments4.remember(flow, refused.reason, self.now)
            raise
        return self._out_4to6(flow, binding)

    def error_6to4(self, error: Error6) -> Error4:
        """The quoted packet went 4to6: its destination is the BIB entry's (RFC 6146 §3.6, roles swapped)."""
        quoted = error.quoted
        _require_tuple(quoted)
        outer, remote = self.rules.in_pref64(error.destination), self.rules.in_pref64(quoted.source)
        if outer is None or remote is None or error.destination != quoted.source:
            raise Refused(Reason.NO_SESSION_ERROR)
        pref64, remote4 = remote
        binding = self.tables.binding6(quoted.protocol, pref64, quoted.destination, quoted.destination_port)
        if binding is None or self._session(binding, remote4, quoted.source_port) is None:
            raise Refused(Reason.NO_SESSION_ERROR)
        remote_port = binding.port4 if quoted.protocol == ICMP else quoted.source_port
        inner = Flow4(quoted.protocol, remote4, remote_port, binding.address4, binding.port4, part=quoted.part)
        # Of its own the host has no other address; a router between may get one of the pool.
        host = error.source == quoted.destination
        source = binding.address4 if host else self.settings.lent4(error.source, binding.address4)
        return Error4(source, outer[1], inner)

    def error_4to6(self, error: Error4) -> Error6:
        """The quoted packet went 6to4: its source is the BIB entry's. Any router on the way may be the error's."""
        quoted = error.quoted
        _require_tuple(quoted)
        binding = self.tables.binding4(quoted.protocol, quoted.source, quoted.source_port)
        known = binding and self._session(binding, quoted.destination, quoted.destination_port)
        if binding is None or known is None or error.destination != quoted.source:
            raise Refused(Reason.NO_SESSION_ERROR)
        pref64 = self.rules.pref64[binding.pref64]
        remote_port = binding.port6 if quoted.protocol == ICMP else quoted.destination_port
        remote6 = embed(pref64, quoted.destination)
        inner = Flow6(quoted.protocol, binding.address6, binding.port6, remote6, remote_port, part=quoted.part)
        return Error6(embed(pref64, error.source), binding.address6, inner)

    def _permit(self, flow: Flow6) -> None:
        """What the file allows; asked when a session is about to be made."""
        if not self.rules.allows(flow.source):
            raise Refused(Reason.SOURCE_NOT_ALLOWED, PROHIBITED6)
        if self.rules.refuses(self._remote(flow)[1]):
            raise Refused(Reason.DESTINATION_REFUSED, PROHIBITED6)

    def _update_6to4(self, flow: Flow6) -> Flow4:
        pref64, remote4 = self._remote(flow)
        remote_port = 0 if flow.protocol == ICMP else flow.destination_port
        binding = self.tables.binding6(flow.protocol, pref64, flow.source, flow.source_port)
        session = self.tables.session(binding, remote4, remote_port) if binding else None
        if session is None:
            self._permit(flow)
        event = event_6to4(flow.tcp_flags)
        state, timer = _step(flow.protocol, session, event)
        if binding is None and state is State.CLOSED:
            raise Refused(Reason.NO_SESSION_TCP, RESET)
        bound = binding
        binding = bound or self._bind(flow, pref64)
        try:
            if session is None and state is not State.CLOSED:
                stored = (remote4, remote_port, binding.address4, binding.port4)
                if self._admit(binding, inside=True, stored=stored if flow.protocol == TCP else None):
                    begun = TABLE[State.V4_INIT][event]
                    state, timer = begun.state, begun.timer
        except Refused:
            if bound is None:
                self._unbind(binding)
            raise
        self._store(binding, remote4, remote_port, session, state, timer)
        out_port = binding.port4 if flow.protocol == ICMP else flow.destination_port
        return Flow4(flow.protocol, binding.address4, binding.port4, remote4, out_port, flow.tcp_flags, flow.part)

    def _bound(self, flow: Flow4) -> Binding:
        """The BIB entry for a packet from IPv4.

        The answers without one are RFC 6146 §3.5.1's and §3.5.3's; a SYN is kept for TCP_INCOMING_SYN (§3.5.2.2), any
        other segment is of a connection that is gone, and its sender shall know.
        """
        binding = self.tables.binding4(flow.protocol, flow.destination, flow.destination_port)
        if binding is not None:
            return binding
        if flow.destination not in self.rules.addresses4():
            raise Refused(Reason.NOT_POOL4)
        if flow.protocol == UDP:
            raise Refused(Reason.NO_BIB_UDP, PORT_UNREACHABLE4)
        if flow.protocol == ICMP:
            raise Refused(Reason.NO_BIB_ICMP, HOST_UNREACHABLE4)
        if event_4to6(flow.tcp_flags) is not Event.V4_SYN or flow.part:
            raise Refused(Reason.NO_BIB_TCP, RESET)
        key = (flow.source, flow.source_port, flow.destination, flow.destination_port)
        self.tables.store_syn(key, self.now + self.rules.timeouts[Timer.TCP_INCOMING_SYN])
        raise Refused(Reason.SYN_STORED)

    def _let_in(self, binding: Binding, flow: Flow4) -> None:
        """A packet of no session: not from a private address, which was forged and would open the way back to itself.

        Under address-dependent filtering (RFC 6146 §3.5) only from addresses that the host has a session with.
        """
        if not binding.static and self.rules.refuses(flow.source):
            raise Refused(Reason.BAD_SOURCE)
        if not self.rules.address_dependent or binding.static or self.tables.knows(binding, flow.source):
            return
        if flow.protocol == TCP and event_4to6(flow.tcp_flags) is Event.V4_SYN:
            key = (flow.source, flow.source_port, flow.destination, flow.destination_port)
            self.tables.store_syn(key, self.now + self.rules.timeouts[Timer.TCP_INCOMING_SYN])
            raise Refused(Reason.SYN_STORED)
        raise Refused(Reason.FILTERED, PROHIBITED4)

    def _out_4to6(self, flow: Flow4, binding: Binding) -> Flow6:
        remote6 = embed(self.rules.pref64[binding.pref64], flow.source)
        out_port = binding.port6 if flow.protocol == ICMP else flow.source_port
        return Flow6(flow.protocol, remote6, out_port, binding.address6, binding.port6, flow.tcp_flags, flow.part)

    def _store(
        self,
        binding: Binding,
        remote4: IPv4Address,
        remote_port: int,
        session: Session | None,
        state: State,
        timer: Timer | None,
    ) -> None:
        """The session's next state. Segments of no connection, but with a BIB entry, pass without one (CLOSED)."""
        if state is State.CLOSED:
            return
        deadline = session.deadline if session else self.now
        if timer is not None:
            deadline = self.now + self.rules.timeouts[timer]
        self.tables.put(Session(binding, remote4, remote_port, state, deadline))

    def _admit(self, binding: Binding, *, inside: bool, stored: SynKey | None = None) -> bool:
        """Whether a SYN was `stored` that one more session on that entry meets; raises Refused where there is no room.

        What others open leaves a share to the client itself, and to all clients together.
        """
        limits, room = self.rules.limits, self.rules.max_sessions
        answer = ADDRESS_UNREACHABLE6 if inside else HOST_UNREACHABLE4
        most = limits.sessions
        if not inside:
            most, room = most - most // INSIDE_SHARE, room - room // INSIDE_SHARE
        if binding.client is not None:
            if limits.sessions and self.tables.sessions_of(binding.client) >= most:
                raise Refused(Reason.CLIENT_SESSIONS, answer)
            if inside and not self.clients.opens(binding.client, limits.rate, self.now):
                raise Refused(Reason.CLIENT_RATE, answer)
        met = stored is not None and self.tables.take_syn(stored)
        if len(self.tables.sessions) >= room:
            raise Refused(Reason.TABLE_FULL, answer)
        return met

    def _bind(self, flow: Flow6, pref64: int) -> Binding:
        client, most = self.rules.client(flow.source), self.rules.limits.ports
        if most and self.tables.ports_of(client, flow.protocol) >= most:
            raise Refused(Reason.CLIENT_PORTS, ADDRESS_UNREACHABLE6)
        found = self.clients.allocate(
            client,
            self.rules.group(flow.source, self.mark),
            self.rules.pool,
            flow.protocol,
            flow.source_port,
            lambda address, port: self.tables.binding4(flow.protocol, address, port) is None,
            self.pick,
            self.now,
        )
        if found is None:
            raise Refused(Reason.POOL4_EXHAUSTED, ADDRESS_UNREACHABLE6)
        binding = Binding(flow.protocol, pref64, flow.source, flow.source_port, *found, client=client)
        self.tables.add(binding)
        return binding

    def _unbind(self, binding: Binding) -> None:
        """It was made for a session that there is no room for. The block that it was the first of stays."""
        self.tables.remove(binding)
        block = self.clients.holding(binding.address4, binding.port4)
        if block is not None:
            self.clients.touch(block, self.now)

    def _remote(self, flow: Flow6) -> tuple[int, IPv4Address]:
        remote = self.rules.in_pref64(flow.destination)
        if remote is None:
            raise Refused(Reason.NOT_PREF64)
        return remote

    def _session(self, binding: Binding, remote4: IPv4Address, port: int) -> Session | None:
        return self.tables.session(binding, remote4, 0 if binding.protocol == ICMP else port)

    def _recall6(self, flow: Flow6) -> Flow4:
        first = self.fragments6.recall(flow, self.now)
        if first is None:
            raise Refused(Reason.FRAGMENT_NO_FIRST)
        return first

    def _recall4(self, flow: Flow4) -> Flow6:
        first = self.fragments4.recall(flow, self.now)
        if first is None:
            raise Refused(Reason.FRAGMENT_NO_FIRST)
        return first


def _step(protocol: int, session: Session | None, event: Event) -> tuple[State, Timer | None]:
    """The session's next state, and the timer that is set for it."""
    if protocol != TCP:
        return State.NO_STATE, Timer.UDP if protocol == UDP else Timer.ICMP
    transition = TABLE[session.state if session else State.CLOSED][event]
    return transition.state, transition.timer


def _require_tuple(quoted: Flow4 | Flow6) -> None:
    """A quote that tells no ports cannot be assigned to a session (RFC 6146 §3.4)."""
    if quoted.protocol not in (TCP, UDP, ICMP) or (quoted.part and quoted.part.offset):
        raise Refused(Reason.QUOTE_TOO_SHORT)
