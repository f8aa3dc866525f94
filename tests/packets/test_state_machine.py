# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""RFC 6146 §3.5.2.2 driven exhaustively: every (state, event) of the reference table against the live program.

The program is brought into each state by packets alone, under a clock that the test turns.
"""

from __future__ import annotations

import pytest

from tests.packets.build import tcp4, tcp6, udp4, udp6
from tests.packets.harness import Bench, nat64_settings
from v6native.config.model import Timeouts
from v6native.translate.tcp_states import TABLE, Event, State, Timer

TIMES = Timeouts(tcp_est=7440, tcp_trans=240, udp=300, icmp=60)
SECONDS = {Timer.TCP_EST: TIMES.tcp_est, Timer.TCP_TRANS: TIMES.tcp_trans}
FLAGS = {"SYN": "S", "FIN": "FA", "RST": "RA", "DATA": "A"}
# The packets that lead from CLOSED to each state.
WAY = {
    State.V6_INIT: [Event.V6_SYN],
    State.V4_INIT: [Event.V4_SYN],
    State.ESTABLISHED: [Event.V6_SYN, Event.V4_SYN],
    State.V4_FIN_RCV: [Event.V6_SYN, Event.V4_SYN, Event.V4_FIN],
    State.V6_FIN_RCV: [Event.V6_SYN, Event.V4_SYN, Event.V6_FIN],
    State.V4_FIN_V6_FIN_RCV: [Event.V6_SYN, Event.V4_SYN, Event.V6_FIN, Event.V4_FIN],
    State.TRANS: [Event.V6_SYN, Event.V4_SYN, Event.V6_RST],
}
# A session whose lifetime was renewed in the last half second keeps its deadline (REFRESH_SLACK in session.h).
SLACK = 1.0


class Connection:
    """One TCP connection through the bench; its BIB entry is made by another connection of the same socket."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        bench.configure(nat64_settings(timeout=TIMES))
        assert bench.nat64(tcp6(dport=9)).reason == "TRANSLATED_6TO4"
        self.port4 = bench.bib()[0].port4

    def send(self, event: Event) -> str:
        side, kind = event.name.split("_")
        if side == "V6":
            return self.bench.nat64(tcp6(FLAGS[kind])).reason
        return self.bench.nat64(tcp4(self.port4, FLAGS[kind])).reason

    def state(self) -> tuple[State, float]:
        """The state and the seconds left; CLOSED where there is no session."""
        for session in self.bench.sessions():
            if session.remote_port == 80:
                assert session.state is not None
                return State[session.state.name], session.seconds_left
        return State.CLOSED, 0.0


@pytest.mark.parametrize("event", [event for event in Event if event is not Event.TIMEOUT])
@pytest.mark.parametrize("state", list(WAY))
def test_packet_in_every_state(bench: Bench, state: State, event: Event) -> None:
    connection = Connection(bench)
    for step in WAY[state]:
        connection.send(step)
    assert connection.state()[0] is state
    bench.advance(100)
    before = connection.state()[1]

    reason = connection.send(event)

    assert reason == ("TRANSLATED_6TO4" if event.name.startswith("V6") else "TRANSLATED_4TO6")
    expected = TABLE[state][event]
    now, left = connection.state()
    assert now is expected.state
    if expected.timer is None:
        assert left == pytest.approx(before, abs=SLACK)
    else:
        assert left == pytest.approx(SECONDS[expected.timer], abs=SLACK)


@pytest.mark.parametrize("event", [event for event in Event if event is not Event.TIMEOUT])
def test_packet_without_session(bench: Bench, event: Event) -> None:
    """CLOSED: a SYN opens, "any other packet" of a bound socket is forwarded and changes nothing."""
    connection = Connection(bench)
    assert connection.send(event).startswith("TRANSLATED")
    assert connection.state()[0] is TABLE[State.CLOSED][event].state


@pytest.mark.parametrize("state", list(WAY))
def test_timeout_in_every_state(bench: Bench, state: State) -> None:
    connection = Connection(bench)
    for step in WAY[state]:
        connection.send(step)
    left = connection.state()[1]

    bench.advance(left - 5)
    bench.sweep()
    assert connection.state()[0] is state, "not before its time"
    bench.advance(6)
    bench.sweep()
    assert connection.state()[0] is TABLE[state][Event.TIMEOUT].state
    if state is State.ESTABLISHED:
        assert connection.state()[1] == pytest.approx(TIMES.tcp_trans - 1, abs=SLACK)


def test_an_expired_session_is_absent_before_the_sweep(bench: Bench) -> None:
    connection = Connection(bench)
    connection.send(Event.V6_SYN)
    bench.advance(TIMES.tcp_trans + 1)
    assert connection.send(Event.V6_DATA) == "TRANSLATED_6TO4"  # the BIB entry is still there, the session is not
    assert connection.send(Event.V4_SYN) == "TRANSLATED_4TO6"
    assert connection.state()[0] is State.V4_INIT, "a new session, not V6 INIT going on"


def test_bib_entry_goes_with_its_last_session(bench: Bench) -> None:
    connection = Connection(bench)
    connection.send(Event.V6_SYN)
    assert bench.bib()[0].sessions == 2
    bench.advance(TIMES.tcp_trans + 1)
    bench.sweep()
    assert (bench.sessions(), bench.bib()) == ([], [])
    assert (bench.plane.totals().sessions, bench.plane.totals().bib) == (0, 0)


@pytest.mark.parametrize("direction", ["6to4", "4to6"])
def test_udp_lifetime_is_renewed_from_either_side(bench: Bench, direction: str) -> None:
    bench.configure(nat64_settings(timeout=TIMES))
    bench.nat64(udp6())
    bench.advance(250)
    port4 = bench.bib()[0].port4
    bench.nat64(udp6() if direction == "6to4" else udp4(dport=port4))
    bench.advance(250)
    bench.sweep()
    assert len(bench.sessions()) == 1
    bench.advance(51)
    bench.sweep()
    assert bench.sessions() == []
