# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Networks and machines for tests: hypothesis strategies over the parts that make plans differ."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import Path

from hypothesis import strategies as st

from v6native.config.facts import DefaultRoute, HostFacts, InterfaceFacts
from v6native.config.model import (
    Clat,
    Client,
    Config,
    Eam,
    Nat64,
    Network,
    Node,
    OwnIPv4,
    Pool4Entry,
    PortRange,
    Tunnel,
)
from v6native.config.modeldns import (
    Dns64,
)
from v6native.plan.actual import Actual, FoundLink, LinkKind
from v6native.system.fake import FakeHost

NSP = IPv6Network("2001:db8:64:64::/96")
WKP = IPv6Network("64:ff9b::/96")
UPLINK = Pool4Entry(None, PortRange(40000, 59999))
DEDICATED = Pool4Entry(IPv4Network("203.0.113.0/30"), PortRange(1, 65535))
ON_LINK = Pool4Entry(IPv4Network("192.0.2.8/31"), PortRange(1024, 65535))

LAPTOP = Client("laptop", "friends", "k" * 43 + "=", IPv6Address("2001:db8:64:a::2"), IPv4Address("100.64.0.2"))
TABLET = Client("tablet", "friends", "t" * 43 + "=", IPv6Address("2001:db8:64:a::3"), None)
FRIENDS = Tunnel("friends", "edge1", 51820, IPv6Network("2001:db8:64:a::/64"), IPv4Network("100.64.0.0/16"))
ONLINK_TUNNEL = Tunnel("vm", "edge1", 51821, IPv6Network("2001:db8:64:ff::8000/113"), None, 1380)

NODE = Node("edge1", "eth0", ("lan0",), (UPLINK,))
LAB = Config(
    Path("network.toml"),
    Network("lab", (IPv6Network("2001:db8:64::/48"),), (NSP,)),
    (NODE,),
    Nat64(),
    Clat(),
    Dns64(),
    (FRIENDS,),
    (LAPTOP,),
)

ETH0 = InterfaceFacts(
    "eth0", 1500, ipv4=(IPv4Interface("192.0.2.1/24"),), ipv6=(IPv6Interface("2001:db8:64:ff::1/64"),)
)
LAN0 = InterfaceFacts("lan0", 1500, ipv6=(IPv6Interface("2001:db8:64:1::1/64"),))
FACTS = HostFacts(
    interfaces=(ETH0, LAN0),
    default_routes=(DefaultRoute(4, "eth0", IPv4Address("192.0.2.254")), DefaultRoute(6, "eth0", None, 1024, True)),
)


@st.composite
def configs(draw: st.DrawFn) -> Config:
    pool = draw(st.lists(st.sampled_from([UPLINK, DEDICATED, ON_LINK]), unique=True, max_size=3))
    tunnels = draw(st.lists(st.sampled_from([FRIENDS, ONLINK_TUNNEL]), unique=True))
    clients = draw(st.lists(st.sampled_from([LAPTOP, TABLET]), unique=True)) if FRIENDS in tunnels else []
    eam = (Eam(IPv4Network("198.51.100.8/32"), IPv6Network("2001:db8:64:1::8/128")),) if draw(st.booleans()) else ()
    return Config(
        LAB.path,
        Network("lab", LAB.network.prefix, draw(st.sampled_from([(NSP,), (NSP, WKP)]))),
        (replace(NODE, pool4=tuple(pool), own_ipv4=draw(st.sampled_from(OwnIPv4))),),
        Nat64(enabled=draw(st.booleans()), lowest_ipv6_mtu=draw(st.sampled_from([1280, 1400]))),
        Clat(eam=eam),
        Dns64(),
        tuple(tunnels),
        tuple(clients),
    )


@st.composite
def facts(draw: st.DrawFn) -> HostFacts:
    address = draw(st.sampled_from([(), ETH0.ipv4, (IPv4Interface("192.0.2.77/24"),)]))
    uplink = replace(ETH0, ipv4=address, mtu=draw(st.sampled_from([1500, 1492])))
    routes = draw(st.lists(st.sampled_from(FACTS.default_routes), unique=True))
    return HostFacts(interfaces=(uplink, LAN0), default_routes=tuple(routes))


@st.composite
def hosts(draw: st.DrawFn) -> FakeHost:
    """A machine that never saw v6native, a router or a host, with settings of its own."""
    flag = st.sampled_from(["0", "1"])
    forward4, forward6 = draw(flag), draw(flag)
    sysctls = {
        "net/ipv4/ip_forward": forward4,
        "net/ipv4/conf/all/accept_redirects": draw(flag),
        "net/ipv6/conf/all/forwarding": forward6,
        "net/ipv4/ip_local_reserved_ports": draw(st.sampled_from(["", "8080,9000-9010", "39999", "50000-60500"])),
    }
    for name in ("default", "eth0", "lan0"):
        sysctls[f"net/ipv4/conf/{name}/forwarding"] = draw(flag) if forward4 == "0" else "1"
        sysctls[f"net/ipv6/conf/{name}/forwarding"] = draw(flag) if forward6 == "0" else "1"
        sysctls[f"net/ipv6/conf/{name}/accept_ra"] = draw(st.sampled_from(["0", "1", "2"]))
        sysctls[f"net/ipv6/conf/{name}/proxy_ndp"] = draw(flag)
    links = {name: FoundLink(name, LinkKind.OTHER, 1500, up=True) for name in ("lo", "eth0", "lan0")}
    return FakeHost(state=Actual(links=links, sysctls=sysctls))
