# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""One look does not make an outage, nor end one."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network

import pytest

from v6native.health.gateway import DOWN_AFTER, UP_AFTER, Gateway
from v6native.health.probe import answering

PREFIX = IPv6Network("2001:db8:64:64::/96")


def looked(gateway: Gateway, *troubles: str) -> list[bool]:
    found = []
    for trouble in troubles:
        gateway = gateway.after(trouble)
        found.append(gateway.healthy)
    return found


def test_the_first_look_counts_at_once() -> None:
    assert looked(Gateway(PREFIX), "no route") == [False]
    assert looked(Gateway(PREFIX), "") == [True]


def test_some_looks_in_vain_make_an_outage() -> None:
    assert looked(Gateway(PREFIX).after(""), *["silent"] * DOWN_AFTER) == [True] * (DOWN_AFTER - 1) + [False]
    assert looked(Gateway(PREFIX).after(""), "silent", "silent", "", "silent", "silent", "") == [True] * 6


def test_some_good_looks_end_it() -> None:
    down = Gateway(PREFIX).after("silent")
    assert looked(down, *[""] * UP_AFTER) == [False] * (UP_AFTER - 1) + [True]
    assert looked(down, "", "silent", "", "silent") == [False] * 4
    assert down.after("no route").why == "no route", "the last trouble is told"
    assert down.after("").after("").why == ""


def test_who_answers_a_ping() -> None:
    """Really asked, over loopback; the other address is on no way out."""
    loopback, nowhere = IPv6Address("::1"), IPv6Address("100::1")
    assert answering({loopback}, 2.0) == {loopback}
    assert answering((), 2.0) == frozenset()
    ticks = iter(range(100))
    assert answering({nowhere}, 0.5, clock=lambda: next(ticks)) == frozenset()


@pytest.mark.parametrize("seconds", [0.0])
def test_no_time_is_no_answer(seconds: float) -> None:
    assert answering({IPv6Address("::1")}, seconds) == frozenset()
