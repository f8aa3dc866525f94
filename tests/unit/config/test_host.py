# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A file against machines: what is found, where it is said, and what is no problem at all."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, IPv6Network, ip_address

import pytest

from v6native.config.facts import DefaultRoute, ForwardDrop, HostFacts, InterfaceFacts, ListeningSocket, MasqueradeRule
from v6native.config.hostcheck import check_host
from v6native.config.model import PortRange, Proto
from v6native.config.problem import ConfigProblem, Severity

from .conftest import SMALL, Load, changed

ETH0 = InterfaceFacts("eth0", 1500, ipv4=(IPv4Interface("192.0.2.1/24"),), ipv6=(IPv6Interface("2001:db8:ffff::1/64"),))
BR0 = InterfaceFacts(
    "br0", 1500, kind="bridge", ipv4=(IPv4Interface("192.168.1.1/24"),), ipv6=(IPv6Interface("2001:db8:1::1/64"),)
)
GOOD = HostFacts(
    hostname="edge1",
    interfaces=(InterfaceFacts("lo", 65536, ipv4=(IPv4Interface("127.0.0.1/8"),)), ETH0, BR0),
    default_routes=(
        DefaultRoute(4, "eth0", IPv4Address("192.0.2.254")),
        DefaultRoute(6, "eth0", IPv6Address("fe80::1"), from_ra=True),
    ),
    sockets=(
        ListeningSocket(Proto.TCP, IPv6Address("::"), 22, "sshd", 700),
        ListeningSocket(Proto.UDP, IPv4Address("127.0.0.53"), 53, "systemd-resolve", 400),
        ListeningSocket(Proto.TCP, IPv4Address("127.0.0.1"), 45000, "postgres", 800),
        ListeningSocket(Proto.UDP, IPv4Address(0), 51820, ours=True),
    ),
    resolvers=(IPv4Address("127.0.0.53"),),
)


def sockets(*new: ListeningSocket) -> HostFacts:
    return replace(GOOD, sockets=(*GOOD.sockets, *new))


def listening(address: str, port: int, process: str | None = "dnsmasq", proto: Proto = Proto.UDP) -> ListeningSocket:
    return ListeningSocket(proto, ip_address(address), port, process, 99 if process else None)


def found(load_text: Load, facts: HostFacts, text: str = SMALL) -> list[ConfigProblem]:
    return check_host(load_text(text), "edge1", facts)


def test_a_usual_machine_is_fine(load_text: Load) -> None:
    assert found(load_text, GOOD) == []


BUSY = [
    # the socket, the key that is meant, the line's text
    (listening("0.0.0.0", 53), "node.edge1.lan[0]"),
    (listening("::", 53), "node.edge1.lan[0]"),
    (listening("2001:db8:1::1", 53), "node.edge1.lan[0]"),
    (listening("2001:db8:a::1", 53), "tunnel.friends.prefix"),
    (listening("100.64.0.1", 53), "tunnel.friends.clat4"),
]


@pytest.mark.parametrize(("socket", "key"), BUSY)
def test_port_53_is_held(load_text: Load, socket: ListeningSocket, key: str) -> None:
    (problem,) = found(load_text, sockets(socket))
    assert (problem.code, problem.key, problem.severity) == ("port-53", key, Severity.ERROR)
    assert "dnsmasq (process 99)" in problem.what
    assert problem.line is not None and key.rpartition(".")[2].partition("[")[0] in SMALL.split("\n")[problem.line - 1]


def test_one_problem_for_one_program(load_text: Load) -> None:
    both = sockets(listening("0.0.0.0", 53), listening("::", 53), listening("0.0.0.0", 53, proto=Proto.TCP))
    assert [p.code for p in found(load_text, both)] == ["port-53"]


def test_port_53_is_ours_or_not_wanted(load_text: Load) -> None:
    held = sockets(listening("::", 53))
    assert found(load_text, held, changed(more="[dns64]\nenabled = false\n")) == []
    assert found(load_text, sockets(replace(listening("::", 53), ours=True))) == []
    v6only = sockets(replace(listening("::", 53), v6only=True))
    assert found(load_text, v6only, changed(more='[dns64]\nlisten = ["192.168.1.1"]\n')) == []


LOOPS = [
    ("", ["192.168.1.1"], "/etc/resolv.conf names 192.168.1.1"),
    ("", ["127.0.0.53", "2001:db8:a::1"], "/etc/resolv.conf names 2001:db8:a::1"),
    ('[dns64]\nlisten = ["::"]\n', ["2001:db8:1::1"], "/etc/resolv.conf names 2001:db8:1::1"),
    ('[dns64]\nlisten = ["0.0.0.0"]\nupstream = ["192.168.1.1"]\n', [], "192.168.1.1 is our own listener"),
    ('[dns64]\nlisten = ["::"]\nupstream = ["2001:db8:a::1"]\n', [], "2001:db8:a::1 is our own listener"),
    ('[dns64]\nupstream = ["2001:db8:1::1"]\n', [], "2001:db8:1::1 is our own listener"),
]


@pytest.mark.parametrize(("more", "resolvers", "what"), LOOPS)
def test_a_resolver_that_is_ourselves(load_text: Load, more: str, resolvers: list[str], what: str) -> None:
    facts = replace(GOOD, sockets=(), resolvers=tuple(ip_address(r) for r in resolvers))
    (problem,) = found(load_text, facts, changed(more=more))
    assert (problem.code, problem.severity, problem.key) == ("loop", Severity.ERROR, "dns64.upstream")
    assert what in problem.what


def test_a_zones_resolver_that_is_ourselves(load_text: Load) -> None:
    zone = '[dns64]\nupstream = ["192.0.2.53"]\n[[dns64.zone]]\nname = "dn42"\nupstream = ["192.168.1.1"]\n'
    (problem,) = found(load_text, replace(GOOD, sockets=()), changed(more=zone))
    assert (problem.code, problem.key) == ("loop", "dns64.zone[0].upstream")


def test_a_resolver_of_the_machine_itself_is_not_us(load_text: Load) -> None:
    """We answer on the addresses that others reach, whatever wildcard the file has."""
    everywhere = changed(more='[dns64]\nlisten = ["::", "0.0.0.0"]\nupstream = ["::1", "127.0.0.1"]\n')
    resolver = sockets(listening("::1", 53, "unbound"), listening("127.0.0.1", 53, "unbound"))
    assert [p for p in found(load_text, resolver, everywhere) if p.code == "loop"] == []


def test_no_resolver_at_all(load_text: Load) -> None:
    assert [p.code for p in found(load_text, replace(GOOD, resolvers=()))] == ["no-upstream"]
    unbound = changed(more='[dns64]\nupstream = ["unbound"]\n')
    assert [(p.code, p.severity) for p in found(load_text, GOOD, unbound)] == [("no-upstream", Severity.WARNING)]
    assert found(load_text, sockets(listening("127.0.0.1", 53, "unbound")), unbound) == []


COLLISIONS = [
    (listening("0.0.0.0", 45000, "game", Proto.TCP), Severity.ERROR),
    (listening("192.0.2.1", 45000, "game", Proto.TCP), Severity.ERROR),
    (listening("::", 45000, None, Proto.TCP), Severity.ERROR),
    (listening("0.0.0.0", 45000, "ntpd"), Severity.WARNING),
]


@pytest.mark.parametrize(("socket", "severity"), COLLISIONS)
def test_a_program_in_the_shared_range(load_text: Load, socket: ListeningSocket, severity: Severity) -> None:
    (problem,) = found(load_text, sockets(socket))
    assert (problem.code, problem.key, problem.severity) == ("port-taken", "node.edge1.pool4", severity)
    assert (socket.process or "could not be named") in problem.what and "45000" in problem.what


@pytest.mark.parametrize("address", ["127.0.0.1", "192.168.1.1", "2001:db8:1::1"])
def test_a_program_elsewhere_does_not_collide(load_text: Load, address: str) -> None:
    assert found(load_text, sockets(listening(address, 45000, "game", Proto.TCP))) == []


def test_the_tunnels_port_is_held(load_text: Load) -> None:
    facts = replace(GOOD, sockets=(listening("0.0.0.0", 51820, "other-vpn"),))
    assert [(p.code, p.key) for p in found(load_text, facts)] == [("port-taken", "tunnel.friends.listen")]


def test_a_static_entry_takes_a_services_port(load_text: Load) -> None:
    text = changed(more='[[nat64.static]]\nproto = "tcp"\nipv4 = "uplink:22"\nipv6 = "[2001:db8:1::5]:22"\n')
    (problem,) = found(load_text, GOOD, text)
    assert (problem.key, problem.severity) == ("nat64.static[0].ipv4", Severity.WARNING)
    assert "sshd" in problem.what


@pytest.mark.parametrize("address", ["203.0.113.9", "uplink"])
def test_a_static_entry_elsewhere_takes_nothing(load_text: Load, address: str) -> None:
    entry = f'[[nat64.static]]\nproto = "tcp"\nipv4 = "{address}:22"\nipv6 = "[2001:db8:1::5]:22"\n'
    if address == "uplink":
        entry += 'node = "edge2"\n[node.edge2]\nuplink = "eth0"\n'
    text = changed(("[tunnel.friends]", '[tunnel.friends]\nnode = "edge1"'), more=entry)
    assert found(load_text, GOOD, text) == []


def test_interfaces_that_are_not_there(load_text: Load) -> None:
    (uplink,) = found(
        load_text,
        replace(GOOD, interfaces=(replace(ETH0, name="ens3"), BR0), default_routes=(DefaultRoute(6, "ens3", None),)),
        changed(('pool4 = ["uplink:40000-59999"]', 'pool4 = ["203.0.113.1"]')),
    )
    assert (uplink.code, uplink.severity, uplink.remedy) == ("no-interface", Severity.ERROR, 'did you mean "ens3"?')
    assert uplink.line == 7
    (lan,) = found(load_text, replace(GOOD, interfaces=(ETH0, replace(BR0, name="br00"))))
    assert (lan.severity, lan.remedy[:21]) == (Severity.WARNING, 'did you mean "br00"?;')


def test_an_uplink_that_is_yet_to_come(load_text: Load) -> None:
    """At boot, before the modem: nothing else leads to the internet."""
    facts = replace(GOOD, interfaces=(BR0,), default_routes=())
    assert [(p.code, p.severity) for p in found(load_text, facts)] == [
        ("no-interface", Severity.WARNING),
        ("no-ipv4", Severity.WARNING),
    ]


def test_addresses_that_others_have(load_text: Load) -> None:
    own = changed(("uplink:40000-59999", "192.0.2.0/30"))
    assert [(p.code, "shares the address" in p.remedy) for p in found(load_text, GOOD, own)] == [("own-address", True)]
    lan = replace(BR0, ipv6=(IPv6Interface("2001:db8:a::99/64"),))
    assert [p.code for p in found(load_text, replace(GOOD, interfaces=(ETH0, lan)))] == ["overlap"]
    cgn = replace(ETH0, ipv4=(IPv4Interface("100.64.9.9/24"),))
    assert [p.key for p in found(load_text, replace(GOOD, interfaces=(cgn, BR0)))] == ["tunnel.friends.clat4"]
    mine = InterfaceFacts("wg-friends", 1420, ours=True, ipv4=(IPv4Interface("100.64.0.1/16"),))
    assert found(load_text, replace(GOOD, interfaces=(ETH0, BR0, mine))) == []


def test_a_tunnel_inside_the_uplinks_prefix_is_proxied(load_text: Load) -> None:
    onlink = replace(ETH0, ipv6=(IPv6Interface("2001:db8:a::ffff/60"),))
    assert found(load_text, replace(GOOD, interfaces=(onlink, BR0))) == []
    same = replace(ETH0, ipv6=(IPv6Interface("2001:db8:a::ffff/64"),))
    assert [p.code for p in found(load_text, replace(GOOD, interfaces=(same, BR0)))] == ["overlap"]


def test_mtu(load_text: Load) -> None:
    pppoe = replace(ETH0, mtu=1492)
    (problem,) = found(load_text, replace(GOOD, interfaces=(pppoe, BR0)))
    assert (problem.code, problem.remedy) == ("mtu", "write mtu = 1412")
    small = replace(ETH0, mtu=1200)
    assert Severity.ERROR in {p.severity for p in found(load_text, replace(GOOD, interfaces=(small, BR0)))}


def test_the_firewall(load_text: Load) -> None:
    rule = MasqueradeRule("table ip nat chain postrouting", "eth0")
    (problem,) = found(load_text, replace(GOOD, masquerade=(rule,)))
    assert (problem.code, problem.severity) == ("masquerade", Severity.WARNING)
    assert "1024-39999" in problem.remedy
    kept_out = (replace(rule, ports=PortRange(1024, 39999)), replace(rule, interface="ppp0"))
    assert found(load_text, replace(GOOD, masquerade=kept_out)) == []
    drop = ForwardDrop("table ip filter chain FORWARD", "ip")
    assert [p.code for p in found(load_text, replace(GOOD, forward_drop=(drop,)))] == ["forward-drop"]


def test_no_ipv4_yet(load_text: Load) -> None:
    facts = replace(GOOD, interfaces=(replace(ETH0, ipv4=()), BR0), default_routes=GOOD.default_routes[1:])
    assert [(p.code, p.severity) for p in found(load_text, facts)] == [("no-ipv4", Severity.WARNING)]
    native = changed(("pool4", 'own_ipv4 = "native"\npool4'))
    assert "no-route" in [p.code for p in found(load_text, facts, native)]


def test_facts_choose() -> None:
    far = DefaultRoute(6, "eth1", None, metric=2048)
    assert replace(GOOD, default_routes=(far, *GOOD.default_routes)).default_route(6) == GOOD.default_routes[1]
    assert GOOD.ipv4_of("eth0") == IPv4Address("192.0.2.1")
    assert list(GOOD.onlink6("br0")) == [IPv6Network("2001:db8:1::/64")]
