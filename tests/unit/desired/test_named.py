# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The line that lets a source be translated, or closes a destination; and that both are what the translators are told."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from hypothesis import given

from tests.unit.system.networks import FACTS, configs, facts
from v6native.config.facts import HostFacts
from v6native.config.load import load
from v6native.config.model import Config
from v6native.desired import desired
from v6native.desired.named import destination_of, line, named_destinations, source_of
from v6native.desired.node import Here, look_at

FILE = """[network]
name = "lab"
prefix = ["2001:db8:64::/48"]
pref64 = "2001:db8:64:64::/96"

[node.edge1]
uplink = "eth0"
lan = ["lan0"]
pool4 = ["uplink:40000-59999"]

[nat64]
allow_ipv4 = ["10.0.0.0/8",
              "198.51.100.0/24"]
refuse_ipv4 = ["10.9.0.0/16"]

[tunnel.friends]
listen = 51820
prefix = "2001:db8:64:a::/64"
clat4 = "100.64.0.0/24"

[client.laptop]
tunnel = "friends"
public_key = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk="
address6 = "2001:db8:64:a::2"
address4 = "100.64.0.2"
"""


def here(folder: Path, text: str = FILE) -> Here:
    file = folder / "network.toml"
    file.write_text(text)
    return look_at(load(file, None), "edge1", FACTS)


def source(it: Here, address: str) -> str | None:
    named = source_of(it, IPv6Address(address))
    return named and f"{named.what}; {line(it.config, named.path) if named.path else '-'}"


def test_sources_have_their_line(tmp_path: Path) -> None:
    it = here(tmp_path)
    on_link = "on link at lan0, in the network's prefix; network.prefix[0] (network.toml:3)"
    assert source(it, "2001:db8:64:1::5") == on_link
    assert source(it, "2001:db8:64:1::1") == "an address of edge1 itself; -"
    assert source(it, "2001:db8:64:a::2") == "the client laptop; client.laptop (network.toml:21)"
    clat = it.clat96
    assert clat is not None
    behind = str(IPv6Address(int(clat.network_address) + int(IPv4Address("100.64.0.2"))))
    assert source(it, behind) == "the client laptop, by its IPv4 address 100.64.0.2; client.laptop (network.toml:21)"
    assert source(it, "2001:db8:9::1") is None
    named = here(tmp_path, FILE.replace("[nat64]", '[nat64]\nsources = ["2001:db8:5::/64", "2001:db8:6::/64"]'))
    assert source(named, "2001:db8:6::1") == "a source of the NAT64; nat64.sources[1] (network.toml:12)"


def test_destinations_have_their_line(tmp_path: Path) -> None:
    it = here(tmp_path)

    def told(address: str) -> tuple[bool, str, str | None] | None:
        named = destination_of(it, IPv4Address(address))
        return named and (named.open, named.what, line(it.config, named.path) if named.path else None)

    assert told("8.8.8.8") is None
    assert told("10.1.2.3") == (True, "opened by the file", "nat64.allow_ipv4[0] (network.toml:12)")
    assert told("198.51.100.80") == (True, "opened by the file", "nat64.allow_ipv4[1] (network.toml:13)")
    assert told("10.9.0.1") == (False, "closed by the file", "nat64.refuse_ipv4[0] (network.toml:14)")
    assert told("127.0.0.1") == (False, "loopback (RFC 6890)", None)
    assert told("192.0.2.1") == (True, "of this node's own pool", None)


@given(configs(), facts())
def test_destinations_are_those_that_the_nat64_is_told(config: Config, known: HostFacts) -> None:
    it = look_at(replace(config), "edge1", known)
    dataplane = desired(config, "edge1", known).dataplane
    if dataplane and dataplane.nat64:
        named = list(named_destinations(it))
        assert {d.network for d in named if not d.open} == set(dataplane.nat64.refused4)
        assert {d.network for d in named if d.open} == set(dataplane.nat64.open4)
        assert all(source_of(it, network.network_address) for network in dataplane.nat64.sources)
