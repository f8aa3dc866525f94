# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The lab's data: topology, zones, edge1's file, scenarios. Nothing here needs root."""

from __future__ import annotations

import tomllib
from ipaddress import IPv4Network, ip_address, ip_network
from pathlib import Path

import pytest

from v6native.errors import LabError
from v6native.lab import topology as t
from v6native.lab.edge import Arrangement, network_toml
from v6native.lab.names import HOSTS, SITES, zones
from v6native.lab.scenarios import SCENARIOS
from v6native.lab.scenarios.trial import GROUPS, HOP
from v6native.lab.wait import wait_until
from v6native.lab.wiring import port_commands

DOCUMENTATION = [
    *map(
        ip_network,
        ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15", "2001:db8::/32", "100.64.0.0/10"),
    )
]


def test_only_documentation_and_benchmark_prefixes() -> None:
    addresses = [a for cable in t.MAIN.cables for port in (cable.one, cable.other) for a in port.addresses]
    assert addresses
    for address in addresses:
        assert any(address.ip in network for network in DOCUMENTATION if network.version == address.version)


def test_ends_of_a_cable_share_their_networks_and_no_address_is_given_twice() -> None:
    seen = set()
    for cable in t.MAIN.cables:
        for port in (cable.one, cable.other):
            assert port.node in t.MAIN.nodes
            for address in port.addresses:
                assert address.ip not in seen
                seen.add(address.ip)
        networks = [{a.network for a in port.addresses} for port in (cable.one, cable.other)]
        assert networks[0] & networks[1]


def test_every_next_hop_is_on_link() -> None:
    for route in t.MAIN.routes:
        own = [a for port in t.MAIN.ports(route.node) for a in port.addresses]
        assert any(route.via in a.network and route.via != a.ip for a in own), route


def test_bridge_has_the_addresses() -> None:
    (lan,) = [port for port in t.MAIN.ports("edge1") if port.bridge]
    commands = port_commands(lan)
    assert "link add br0 type bridge forward_delay 0" in commands
    assert f"address add {t.EDGE_LAN6}/64 dev br0" in commands


def test_zones_have_every_site_and_pointer() -> None:
    text = zones()
    assert "v4only.example. 300 IN A 198.51.100.80\n" in text["example"]
    assert "v4only.example. 300 IN AAAA" not in text["example"]
    assert "v6only.example. 300 IN A " not in text["example"]
    for addresses in (*HOSTS.values(), *SITES.values()):
        for address in addresses:
            zone = "in-addr.arpa" if ip_address(address).version == 4 else "ip6.arpa"
            assert text[zone].count(f"{address.reverse_pointer}. 300 IN PTR") == 1


@pytest.mark.parametrize("arrangement", Arrangement)
def test_network_toml(arrangement: Arrangement) -> None:
    document = tomllib.loads(network_toml(arrangement))
    assert document["network"]["pref64"] == str(arrangement.pref64)
    opened = [IPv4Network(network) for network in document["nat64"]["allow_ipv4"]]
    assert any(t.SERVER4 in network for network in opened)
    assert document["node"]["edge1"]["pool4"] == list(arrangement.pool4)


def test_example_is_edge1s_file() -> None:
    example = Path(__file__).parents[3] / "examples" / "lab-edge1.toml"
    assert tomllib.loads(example.read_text()) == tomllib.loads(network_toml(Arrangement.SHARED))


def test_scenarios() -> None:
    keys = [scenario.key for scenario in SCENARIOS]
    assert len(keys) == len(set(keys))
    assert {scenario.group for scenario in SCENARIOS} == set(GROUPS)
    assert all(scenario.arrangements for scenario in SCENARIOS)


def test_hops_are_read_with_and_without_an_answer() -> None:
    printed = " 1  192.0.2.254  0.1 ms\n 2  *\n 3  2001:db8::1  0.3 ms !N\n"
    assert HOP.findall(printed) == ["192.0.2.254", "*", "2001:db8::1"]


def test_waiting_ends_with_the_condition_or_the_deadline() -> None:
    looks = iter([False, False, True])
    wait_until(lambda: next(looks), 5, "never")
    with pytest.raises(LabError, match="the door stays shut"):
        wait_until(lambda: False, 0.05, "the door stays shut")
