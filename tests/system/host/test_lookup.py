# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Where the kernel would send a packet, asked by netlink in a namespace with every kind of route."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from pathlib import Path

import pytest

from tests.system.dataplane.bpffs import private_netns
from v6native.desired.state import RouteFound, RouteQuestion, Way
from v6native.system.lookup import route_to

pytestmark = pytest.mark.root

GATEWAY = IPv6Address("fe80::64")


@pytest.fixture
def machine() -> Iterator[None]:
    with private_netns(
        "link add name up0 type veth peer name in0",
        "link set up0 up",
        "link set in0 up",
        "address add 192.0.2.1/24 dev up0",
        "address add 2001:db8::1/64 dev up0 nodad",
        "route add default via 192.0.2.254",
        "route add 203.0.113.0/24 via inet6 fe80::64 dev in0 mtu 1480",
        "route add unreachable 198.51.100.0/24",
        "route add prohibit 198.51.101.0/24",
        "route add blackhole 198.18.0.0/16",
        "route add 203.0.113.0/24 dev up0 table 77",
        "rule add fwmark 0x40000000 lookup 77",
        "-6 route add 64:ff9b::/96 via fe80::64 dev in0 mtu 1400",
        "-6 route add unreachable 2001:db8:77::/48",
        "-6 route add prohibit 2001:db8:78::/48",
        "-6 route add blackhole 2001:db8:79::/48",
    ):
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        Path("/proc/sys/net/ipv6/conf/all/forwarding").write_text("1")
        yield


def ask(to: str, source: str | None = None, interface: str | None = None, mark: int = 0) -> RouteFound:
    return route_to(RouteQuestion(ip_address(source) if source else None, ip_address(to), interface, mark))


def test_unicast(machine: None) -> None:
    assert ask("203.0.113.5") == RouteFound(Way.UNICAST, "in0", GATEWAY, 254, 1480)
    assert ask("64:ff9b::1") == RouteFound(Way.UNICAST, "in0", GATEWAY, 254, 1400)
    assert ask("8.8.8.8") == RouteFound(Way.UNICAST, "up0", ip_address("192.0.2.254"), 254, 1500)
    assert ask("192.0.2.9") == RouteFound(Way.UNICAST, "up0", None, 254, 1500)


def test_the_mark_and_the_interface_count(machine: None) -> None:
    assert ask("203.0.113.5", mark=0x40000000) == RouteFound(Way.UNICAST, "up0", None, 77, 1500)
    assert ask("203.0.113.5", "192.0.2.77", "up0").interface == "in0"
    assert ask("8.8.8.8", "127.0.0.1", "up0").way is Way.BLACKHOLE
    assert ask("64:ff9b::1", "2001:db8::77", "up0").mtu == 1400
    assert ask("64:ff9b::1", "2001:db8::77", "nowhere").way is Way.NO_ROUTE


def test_other_ways(machine: None) -> None:
    assert ask("192.0.2.1").way is ask("2001:db8::1").way is Way.LOCAL
    assert ask("198.51.100.1").way is ask("2001:db8:77::1").way is Way.UNREACHABLE
    assert ask("198.51.101.1").way is ask("2001:db8:78::1").way is Way.PROHIBIT
    assert ask("198.18.0.1").way is ask("2001:db8:79::1").way is Way.BLACKHOLE
    assert ask("2001:db9::1").way is Way.NO_ROUTE
    assert ask("192.0.2.255").way is Way.BROADCAST
    assert ask("224.0.0.9").way is Way.MULTICAST
