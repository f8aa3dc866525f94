# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Other pref64s than a /96 of one's own, other ingress than a bridge, and firewalls that are in the way."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Network

import pytest

from tests.lab.typical import topologies
from tests.lab.typical.files import HOUSE, SERVER, house_toml
from tests.lab.typical.site import Site, eventually, site
from v6native.address import embed
from v6native.lab import topology as t

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

DROP = """
table inet filter {
  chain forward { type filter hook forward priority 0; policy drop; ct state invalid drop; }
}
"""
ACCEPT = """
insert rule inet filter forward ct state established,related accept
insert rule inet filter forward iifname "nat64-x" accept
insert rule inet filter forward oifname "nat64" accept
"""
OFFLOADS = ("tso", "gso", "gro", "tx", "rx", "sg")


@pytest.mark.parametrize(
    "pref64",
    [
        "64:ff9b::/96",
        "2001:db8:64:6400::/56",
        "2001:db8:64:64::/64",
        pytest.param("2001:db8:ff64::/48", marks=pytest.mark.nightly),
        pytest.param("2001:db8:ff00::/40", marks=pytest.mark.nightly),
    ],
)
def test_pref64(house: Site, pref64: str) -> None:
    """By literal, and by name through the DNS64, which makes the same addresses (RFC 6052 §2.2)."""
    house.up("edge1", house_toml(pref64=pref64))
    mapped = embed(IPv6Network(pref64), t.SERVER4)
    assert house.fetch("phone", f"[{mapped}]/") == "the internet"
    dig = ("dig", "+short", "+time=2", "+tries=1", f"@{t.EDGE_LAN6}")
    assert house["phone"].run(*dig, "v4only.example", "AAAA").out.split() == [str(mapped)]
    assert house["phone"].run(*dig, "-x", str(mapped)).out.split()[-1] == "internet.example."
    house["phone"].path("/etc/resolv.conf").write_text(f"nameserver {t.EDGE_LAN6}\n")
    assert house.fetch("phone", "v4only.example/") == "the internet"
    house.download("phone", "v4only.example")
    house.unchanged("edge1")


@pytest.fixture(scope="module")
def bare_cable() -> Iterator[Site]:
    """The LAN is one cable, without a bridge."""
    with site(topologies.house(None)) as made:
        yield made


@pytest.mark.parametrize("lan", ["br0", "lan0"])
def test_a_download_with_offloads_on_and_off(request: pytest.FixtureRequest, lan: str) -> None:
    house: Site = request.getfixturevalue("house" if lan == "br0" else "bare_cable")
    house.up("edge1", house_toml(lan=lan))
    ends = (
        ("phone", "eth0"),
        ("edge1", "lan0"),
        ("edge1", "eth0"),
        ("r1", "edge"),
        ("r1", "server"),
        ("internet", "eth0"),
    )

    def turn(state: str) -> None:
        for node, interface in ends:
            house[node].run("ethtool", "-K", interface, *(word for name in OFFLOADS for word in (name, state)))

    try:
        for state in ("on", "off"):
            turn(state)
            house.download("phone", SERVER)
            house.download("internet", str(t.EDGE4), server="phone")
    finally:
        turn("on")
    house.clear()


def test_a_forward_policy_that_drops(house: Site) -> None:
    """The doctor names the chain and the rules that help; with those it works."""
    edge1 = house["edge1"]
    edge1.run("nft", "-f", "-", stdin=DROP)
    try:
        house.up("edge1", HOUSE)
        assert not house.fetches("phone", f"{SERVER}/")
        (finding,) = [f for f in house.ask("edge1", "doctor")["findings"] if f["code"] == "forward_drop"]
        assert "table inet filter chain forward" in finding["text"]
        for rule in ACCEPT.strip().splitlines():
            assert rule.removeprefix("insert rule inet filter forward ") in finding["remedy"]
        edge1.run("nft", "-f", "-", stdin=ACCEPT)
        assert house.fetch("phone", f"{SERVER}/") == "the internet"
        assert house.fetch("internet", f"{t.EDGE4}/") == "phone"
    finally:
        edge1.run("nft", "delete", "table", "inet", "filter")


def test_a_small_conntrack_table(house: Site) -> None:
    """nf_conntrack_max belongs to the whole machine, so the file is made to want more than it is."""
    house.up("edge1", HOUSE)
    sessions = int(house["edge1"].path("/proc/sys/net/netfilter/nf_conntrack_max").read_text()) // 2 + 1
    assert (
        house["edge1"]
        .path("/etc/v6native/network.toml")
        .write_text(HOUSE.replace("[nat64]\n", f"[nat64]\nsessions = {sessions}\n"))
    )
    assert house["edge1"].run("v6native", "reload", check=False).ok
    (finding,) = [f for f in house.ask("edge1", "doctor")["findings"] if f["code"] == "conntrack_small"]
    assert f"nf_conntrack_max={2 * sessions}" in finding["remedy"]
    eventually(lambda: house.fetch("phone", f"{SERVER}/") == "the internet", "translation after the reload")
