# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What is read from a real machine: addresses, routes, sockets, and what its firewall means for forwarded packets."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest

from tests.system.host.conftest import Machine
from v6native.config.facts import DefaultRoute, ForwardDrop, MasqueradeRule
from v6native.config.model import PortRange, Proto
from v6native.desired import desired
from v6native.system.apply import bring
from v6native.system.processes import run

pytestmark = pytest.mark.root

RULES = """
table ip filter {
    chain FORWARD { type filter hook forward priority filter; policy drop; ct state invalid drop; }
    chain INPUT { type filter hook input priority filter; policy drop; accept; }
}
table ip nat {
    chain POSTROUTING {
        type nat hook postrouting priority srcnat;
        oifname "eth0" masquerade
        ip protocol tcp oifname "eth0" masquerade to :1024-65535
        oifname != "lo" masquerade
        oifname "eth0" meta l4proto icmp masquerade
        ip protocol icmp masquerade
    }
}
"""


def test_interfaces_and_default_routes(machine: Machine) -> None:
    facts = machine.host.facts()
    uplink = facts.interface("eth0")
    assert uplink is not None and uplink.up and uplink.mtu == 1500 and uplink.kind == "veth" and not uplink.ours
    assert facts.ipv4_of("eth0") == IPv4Address("192.0.2.1")
    assert [str(a) for a in uplink.ipv6] == ["2001:db8:64:ff::1/64"]
    assert facts.default_route(4) == DefaultRoute(4, "eth0", IPv4Address("192.0.2.254"))
    assert facts.default_route(6) == DefaultRoute(6, "eth0", IPv6Address("2001:db8:64:ff::fe"), 1024, from_ra=True)


def test_a_delegated_prefix(machine: Machine) -> None:
    run(["ip", "-6", "route", "add", "unreachable", "2001:db8:64::/56", "proto", "dhcp"])
    assert machine.host.facts().delegated == (IPv6Network("2001:db8:64::/56"),)


def test_own_default_route_is_no_fact(machine: Machine) -> None:
    """Else "own_ipv4 = auto" would take the CLAT, see a default route, drop the CLAT, and so on."""
    run(["ip", "route", "del", "default"])
    for _ in range(2):
        wanted = desired(machine.config, "edge1", machine.host.facts())
        assert any(r.table == 254 and r.destination.prefixlen == 0 for r in wanted.routes)
        bring(machine.host, wanted)
    assert machine.host.facts().default_route(4) is None


def test_who_listens(machine: Machine) -> None:
    with closing(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as udp, closing(socket.socket()) as tcp:
        udp.bind(("2001:db8:64:1::1", 53))
        tcp.bind(("192.0.2.1", 53))
        tcp.listen()
        found = {(s.proto, s.address): s for s in machine.host.facts().sockets if s.port == 53}
    mine = found[Proto.UDP, IPv6Address("2001:db8:64:1::1")]
    assert mine.pid == os.getpid() and mine.process is not None and not mine.ours
    assert found[Proto.TCP, IPv4Address("192.0.2.1")].pid == os.getpid()


def test_our_own_tunnel_is_ours(machine: Machine) -> None:
    bring(machine.host, desired(machine.config, "edge1", machine.host.facts()))
    facts = machine.host.facts()
    tunnel = [s for s in facts.sockets if s.port == 51820]
    assert tunnel and all(s.ours for s in tunnel)
    made = facts.interface(machine.interface)
    assert made is not None and made.ours


def test_the_firewall(machine: Machine) -> None:
    run(["nft", "-f", "-"], stdin=RULES)
    facts = machine.host.facts()
    assert facts.forward_drop == (ForwardDrop("table ip filter chain FORWARD", "ip"),)
    where = "table ip nat chain POSTROUTING"
    assert facts.masquerade == (
        MasqueradeRule(where, "eth0"),
        MasqueradeRule(where, "eth0", PortRange(1024, 65535)),
        MasqueradeRule(where, None),
    )
    assert facts.conntrack_max is not None and facts.conntrack_max > 0
