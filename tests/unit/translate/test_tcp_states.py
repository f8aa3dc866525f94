# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Every (state, event) of RFC 6146 §3.5.2.2, written down here a second time from its text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from v6native.translate.tcp_states import TABLE, Event, State, Timer, event_4to6, event_6to4

ABI = Path(__file__).parents[3] / "bpf" / "abi.h"
EVENTS = ["V6_SYN", "V4_SYN", "V6_FIN", "V4_FIN", "V6_RST", "V4_RST", "V6_DATA", "V4_DATA", "TIMEOUT"]

# state: next state and timer for each event in EVENTS' order; "=" is the same state, "-" no timer.
RFC6146 = {
    "CLOSED": "V6_INIT/TRANS V4_INIT/TRANS =/- =/- =/- =/- =/- =/- CLOSED/-",
    "V4_INIT": "ESTABLISHED/EST =/- =/- =/- =/- =/- =/- =/- CLOSED/-",
    "V6_INIT": "=/TRANS ESTABLISHED/EST =/- =/- =/- =/- =/- =/- CLOSED/-",
    "ESTABLISHED": "=/EST =/EST V6_FIN_RCV/- V4_FIN_RCV/- TRANS/TRANS TRANS/TRANS =/EST =/EST TRANS/TRANS",
    "V4_FIN_RCV": "=/EST =/EST V4_FIN_V6_FIN_RCV/TRANS =/EST =/EST =/EST =/EST =/EST CLOSED/-",
    "V6_FIN_RCV": "=/EST =/EST =/EST V4_FIN_V6_FIN_RCV/TRANS =/EST =/EST =/EST =/EST CLOSED/-",
    "V4_FIN_V6_FIN_RCV": "=/- =/- =/- =/- =/- =/- =/- =/- CLOSED/-",
    "TRANS": (
        "ESTABLISHED/EST ESTABLISHED/EST ESTABLISHED/EST ESTABLISHED/EST =/- =/- "
        "ESTABLISHED/EST ESTABLISHED/EST CLOSED/-"
    ),
}
TIMERS = {"EST": Timer.TCP_EST, "TRANS": Timer.TCP_TRANS, "-": None}
ROWS = [(state, event, cell) for state, row in RFC6146.items() for event, cell in zip(EVENTS, row.split(), strict=True)]


@pytest.mark.parametrize(("state", "event", "cell"), ROWS)
def test_transition(state: str, event: str, cell: str) -> None:
    following, timer = cell.split("/")
    transition = TABLE[State[state]][Event[event]]
    assert transition.state is State[state if following == "=" else following]
    assert transition.timer is TIMERS[timer]


def test_the_table_is_total() -> None:
    assert set(TABLE) == set(State) - {State.NO_STATE}
    assert all(set(row) == set(Event) for row in TABLE.values())
    assert len(ROWS) == 8 * 9


@pytest.mark.parametrize(
    ("flags", "event"),
    [
        (0x02, "SYN"),
        (0x12, "SYN"),
        (0x01, "FIN"),
        (0x11, "FIN"),
        (0x04, "RST"),
        (0x14, "RST"),
        (0x06, "RST"),
        (0x07, "RST"),
        (0x03, "SYN"),
        (0x10, "DATA"),
        (0x00, "DATA"),
        (0x38, "DATA"),
    ],
)
def test_events(flags: int, event: str) -> None:
    assert event_6to4(flags) is Event[f"V6_{event}"]
    assert event_4to6(flags) is Event[f"V4_{event}"]


def test_numbers_are_the_data_planes() -> None:
    text = ABI.read_text()
    states = {name: int(number) for name, number in re.findall(r"\bSTATE_(\w+) = (\d+),", text)}
    timers = {name: int(number) for name, number in re.findall(r"\bTIMER_(\w+) = (\d+),", text)}
    del states["COUNT"], timers["COUNT"]
    assert states == {state.name: state.value for state in State}
    assert timers == {timer.name: timer.value for timer in Timer}
