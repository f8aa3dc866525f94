# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""As many sessions as there is room for, through a real node: who has one keeps it, who comes too late is told, and so is the operator."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import expiry, peers
from bench.chain import estate, received, stand
from bench.packets import Gateway, gateway, settled, up64
from bench.sessions import FLOWS_OF_A_CLIENT
from v6native.dataplane.door import Translator

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[3]
LATE = 1000


@pytest.fixture(scope="module", autouse=True)
def generator() -> None:
    subprocess.run(["make", "-s", "bench-objects"], cwd=ROOT, check=True, timeout=60)


@pytest.fixture(params=[4096, pytest.param(1_000_000, marks=pytest.mark.nightly)])
def full(request: pytest.FixtureRequest) -> Iterator[tuple[Gateway, int]]:
    """A node whose table has room for so many sessions, and that many opened."""
    with estate() as made:
        chain = peers.v6native(stand(made, "nat64"), sessions=request.param)
        with gateway(chain) as way:
            assert sent(way, 0, request.param, request.param) == request.param
            yield way, request.param


def sent(way: Gateway, first: int, count: int, all_flows: int) -> int:
    """How many packets of flows `first` to `first + count` arrive."""
    path = way.upward(up64(way.chain, way.lane, all_flows, FLOWS_OF_A_CLIENT, stride=1))
    path.generator.aim(path.pattern, first=first)
    before = settled(path.sink)
    path.generator.send(count)
    return settled(path.sink) - before


def test_who_has_a_session_keeps_it_and_who_comes_too_late_is_told(full: tuple[Gateway, int]) -> None:
    way, sessions = full
    plane = peers.plane(way.chain)
    assert plane.totals().sessions == sessions
    assert sent(way, 0, sessions, sessions) == sessions
    refused, told = plane.counters(Translator.NAT64)["TABLE_FULL"], received(way.chain.clients[0])
    assert sent(way, sessions, LATE, sessions + LATE) == 0
    assert plane.counters(Translator.NAT64)["TABLE_FULL"] == refused + LATE
    # Errors are limited in rate (RFC 4443 section 2.4): some, if not one each.
    assert received(way.chain.clients[0]) > told
    assert sent(way, 0, sessions, sessions) == sessions
    doctor = json.loads(way.chain.gateway.run("v6native", "doctor", "--json", check=False, timeout=60).out)
    assert "table_full" in {finding["code"] for finding in doctor["findings"]}
    status = json.loads(way.chain.gateway.run("v6native", "status", "--json", check=False, timeout=60).out)
    assert status["node"]["sessions"] == {"used": sessions, "size": sessions}


@pytest.mark.nightly
def test_a_million_sessions_end_and_a_ping_goes_on() -> None:
    """No gap over 20 ms. A machine that makes such gaps by itself, having other work, says nothing: it is asked again."""
    for _time in range(4):
        found = expiry.measure(print)
        assert found["sessions"] >= 1_000_000
        if found["longest_gap_ms_before"] <= 20:
            break
    assert found["longest_gap_ms"] <= 20, found
