# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The TCP state machine of a stateful NAT64 as one table (RFC 6146 §3.5.2.2).

A V4 SYN without a BIB entry is no session yet: it is stored aside, so V4 INIT begins with TCP_TRANS here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from v6native.packet import FIN, RST, SYN


class State(Enum):
    """The numbers are those of enum tcp_state in bpf/abi.h."""

    CLOSED = 0
    V4_INIT = 1
    V6_INIT = 2
    ESTABLISHED = 3
    V4_FIN_RCV = 4
    V6_FIN_RCV = 5
    V4_FIN_V6_FIN_RCV = 6
    TRANS = 7
    NO_STATE = 8  # of UDP and ICMP sessions


class Event(Enum):
    V6_SYN = auto()
    V4_SYN = auto()
    V6_FIN = auto()
    V4_FIN = auto()
    V6_RST = auto()
    V4_RST = auto()
    V6_DATA = auto()
    V4_DATA = auto()
    TIMEOUT = auto()


class Timer(Enum):
    """The numbers are those of enum timer_kind in bpf/abi.h."""

    TCP_EST = 0
    TCP_TRANS = 1
    TCP_INCOMING_SYN = 2
    UDP = 3
    ICMP = 4


@dataclass(frozen=True, slots=True)
class Transition:
    """`timer` None leaves the lifetime as it runs."""

    state: State
    timer: Timer | None = None


def event_6to4(flags: int) -> Event:
    """The event that a TCP segment from the IPv6 side is; a reset counts whatever else the segment says."""
    if flags & RST:
        return Event.V6_RST
    if flags & SYN:
        return Event.V6_SYN
    return Event.V6_FIN if flags & FIN else Event.V6_DATA


def event_4to6(flags: int) -> Event:
    """The same for the IPv4 side."""
    if flags & RST:
        return Event.V4_RST
    if flags & SYN:
        return Event.V4_SYN
    return Event.V4_FIN if flags & FIN else Event.V4_DATA


_CLOSE = {Event.TIMEOUT: Transition(State.CLOSED)}


def _state(otherwise: Transition, rows: dict[Event, Transition]) -> dict[Event, Transition]:
    """A state's row for every event; what the RFC calls "any other packet" is `otherwise`."""
    return {event: (_CLOSE | rows).get(event, otherwise) for event in Event}


TABLE: dict[State, dict[Event, Transition]] = {
    State.CLOSED: _state(
        Transition(State.CLOSED),
        {
            Event.V6_SYN: Transition(State.V6_INIT, Timer.TCP_TRANS),
            Event.V4_SYN: Transition(State.V4_INIT, Timer.TCP_TRANS),
        },
    ),
    State.V4_INIT: _state(
        Transition(State.V4_INIT),
        {Event.V6_SYN: Transition(State.ESTABLISHED, Timer.TCP_EST)},
    ),
    State.V6_INIT: _state(
        Transition(State.V6_INIT),
        {
            Event.V4_SYN: Transition(State.ESTABLISHED, Timer.TCP_EST),
            Event.V6_SYN: Transition(State.V6_INIT, Timer.TCP_TRANS),
        },
    ),
    State.ESTABLISHED: _state(
        Transition(State.ESTABLISHED, Timer.TCP_EST),
        {
            Event.V4_FIN: Transition(State.V4_FIN_RCV),
            Event.V6_FIN: Transition(State.V6_FIN_RCV),
            Event.V4_RST: Transition(State.TRANS, Timer.TCP_TRANS),
            Event.V6_RST: Transition(State.TRANS, Timer.TCP_TRANS),
            Event.TIMEOUT: Transition(State.TRANS, Timer.TCP_TRANS),
        },
    ),
    State.V4_FIN_RCV: _state(
        Transition(State.V4_FIN_RCV, Timer.TCP_EST),
        {Event.V6_FIN: Transition(State.V4_FIN_V6_FIN_RCV, Timer.TCP_TRANS)},
    ),
    State.V6_FIN_RCV: _state(
        Transition(State.V6_FIN_RCV, Timer.TCP_EST),
        {Event.V4_FIN: Transition(State.V4_FIN_V6_FIN_RCV, Timer.TCP_TRANS)},
    ),
    State.V4_FIN_V6_FIN_RCV: _state(Transition(State.V4_FIN_V6_FIN_RCV), {}),
    State.TRANS: _state(
        Transition(State.ESTABLISHED, Timer.TCP_EST),
        {
            Event.V4_RST: Transition(State.TRANS),
            Event.V6_RST: Transition(State.TRANS),
        },
    ),
}
