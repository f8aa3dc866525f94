# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A node whose default route comes from router advertisements keeps it, although it becomes a router (RFC 4861 §6.2.7)."""

from __future__ import annotations

import pytest
from scapy.layers.inet6 import ICMPv6ND_RA, IPv6
from scapy.layers.l2 import Ether
from scapy.sendrecv import sendp

from tests.system.host.conftest import Machine
from v6native.desired import desired
from v6native.system.apply import bring, teardown
from v6native.system.processes import run, wait_until

pytestmark = pytest.mark.root


def _advertise() -> None:
    frame = Ether(src="02:00:00:00:00:fe", dst="33:33:00:00:00:01")
    sendp(
        frame / IPv6(src="fe80::fe", dst="ff02::1", hlim=255) / ICMPv6ND_RA(routerlifetime=1800),
        iface="r1-eth0",
        verbose=False,
    )


def _has_route() -> bool:
    return "via fe80::fe dev eth0 proto ra" in run(["ip", "-6", "route", "show", "default"])


def test_advertisements_go_on_being_heard(machine: Machine) -> None:
    run(["ip", "-6", "route", "flush", "default"])
    _advertise()
    assert wait_until(_has_route, 5)
    bring(machine.host, desired(machine.config, "edge1", machine.host.facts()))
    assert _has_route()
    run(["ip", "-6", "route", "flush", "default"])
    _advertise()
    assert wait_until(_has_route, 5), "a router with accept_ra 1 would not hear this one"
    teardown(machine.host)
    assert _has_route()
    assert run(["sysctl", "-n", "net.ipv6.conf.eth0.accept_ra"]).strip() == "1"


def test_an_uplink_that_gets_its_first_advertisement_later(machine: Machine) -> None:
    run(["ip", "-6", "route", "flush", "default"])
    bring(machine.host, desired(machine.config, "edge1", machine.host.facts()))
    _advertise()
    assert wait_until(_has_route, 5)
    # A router that falls silent for a while must not lose us: what was set stays set.
    run(["ip", "-6", "route", "flush", "default"])
    bring(machine.host, desired(machine.config, "edge1", machine.host.facts()))
    _advertise()
    assert wait_until(_has_route, 5)


def test_an_uplink_that_listens_to_none_goes_on_so(machine: Machine) -> None:
    run(["sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra=0"])
    bring(machine.host, desired(machine.config, "edge1", machine.host.facts()))
    assert run(["sysctl", "-n", "net.ipv6.conf.eth0.accept_ra"]).strip() == "0"
