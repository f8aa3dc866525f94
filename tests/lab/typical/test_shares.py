# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Pools for some packets and limits of one client, with real connections through the node."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from tests.lab.typical.files import HOUSE, SERVER
from tests.lab.typical.site import Site, eventually
from v6native.lab import topology as t
from v6native.lab.programs.echo import LINES_PORT
from v6native.lab.scenarios.trial import PROGRAMS

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

SECOND = IPv4Address("192.0.2.77")
POOL = f"""
[[nat64.pool]]
pool4 = ["{SECOND}"]
{{}}
"""
MARKING = """
table ip6 operator {
    chain marking {
        type filter hook prerouting priority mangle; policy accept;
        ip6 saddr SOURCE tcp dport 80 meta mark set 0x25
    }
}
"""


def seen(house: Site) -> str:
    return house.fetch("phone", f"{SERVER}/who").split()[0]


def test_a_source_has_a_pool_of_its_own(house: Site) -> None:
    """On-link, so that the node answers ARP for it."""
    house.up("edge1", HOUSE + POOL.format(f'source = ["{t.PHONE6}/128"]'))
    assert seen(house) == str(SECOND)
    house.download("phone", SERVER, 4)
    house.unchanged("edge1")


def test_packets_with_a_mark_have_a_pool_of_their_own(house: Site) -> None:
    """The operator's firewall marks them, whatever their source."""
    edge1 = house["edge1"]
    house.up("edge1", HOUSE + POOL.format('mark = "0x25/0xff"'))
    assert seen(house) == str(t.EDGE4)
    edge1.run("nft", "-f", "-", stdin=MARKING.replace("SOURCE", str(t.PHONE6)))
    try:
        eventually(lambda: seen(house) == str(SECOND), "marked connections from the pool of their own")
        house.download("phone", SERVER, 4)
    finally:
        edge1.run("nft", "delete", "table", "ip6", "operator")
    eventually(lambda: seen(house) == str(t.EDGE4), "connections without a mark from the node's pool again")


def test_a_client_at_its_limit_is_told_and_goes_on_with_what_it_has(house: Site) -> None:
    house.up("edge1", HOUSE.replace("[nat64]\n", "[nat64]\nport_block = 16\nlimit = { ports = 32 }\n"))
    program = ("-m", f"{PROGRAMS}.lines", SERVER.strip("[]"), str(LINES_PORT))
    few = house["phone"].run("python3", *program, "20", "2", check=False)
    assert few.ok, few.err
    many = house["phone"].run("python3", *program, "60", "2", check=False)
    assert (not many.ok and "unreachable" in many.err.lower()) or "no route" in many.err.lower(), many.err
    counted = house.ask("edge1", "counters")["counters"]
    assert counted["CLIENT_PORTS"] > 0 and counted["POOL4_EXHAUSTED"] == 0
    findings = {finding["code"] for finding in house.ask("edge1", "doctor")["findings"]}
    assert "client_limit" in findings
