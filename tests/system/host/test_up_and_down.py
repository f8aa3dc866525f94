# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The promises of `up` and `down` on a real kernel: real interfaces, routes, rules, sysctls, nftables, WireGuard."""

from __future__ import annotations

import os
import random
from dataclasses import replace

import pytest

from tests.system.host.conftest import Machine, changes, dump
from tests.unit.system.networks import DEDICATED, NODE, ON_LINK, ONLINK_TUNNEL
from v6native.config.model import Config
from v6native.desired import Desired, desired
from v6native.errors import ApplyFailed
from v6native.plan import diff
from v6native.plan.actions import Action
from v6native.system import wireguard
from v6native.system.apply import bring, teardown
from v6native.system.linux import LinuxHost
from v6native.system.processes import run

pytestmark = pytest.mark.root
STEP = 2 if os.environ.get("V6NATIVE_COUNT") == "nightly" else 10


def _wanted(machine: Machine, config: Config | None = None) -> Desired:
    return desired(config or machine.config, "edge1", machine.host.facts())


def _remaining(machine: Machine, wanted: Desired) -> list[str]:
    return [str(action) for action in diff(wanted, machine.host.observe(wanted))]


def test_a_second_up_changes_nothing_and_down_restores_everything(machine: Machine) -> None:
    before = dump()
    bring(machine.host, _wanted(machine))
    # The facts are read again: what we made must not change what we want.
    assert _remaining(machine, _wanted(machine)) == []
    teardown(machine.host)
    assert changes(before, dump()) == []
    assert not machine.host.paths.saved_state.exists()


def test_what_the_kernel_then_does(machine: Machine) -> None:
    bring(machine.host, _wanted(machine))
    assert "via inet6 fe80::64 dev nat64" in run(["ip", "route", "show", "table", "6464"])
    assert "via fe80::64 dev nat64" in run(["ip", "route", "get", "2001:db8:64:64::c633:6450"])
    assert "mtu 1520" in run(["ip", "route", "get", "2001:db8:64:64::c633:6450"])
    steered = run(["ip", "route", "get", "192.0.2.1", "from", "198.51.100.80", "iif", "eth0", "mark", "0x40000000"])
    assert "dev nat64" in steered
    local = run(["ip", "route", "get", "192.0.2.1", "from", "198.51.100.80", "iif", "eth0"])
    assert local.startswith("local 192.0.2.1")
    literal = run(["ip", "route", "get", "198.51.100.80", "from", "100.64.0.2", "iif", machine.interface])
    assert "via inet6 fe80::64 dev clat" in literal
    local_rules = [line for line in run(["ip", "rule"]).splitlines() if "lookup local" in line]
    assert local_rules == ["100:\tfrom all lookup local proto 164"]
    assert "tx-udp-segmentation: off" in run(["ethtool", "-k", "nat64"])
    assert "tx-tcp-segmentation: on" in run(["ethtool", "-k", "nat64"])
    assert "fe80" not in run(["ip", "-6", "address", "show", "dev", "nat64-x"])
    assert machine.config.clients[0].public_key in run(["wg", "show", machine.interface])
    key = wireguard.key_file(machine.host.paths, machine.tunnel)
    assert key.stat().st_mode & 0o777 == 0o600


def test_there_and_back_again(machine: Machine) -> None:
    before = dump()
    dedicated = replace(NODE, pool4=(DEDICATED, ON_LINK))
    onlink = replace(ONLINK_TUNNEL, name=machine.tunnel)
    other = replace(machine.config, nodes=(dedicated,), tunnels=(onlink,), clients=())
    first = _wanted(machine)
    bring(machine.host, first)
    standing = dump()
    second = _wanted(machine, other)
    bring(machine.host, second)
    assert _remaining(machine, _wanted(machine, other)) == []
    assert "192.0.2.8 dev eth0 proxy" in run(["ip", "neigh", "show", "proxy"])
    bring(machine.host, first)
    assert changes(standing, dump()) == []
    teardown(machine.host)
    assert changes(before, dump()) == []


class _Dying(LinuxHost):
    """A host that is killed: before or after its `at`th action."""

    def __init__(self, host: LinuxHost, at: int, afterwards: bool) -> None:
        super().__init__(host.paths, host.dataplane)
        object.__setattr__(self, "countdown", at)
        object.__setattr__(self, "afterwards", afterwards)

    countdown: int
    afterwards: bool

    def perform(self, action: Action) -> None:
        object.__setattr__(self, "countdown", self.countdown - 1)
        if self.countdown < 0:
            if self.afterwards:
                super().perform(action)
            from v6native.errors import SystemActionError

            raise SystemActionError("killed here by this test")
        super().perform(action)


@pytest.mark.parametrize("afterwards", [False, True], ids=["before", "after"])
def test_killed_anywhere_it_converges(machine: Machine, afterwards: bool, rng: random.Random) -> None:
    """At every second action of the change; at the reduced count at every tenth, from a random one on."""
    before = dump()
    wanted = _wanted(machine)
    count = len(diff(wanted, machine.host.observe(wanted)))
    for at in range(rng.randrange(STEP), count, STEP):
        with pytest.raises(ApplyFailed):
            bring(_Dying(machine.host, at, afterwards), wanted)
        bring(machine.host, wanted)
        assert _remaining(machine, wanted) == []
        down = len(diff(Desired(), machine.host.observe(Desired())))
        with pytest.raises(ApplyFailed):
            teardown(_Dying(machine.host, at % down, afterwards))  # type: ignore[arg-type]
        teardown(machine.host)
        assert changes(before, dump()) == [], f"killed at {at}"
