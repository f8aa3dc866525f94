# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A node's own programs that know only IPv4: through its CLAT, to another node's NAT64 or to its own."""

from __future__ import annotations

import pytest

from tests.lab.typical.files import SERVER, house_toml
from tests.lab.typical.site import Site, eventually
from tests.lab.typical.topologies import PHONE_PREFIX6
from v6native.lab import topology as t

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

PHONE_FILE = f"""\
[network]
name = "house"
prefix = ["{PHONE_PREFIX6}"]
pref64 = "{t.PREF64}"

[node.phone]
uplink = "eth0"

[dns64]
enabled = false
"""
LITERAL = str(t.SERVER4)


def with_sources(text: str) -> str:
    return text.replace("[nat64]\n", f'[nat64]\nsources = ["{t.LAN6}", "{PHONE_PREFIX6}"]\n')


def loops(house: Site, node: str) -> int:
    return int(house.ask(node, "counters")["counters"]["LOOP"])


def test_by_another_nodes_nat64(house: Site) -> None:
    """phone has IPv6 only, and a CLAT for its own IPv4 (RFC 6877); edge1 is the PLAT."""
    house.up("edge1", with_sources(house_toml()))
    house.up("phone", PHONE_FILE)
    assert house.fetch("phone", f"{LITERAL}/who").split()[0] == str(t.EDGE4)
    assert house["phone"].run("ping", "-n", "-c1", "-W2", LITERAL).ok
    house.download("phone", LITERAL)
    # What it has always had, it still has.
    assert house.fetch("phone", f"{SERVER}/") == "the internet"
    assert house.fetch("phone", f"[{t.SERVER6}]/") == "the internet"
    assert loops(house, "phone") == loops(house, "edge1") == 0
    house.unchanged("phone")
    house.unchanged("edge1")


def test_by_its_own_nat64_as_the_file_says(house: Site) -> None:
    """own_ipv4 = "clat" on a node with native IPv4: what it opens itself leaves by a pool address."""
    house.up("edge1", house_toml(pool4="203.0.113.1", own_ipv4="clat"))
    edge1 = house["edge1"]
    assert house.fetch("edge1", f"{LITERAL}/who").split()[0] == "203.0.113.1"
    assert edge1.run("ping", "-n", "-c1", "-W2", LITERAL).ok
    house.download("edge1", LITERAL)
    # What is asked at its own address is answered from there, and its neighbours are reached directly.
    assert house.fetch("internet", f"{t.EDGE4}:8080/") == "edge1 itself"
    assert house.fetch("edge1", f"{t.EDGE4}:8080/") == "edge1 itself"
    assert edge1.run("ping", "-n", "-c1", "-W2", str(t.R1_EDGE4)).ok
    assert house.fetch("edge1", f"{LITERAL}/who", "--interface", str(t.EDGE4)).split()[0] == str(t.EDGE4)
    assert edge1.run("ping", "-n", "-c1", "-W2", "127.0.0.1").ok
    # Its ICMP errors about what it forwards have no source yet either, and are no traffic of its own.
    far = house["internet"].run("ping", "-n", "-c1", "-W2", "-t2", "203.0.113.1", check=False).out
    assert f"From {t.EDGE4}" in far and "Time to live exceeded" in far
    house.download("phone", SERVER)
    assert loops(house, "edge1") == 0
    house.unchanged("edge1")


def test_native_where_there_is_a_default_route(house: Site) -> None:
    """own_ipv4 = "auto": the CLAT takes over when the route goes, and gives back when it comes."""
    house.up("edge1", house_toml())
    edge1 = house["edge1"]
    assert house.fetch("edge1", f"{LITERAL}/who").split()[0] == str(t.EDGE4)
    edge1.run("ip", "route", "del", "default")
    try:
        own = ("ip", "-j", "-4", "route", "show", "default")
        eventually(lambda: '"dev":"clat"' in edge1.run(*own).out, "a default route into the CLAT")
    finally:
        edge1.run("ip", "route", "replace", "default", "via", str(t.R1_EDGE4))
    eventually(lambda: '"dev":"clat"' not in edge1.run(*own).out, "no default route into the CLAT")
    assert house.fetch("edge1", f"{LITERAL}/who").split()[0] == str(t.EDGE4)
    house.unchanged("edge1")
