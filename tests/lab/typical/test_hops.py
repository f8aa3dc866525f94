# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Who the IPv4 internet sees on the way to a server with IPv6 only, two IPv6 routers behind the node (RFC 6791, RFC 7755)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

import pytest

from tests.lab.typical import topologies
from tests.lab.typical.site import OPEN4, Site, site
from tests.lab.typical.topologies import DESK6, FLOOR6, HALL6, SHOP4, SHOP6
from v6native.lab import topology as t
from v6native.lab.scenarios.trial import HOP, MTR_HOP
from v6native.translate.verdict import Settings

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

POOL4 = "203.0.113.1"
LENT = IPv4Network("203.0.113.64/26")
UDP_PORT = "5000"


@pytest.fixture(scope="module")
def company() -> Iterator[Site]:
    with site(topologies.COMPANY) as made:
        yield made


@pytest.fixture(params=[None, LENT], ids=["one", "pool"])
def lent(request: pytest.FixtureRequest, company: Site) -> Iterator[IPv4Network | None]:
    """edge1 is up, with a pool for the routers' addresses or without."""
    company.up("edge1", toml(request.param))
    try:
        yield request.param
    finally:
        company.clear()


def toml(lent: IPv4Network | None) -> str:
    pool = f'icmp_pool4 = "{lent}"' if lent else ""
    return f"""\
[network]
name = "company"
prefix = ["{t.NETWORK6}"]
pref64 = "{t.PREF64}"

[node.edge1]
uplink = "eth0"
lan = ["lan0"]
pool4 = ["{POOL4}"]

[nat64]
sources = ["{t.NETWORK6}"]
allow_ipv4 = {OPEN4}
{pool}

[[nat64.static]]
proto = "tcp"
ipv4 = "{POOL4}:80"
ipv6 = "[{DESK6}]:80"
[[nat64.static]]
proto = "udp"
ipv4 = "{POOL4}:{UDP_PORT}"
ipv6 = "[{DESK6}]:{UDP_PORT}"

[clat]
{pool}
[[clat.eam]]
ipv4 = "{SHOP4}/32"
ipv6 = "{SHOP6}/128"
"""


def before(lent: IPv4Network | None, otherwise: IPv4Address) -> list[str]:
    """The hops up to the server: the provider's router and edge1 as they are, then what the IPv6 routers are lent."""
    settings = Settings(SHOP6, otherwise, icmp_pool4=lent)
    routers = [settings.lent4(router, otherwise) for router in (HALL6, FLOOR6)]
    assert (len(set(routers)) == 2) == bool(lent), "the two collide in this pool: choose another one"
    return [str(t.R2_SERVER4), str(t.EDGE4), *map(str, routers)]


def seen(company: Site, *options: str) -> list[str]:
    done = company["internet"].run("traceroute", "-n", "-q1", "-w2", "-m8", *options, timeout=60)
    return HOP.findall(done.out.partition("\n")[2])


def mtr(company: Site, *options: str) -> list[str]:
    done = company["internet"].run("mtr", "--report", "-n", "-c3", "-i0.5", *options, timeout=60)
    return [address for address, _lost in MTR_HOP.findall(done.out)]


def test_through_the_nat64(company: Site, lent: IPv4Network | None) -> None:
    """Without a pool they have the BIB entry's address (RFC 6146 §3.6.1), which is the server's too."""
    expected = [*before(lent, IPv4Address(POOL4)), POOL4]
    # Whoever answers with the target's address is the end for these programs.
    stops = expected[: expected.index(POOL4) + 1]
    assert seen(company, "-T", "-p", "80", POOL4) in (expected, stops)
    assert seen(company, "-U", "-p", UDP_PORT, POOL4) in (expected, stops)
    assert mtr(company, "--tcp", "-P", "80", POOL4) in (expected, stops)
    if lent:
        assert stops == expected and len(set(expected)) == 5


def test_through_the_stateless_translator(company: Site, lent: IPv4Network | None) -> None:
    """Their errors have their own source, so they come to the NAT64 first, which leaves them to the other translator."""
    node = company["edge1"].run("ip", "-4", "-br", "address", "show", "dev", "clat-x").out
    otherwise = re.search(r"192\.0\.0\.\d", node)
    assert otherwise
    expected = [*before(lent, IPv4Address(otherwise.group(0))), str(SHOP4)]
    for options in ((), ("-I",), ("-T", "-p", "80")):
        assert seen(company, *options, str(SHOP4)) == expected
    assert mtr(company, str(SHOP4)) == expected
    assert company.fetch("internet", str(SHOP4)) == "shop"
    counted = company.ask("edge1", "counters")["counters"]
    assert counted["PASS_NOT_OURS"] >= 8 and counted["NO_SESSION_ERROR"] == 0
