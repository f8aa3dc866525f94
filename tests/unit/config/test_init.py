# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The drafted file is about ten lines, is accepted by the loader, and says what the machine has."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, IPv6Network

from hypothesis import given
from hypothesis import strategies as st

from v6native.config.facts import DefaultRoute, HostFacts, InterfaceFacts
from v6native.config.hostcheck import check_host
from v6native.config.init import as_name, draft
from v6native.config.load import load
from v6native.config.model import Config, Pool4Entry, PortRange
from v6native.config.problem import Severity
from v6native.config.values import name_problem

from .conftest import Load
from .test_host import BR0, ETH0, GOOD

VM = HostFacts(
    hostname="vm17",
    interfaces=(
        InterfaceFacts(
            "ens3", 1500, ipv4=(IPv4Interface("192.0.2.17/24"),), ipv6=(IPv6Interface("2001:db8:17::2/64"),)
        ),
    ),
    default_routes=(DefaultRoute(4, "ens3", None), DefaultRoute(6, "ens3", IPv6Address("fe80::1"), from_ra=True)),
    resolvers=(IPv6Address("2001:db8::53"),),
)


def test_one_address_vm(load_text: Load) -> None:
    text = draft(VM, "vm17.example.net")
    config = load_text(text)
    assert len([line for line in text.split("\n") if line and not line.startswith("#")]) <= 10
    assert config.network.name == config.nodes[0].name == "vm17"
    assert config.network.prefix == (IPv6Network("2001:db8:17::/64"),)
    assert config.network.pref64 == (IPv6Network("64:ff9b::/96"),)
    assert config.nodes[0].uplink == "ens3" and config.nodes[0].lan == ()
    assert config.nodes[0].pool4 == (Pool4Entry(None, PortRange(40000, 59999)),)
    assert config.dns64.upstream == ()
    assert "from router advertisements" in text and "192.0.2.17" in text and "not detected" not in text
    assert check_host(config, "vm17", VM) == []


def test_router_with_delegated_prefix(load_text: Load) -> None:
    facts = replace(GOOD, delegated=(IPv6Network("2001:db8:0:ab00::/56"),))
    config = load_text(draft(facts, "router"))
    assert config.network.prefix == facts.delegated
    assert config.network.pref64 == (IPv6Network("2001:db8:0:ab64::/96"),)
    assert config.nodes[0].lan == ("br0",)
    assert check_host(config, "router", facts) == []


def test_a_prefix_that_is_lent_is_followed(load_text: Load) -> None:
    """A home's: the delegated prefix, and the LAN's address in it, have a lifetime."""
    lent = IPv6Interface("2001:db8:0:ab01::1/64")
    lan = replace(BR0, ipv6=(lent,), leased=frozenset({lent}))
    facts = replace(GOOD, interfaces=(ETH0, lan), delegated=(IPv6Network("2001:db8:0:ab00::/56"),))
    text = draft(facts, "home")
    config = load_text(text)
    assert (config.network.prefix, config.network.pref64) == ((), (IPv6Network("64:ff9b::/96"),))
    assert "2001:db8:0:ab01::/64 on br0 is lent" in text
    assert check_host(config, "home", facts) == []
    uplink = replace(VM.interfaces[0], leased=frozenset(VM.interfaces[0].ipv6))
    assert draft(replace(VM, interfaces=(uplink,)), "vm17") == draft(VM, "vm17"), "no LAN: the machine's own addresses"


def test_lans_prefixes_come_before_the_uplinks(load_text: Load) -> None:
    """What is on link at the uplink may be strangers', and would be allowed to use the NAT64."""
    assert load_text(draft(GOOD, "x")).network.prefix == (IPv6Network("2001:db8:1::/64"),)


def test_global_before_unique_local(load_text: Load) -> None:
    both = replace(BR0, ipv6=(IPv6Interface("fd00:1::1/64"), IPv6Interface("2001:db8:1::1/64")))
    only = replace(BR0, ipv6=(IPv6Interface("fd00:1::1/64"),))
    assert load_text(draft(replace(GOOD, interfaces=(ETH0, both)), "x")).network.prefix[0] == IPv6Network(
        "2001:db8:1::/64"
    )
    assert load_text(draft(replace(GOOD, interfaces=(ETH0, only)), "x")).network.prefix[0] == IPv6Network("fd00:1::/64")


def test_ports_of_bridges_tunnels_and_what_is_down_are_no_lans(load_text: Load) -> None:
    others = (
        replace(BR0, name="eth1", master="br0"),
        replace(BR0, name="wg0", kind="wireguard"),
        replace(BR0, name="br1", up=False),
        replace(BR0, name="nat64-x", ours=True),
    )
    assert load_text(draft(replace(GOOD, interfaces=(ETH0, BR0, *others)), "x")).nodes[0].lan == ("br0",)


def test_a_resolver_on_this_machine(load_text: Load) -> None:
    from .test_host import listening

    facts = replace(GOOD, resolvers=(IPv4Address("127.0.0.1"),), sockets=(listening("127.0.0.1", 53, "unbound"),))
    assert [str(u.address) for u in load_text(draft(facts, "x")).dns64.upstream] == ["127.0.0.1", "::1"]


def test_nothing_detected(load_text: Load) -> None:
    text = draft(HostFacts(), "localhost.localdomain")
    assert text.count("not detected") == 4
    assert load_text(text).nodes[0].uplink == "eth0"


prefixes = st.builds(
    lambda bits, length: IPv6Network((0x2 << 124 | bits << 64, length), strict=False),
    st.integers(0, 2**60 - 1),
    st.integers(3, 64),
)
addresses = st.builds(lambda p: IPv6Interface((int(p[0]) | 1, p.prefixlen)), prefixes)
interfaces = st.builds(
    InterfaceFacts,
    st.sampled_from(["eth0", "eth1", "br0", "wlan0"]),
    st.sampled_from([1280, 1492, 1500]),
    kind=st.sampled_from(["", "bridge", "wireguard"]),
    ipv4=st.lists(st.just(IPv4Interface("192.0.2.1/24")), max_size=1).map(tuple),
    ipv6=st.lists(addresses, max_size=3).map(tuple),
)
machines = st.builds(
    HostFacts,
    interfaces=st.lists(interfaces, max_size=4, unique_by=lambda i: i.name).map(tuple),
    default_routes=st.lists(
        st.builds(DefaultRoute, st.sampled_from([4, 6]), st.sampled_from(["eth0", "br0", "ppp0"]), st.none())
    ).map(tuple),
    delegated=st.lists(prefixes, max_size=2).map(tuple),
    resolvers=st.lists(st.sampled_from([IPv4Address("127.0.0.1"), IPv6Address("2001:db8::53")])).map(tuple),
)


@given(machines, st.text(max_size=80))
def test_every_draft_loads_and_its_file_alone_has_no_warning(facts: HostFacts, name: str) -> None:
    config = load_draft(draft(facts, name))
    assert config.warnings == ()
    assert name_problem(as_name(name), 63) is None
    assert not [p for p in check_host(config, as_name(name), facts) if p.code == "overlap" and "pref64" in p.what]
    assert all(p.severity in Severity for p in check_host(config, as_name(name), facts))


def load_draft(text: str) -> Config:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.toml"
        path.write_text(text)
        return load(path, None)
