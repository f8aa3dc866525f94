# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the looks at the gateways find becomes the file that the DNS64 reads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path
from typing import Any

import pytest

from tests.unit.daemon.rig import ETH0, FACTS, LAN0, Rig, rig
from v6native.address import embed
from v6native.config.model import Config, Health
from v6native.daemon.health import HealthKeeper

FIRST, SECOND = IPv6Network("2001:db8:64:64::/96"), IPv6Network("2001:db8:65:64::/96")
HOST = IPv4Address("198.51.100.1")


@pytest.fixture
def made(tmp_path: Path) -> Rig:
    return rig(tmp_path)


class Probe:
    """Answers for the prefixes in `works`."""

    def __init__(self) -> None:
        self.works = {FIRST, SECOND}
        self.asked: list[frozenset[IPv6Address]] = []

    def __call__(self, targets: Collection[IPv6Address], seconds: float) -> frozenset[IPv6Address]:
        self.asked.append(frozenset(targets))
        return frozenset(target for target in targets if any(target in prefix for prefix in self.works))


def told(made: Rig) -> dict[str, Any]:
    found = json.loads((made.paths.run / "health.json").read_text())["pref64"]
    assert isinstance(found, dict)
    return found


def configured(made: Rig, *probe: IPv4Address) -> Config:
    config = made.node.load()
    made.node.apply(config, lambda _text: None)
    return replace(config, network=replace(config.network, pref64=(FIRST, SECOND)), health=Health(probe))


def test_each_prefix_is_judged_by_itself(made: Rig) -> None:
    probe = Probe()
    config = configured(made, HOST)
    keeper = HealthKeeper(made.node, lambda: config, made.paths.run, probe)
    keeper.look(config)
    assert [one["healthy"] for one in told(made).values()] == [True, True]
    assert probe.asked[-1] == {embed(FIRST, HOST), embed(SECOND, HOST)}
    probe.works = {SECOND}
    for _ in range(3):
        keeper.look(config)
    assert told(made) == {
        str(FIRST): {"healthy": False, "why": "none of 198.51.100.1 answers through it"},
        str(SECOND): {"healthy": True, "why": ""},
    }
    assert [gateway.healthy for gateway in keeper.gateways] == [False, True]


def test_without_hosts_nobody_is_pinged(made: Rig) -> None:
    probe = Probe()
    config = configured(made)
    keeper = HealthKeeper(made.node, lambda: config, made.paths.run, probe)
    keeper.look(config)
    assert probe.asked == [] and [one["healthy"] for one in told(made).values()] == [True, True]


def test_what_the_node_itself_lacks_is_told_without_a_ping(made: Rig) -> None:
    probe = Probe()
    config = configured(made, HOST)
    for facts, why in (
        (replace(FACTS, default_routes=()), "the uplink eth0 has no IPv4 default route"),
        (replace(FACTS, interfaces=(replace(ETH0, up=False), LAN0)), "the uplink eth0 is down"),
        (replace(FACTS, interfaces=(LAN0,)), "the uplink eth0 is not there"),
    ):
        made.doors.machine.known = facts
        HealthKeeper(made.node, lambda: config, made.paths.run, probe).look(config)
        assert {one["why"] for one in told(made).values()} == {why}
    made.doors.machine.known = FACTS
    made.node.remove(lambda _text: None)
    HealthKeeper(made.node, lambda: config, made.paths.run, probe).look(config)
    assert {one["why"] for one in told(made).values()} == {"the data plane is not in place"}
    assert probe.asked == []


def test_the_nodes_own_state_is_read_now_and_then(made: Rig) -> None:
    """That reads all of the host; pings are cheap."""
    times = [0.0]
    probe = Probe()
    config = configured(made, HOST)
    keeper = HealthKeeper(made.node, lambda: config, made.paths.run, probe, clock=lambda: times[-1])
    keeper.look(config)
    made.doors.machine.known = replace(FACTS, interfaces=(LAN0,))
    for seconds in (5.0, 10.0, 29.0):
        times.append(seconds)
        keeper.look(config)
    assert len(probe.asked) == 4
    for seconds in (30.0, 35.0, 40.0):
        times.append(seconds)
        keeper.look(config)
    assert len(probe.asked) == 4, "what the node lacks is known without a ping"
    assert {one["why"] for one in told(made).values()} == {"the uplink eth0 is not there"}


def test_a_look_that_fails_ends_nothing(made: Rig) -> None:
    """Neither what the kernel refuses nor a bug: the next look comes."""
    config = configured(made, HOST)
    config = replace(config, health=Health((HOST,), 0))
    failures: list[Exception] = [OSError(1, "not permitted"), ValueError("a bug")]

    def probe(targets: Collection[IPv6Address], _seconds: float) -> frozenset[IPv6Address]:
        if failures:
            raise failures.pop()
        return frozenset(targets)

    keeper = HealthKeeper(made.node, lambda: config, made.paths.run, probe)

    async def until_known() -> None:
        task = asyncio.create_task(keeper.run())
        while not keeper.gateways:
            assert not task.done()
            await asyncio.sleep(0.01)
        await keeper.end()
        task.cancel()

    asyncio.run(asyncio.wait_for(until_known(), 10))
    assert [gateway.healthy for gateway in keeper.gateways] == [True, True]


def test_after_the_end_nothing_is_written(made: Rig) -> None:
    config = configured(made)
    keeper = HealthKeeper(made.node, lambda: config, made.paths.run, Probe())
    asyncio.run(keeper.end())
    keeper.look(config)
    assert not (made.paths.run / "health.json").exists()
