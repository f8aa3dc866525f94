# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Stateful NAT64 (RFC 6146), one packet at a time: §3.4 and §3.7 are rfc7915/'s, §3.5, §3.6 and §3.8 are here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from types import MappingProxyType

from v6native.address import NON_GLOBAL_IPV4, embed, extract
from v6native.packet import ICMP, TCP, UDP
from v6native.translate import rfc7915
from v6native.translate.bib import Binding, Session, Tables
from v6native.translate.flow import Error4, Error6, Flow4, Flow6
from v6native.translate.fragments import FragmentMemory
from v6native.translate.pool4 import Pick, PoolRange, allocate
from v6native.translate.reasons import Reason
from v6native.translate.rfc7915.tables import UNREACHABLE4, UNREACHABLE6
from v6native.translate.tcp_states import TABLE, Event, State, Timer, event_4to6, event_6to4
from v6native.translate.verdict import (
    Answer,
    Answered,
    Arrival,
    Dropped,
    Passed,
    Refused,
    Result,
    Settings,
    Translated,
)

PROHIBITED6 = Answer(UNREACHABLE6, 1)
ADDRESS_UNREACHABLE6 = Answer(UNREACHABLE6, 3)
PORT_UNREACHABLE6 = Answer(UNREACHABLE6, 4)
HOST_UNREACHABLE4 = Answer(UNREACHABLE4, 1)
PROTOCOL_UNREACHABLE4 = Answer(UNREACHABLE4, 2)
PORT_UNREACHABLE4 = Answer(UNREACHABLE4, 3)
PROHIBITED4 = Answer(UNREACHABLE4, 13)

DEFAULT_TIMEOUTS: Mapping[Timer, float] = MappingProxyType(
    {Timer.TCP_EST: 7440, Timer.TCP_TRANS: 240, Timer.TCP_INCOMING_SYN: 6, Timer.UDP: 300, Timer.ICMP: 60}
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the file says; `refused4` against `open4`: the longest match wins, and `open4` where both are as long."""

    pref64: tuple[IPv6Network, ...]
    pool: tuple[PoolRange, ...]
    sources: tuple[IPv6Network, ...]
    static: tuple[Binding, ...] = ()
    refused4: tuple[IPv4Network, ...] = tuple(network for network, _ in NON_GLOBAL_IPV4)
    open4: tuple[IPv4Network, ...] = ()
    timeouts: Mapping[Timer, float] = field(default_factory=lambda: DEFAULT_TIMEOUTS)
    max_sessions: int = 131072

    def is_refused(self, address: IPv4Address) -> bool:
        refused = max((network.prefixlen for network in self.refused4 if address in network), default=-1)
        opened = max((network.prefixlen for network in self.open4 if address in network), default=-1)
        return refused > opened

    def addresses4(self) -> frozenset[IPv4Address]:
        """The NAT64's own IPv4 addresses: pool4 and the static entries'."""
        return frozenset({entry.address for entry in self.pool} | {binding.address4 for binding in self.static})

    def shares(self, address: IPv4Address) -> bool:
        """Whether the node itself uses the address too."""
        return any(entry.shared for entry in self.pool if entry.address == address)

    def reserves(self, address: IPv4Address, port: int) -> bool:
        """Whether pool4 has this transport address."""
        return any(entry.address == address and port in entry.ports for entry in self.pool)


class Nat64:
    """BIB, sessions and rules; `translate` is the whole of it. Times are seconds of one clock that does not go back."""

    def __init__(self, rules: Rules, settings: Settings, pick: Pick) -> None:
        self.tables = Tables(rules.static)
        self._rules = rules
        self._settings = settings
        self._pick = pick
        self._fragments6: FragmentMemory[Flow4] = FragmentMemory()
        self._fragments4: FragmentMemory[Flow6] = FragmentMemory()

    def translate(self, packet: bytes, now: float, arrival: Arrival = Arrival.FRESH) -> Result:
        """One packet of either family."""
        self.tables.expire(now)
        mapper = _Nat64Mapper(self._rules, self.tables, self._pick, self._fragments6, self._fragments4, now)
        match packet[0] >> 4 if packet else 0:
            case 4:
                return rfc7915.translate_4to6(packet, mapper, self._settings, arrival)
            case 6:
                result = rfc7915.translate_6to4(packet, mapper, self._settings, arrival)
                if isinstance(result, Translated) and IPv4Address(result.packet[16:20]) in self._rules.addresses4():
                    return self._hairpin(result, mapper)
                return result
        return Passed(packet, Reason.PASS_NOT_IP)

    def _hairpin(self, outward: Translated, mapper: _Nat64Mapper) -> Result:
        """RFC 6146 §3.8: the output is treated as if it had come in on the IPv4 side."""
        inward = rfc7915.translate_4to6(outward.packet, mapper, self._settings, Arrival.HAIRPIN)
        match inward:
            case Translated(packet):
                return Translated(packet, Reason.HAIRPINNED)
            case Passed(_, Reason.PASS_NOT_OURS):
                return outward  # for the node itself, which shares the address
            case Answered(packet, reason):
                # The answer is for an address of ours: it goes back the way that any ICMP error does.
                back = rfc7915.translate_4to6(packet, mapper, self._settings, Arrival.HAIRPIN)
                return Answered(back.packet, reason) if isinstance(back, Translated) else Dropped(reason)
        return inward


@dataclass(frozen=True, slots=True)
class _Nat64Mapper:
    rules: Rules
    tables: Tables
    pick: Pick
    fragments6: FragmentMemory[Flow4]
    fragments4: FragmentMemory[Flow6]
    now: float

    def admit_6to4(self, source: IPv6Address, destination: IPv6Address) -> None:
        """RFC 6146 §3.5, and what the file allows."""
        if any(source in pref64 for pref64 in self.rules.pref64):
            raise Refused(Reason.SOURCE_IN_PREF64)
        _, destination4 = self._remote(destination)
        if not any(source in allowed for allowed in self.rules.sources):
            raise Refused(Reason.SOURCE_NOT_ALLOWED, PROHIBITED6)
        if self.rules.is_refused(destination4):
            raise Refused(Reason.DESTINATION_REFUSED, PROHIBITED6)

    def admit_4to6(self, source: IPv4Address, destination: IPv4Address) -> None:
        if destination not in self.rules.addresses4():
            raise Refused(Reason.NOT_POOL4)

    def flow_6to4(self, flow: Flow6) -> Flow4:
        if flow.protocol not in (TCP, UDP, ICMP):
            raise Refused(Reason.UNKNOWN_PROTOCOL, PORT_UNREACHABLE6)
        if flow.part and flow.part.offset:
            first = self.fragments6.recall(flow, self.now)
            if first is None:
                raise Refused(Reason.FRAGMENT_NO_FIRST)
            return replace(first, part=flow.part)
        try:
            out = self._outgoing_6to4(flow)
        except Refused as refused:
            self.fragments6.remember(flow, refused.reason, self.now)
            raise
        self.fragments6.remember(flow, out, self.now)
        return out

    def flow_4to6(self, flow: Flow4) -> Flow6:
        if flow.protocol not in (TCP, UDP, ICMP):
            raise self._not_ours(flow.destination) or Refused(Reason.UNKNOWN_PROTOCOL, PROTOCOL_UNREACHABLE4)
        if flow.part and flow.part.offset:
            first = self.fragments4.recall(flow, self.now)
            if first is None:
                raise Refused(Reason.FRAGMENT_NO_FIRST)
            return replace(first, part=flow.part)
        try:
            out = self._outgoing_4to6(flow)
        except Refused as refused:
            self.fragments4.remember(flow, refused.reason, self.now)
            raise
        self.fragments4.remember(flow, out, self.now)
        return out

    def error_6to4(self, error: Error6) -> Error4:
        """The quoted packet went 4to6: its destination is the BIB entry's (RFC 6146 §3.6, roles swapped)."""
        quoted = error.quoted
        if any(error.source in pref64 for pref64 in self.rules.pref64):
            raise Refused(Reason.SOURCE_IN_PREF64)
        pref64, destination4 = self._remote(error.destination)
        self._has_tuple(quoted)
        remote4 = extract(self.rules.pref64[pref64], quoted.source)
        binding = self.tables.binding6(quoted.protocol, pref64, quoted.destination, quoted.destination_port)
        if remote4 is None or binding is None or not self._session(binding, remote4, quoted.source_port):
            raise Refused(Reason.NO_SESSION_ERROR)
        remote_port = binding.port4 if quoted.protocol == ICMP else quoted.source_port
        inner = Flow4(quoted.protocol, remote4, remote_port, binding.address4, binding.port4, part=quoted.part)
        return Error4(binding.address4, destination4, inner)

    def error_4to6(self, error: Error4) -> Error6:
        """The quoted packet went 6to4: its source is the BIB entry's. Any router on the way may be the error's."""
        quoted = error.quoted
        self.admit_4to6(error.source, error.destination)
        self._has_tuple(quoted)
        binding = self.tables.binding4(quoted.protocol, quoted.source, quoted.source_port)
        if binding is None or not self._session(binding, quoted.destination, quoted.destination_port):
            raise self._not_ours(error.destination) or Refused(Reason.NO_SESSION_ERROR)
        pref64 = self.rules.pref64[binding.pref64]
        remote_port = binding.port6 if quoted.protocol == ICMP else quoted.destination_port
        remote6 = embed(pref64, quoted.destination)
        inner = Flow6(quoted.protocol, binding.address6, binding.port6, remote6, remote_port, part=quoted.part)
        return Error6(embed(pref64, error.source), binding.address6, inner)

    def slow_4to6(self, flow: Flow4) -> None:
        self.fragments4.remember(flow, Reason.SLOW_FRAGMENTED_UDP0, self.now)

    def _outgoing_6to4(self, flow: Flow6) -> Flow4:
        """RFC 6146 §3.5.1 to §3.5.3, packets from the IPv6 side."""
        pref64, remote4 = self._remote(flow.destination)
        remote_port = 0 if flow.protocol == ICMP else flow.destination_port
        binding = self.tables.binding6(flow.protocol, pref64, flow.source, flow.source_port)
        session = self.tables.session(binding, remote4, remote_port) if binding else None
        state, timer = self._next(flow.protocol, session, event_6to4(flow.tcp_flags))
        if session is None and len(self.tables.sessions) >= self.rules.max_sessions:
            raise Refused(Reason.TABLE_FULL, ADDRESS_UNREACHABLE6)
        if binding is None:
            binding = self._bind(flow, pref64)
        self._store(binding, remote4, remote_port, session, state, timer)
        out_port = binding.port4 if flow.protocol == ICMP else flow.destination_port
        return Flow4(flow.protocol, binding.address4, binding.port4, remote4, out_port, flow.tcp_flags, flow.part)

    def _outgoing_4to6(self, flow: Flow4) -> Flow6:
        """The same, packets from the IPv4 side: only a BIB entry lets them in."""
        binding = self.tables.binding4(flow.protocol, flow.destination, flow.destination_port)
        if binding is None:
            raise self._not_ours(flow.destination, flow.destination_port) or self._no_bib(flow.protocol)
        remote_port = 0 if flow.protocol == ICMP else flow.source_port
        session = self.tables.session(binding, flow.source, remote_port)
        state, timer = self._next(flow.protocol, session, event_4to6(flow.tcp_flags))
        if session is None and len(self.tables.sessions) >= self.rules.max_sessions:
            raise Refused(Reason.TABLE_FULL, PROHIBITED4)
        self._store(binding, flow.source, remote_port, session, state, timer)
        remote6 = embed(self.rules.pref64[binding.pref64], flow.source)
        out_port = binding.port6 if flow.protocol == ICMP else flow.source_port
        return Flow6(flow.protocol, remote6, out_port, binding.address6, binding.port6, flow.tcp_flags, flow.part)

    def _next(self, protocol: int, session: Session | None, event: Event) -> tuple[State, Timer | None]:
        """The session's next state, and the timer that is set for it."""
        if protocol != TCP:
            return State.NO_STATE, Timer.UDP if protocol == UDP else Timer.ICMP
        transition = TABLE[session.state if session else State.CLOSED][event]
        if transition.state is State.CLOSED:
            raise Refused(Reason.NO_SESSION_TCP)
        return transition.state, transition.timer

    def _store(
        self,
        binding: Binding,
        remote4: IPv4Address,
        remote_port: int,
        session: Session | None,
        state: State,
        timer: Timer | None,
    ) -> None:
        deadline = session.deadline if session and timer is None else self.now
        if timer is not None:
            deadline = self.now + self.rules.timeouts[timer]
        self.tables.put(Session(binding, remote4, remote_port, state, deadline))

    def _bind(self, flow: Flow6, pref64: int) -> Binding:
        found = allocate(
            self.rules.pool,
            flow.protocol,
            flow.source_port,
            self.tables.address_of(flow.source),
            lambda address, port: self.tables.binding4(flow.protocol, address, port) is None,
            self.pick,
        )
        if found is None:
            raise Refused(Reason.POOL4_EXHAUSTED, ADDRESS_UNREACHABLE6)
        binding = Binding(flow.protocol, pref64, flow.source, flow.source_port, *found)
        self.tables.add(binding)
        return binding

    def _remote(self, destination: IPv6Address) -> tuple[int, IPv4Address]:
        """Which pref64 a destination is in, and the IPv4 address inside (RFC 6146 §3.5.4)."""
        for index, pref64 in enumerate(self.rules.pref64):
            address = extract(pref64, destination)
            if address is not None:
                return index, address
        raise Refused(Reason.NOT_PREF64)

    def _session(self, binding: Binding, remote4: IPv4Address, port: int) -> Session | None:
        return self.tables.session(binding, remote4, 0 if binding.protocol == ICMP else port)

    def _not_ours(self, address: IPv4Address, port: int | None = None) -> Refused | None:
        """On an address that the node shares, all that is not reserved for the NAT64 is the node's."""
        if not self.rules.shares(address) or (port is not None and self.rules.reserves(address, port)):
            return None
        return Refused(Reason.PASS_NOT_OURS)

    @staticmethod
    def _no_bib(protocol: int) -> Refused:
        """The answers of RFC 6146 §3.5.1 and §3.5.3; TCP is dropped in silence, as its §3.5.2.2 allows a policy to."""
        if protocol == UDP:
            return Refused(Reason.NO_BIB_UDP, PORT_UNREACHABLE4)
        if protocol == ICMP:
            return Refused(Reason.NO_BIB_ICMP, HOST_UNREACHABLE4)
        return Refused(Reason.NO_BIB_TCP)

    @staticmethod
    def _has_tuple(quoted: Flow4 | Flow6) -> None:
        """A quote that tells no ports cannot be assigned to a session (RFC 6146 §3.4)."""
        if quoted.protocol not in (TCP, UDP, ICMP):
            raise Refused(Reason.UNKNOWN_PROTOCOL)
        if quoted.part and quoted.part.offset:
            raise Refused(Reason.QUOTE_TOO_SHORT)
