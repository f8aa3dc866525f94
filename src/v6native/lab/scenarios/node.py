# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""edge1 itself: all that is not to be translated stays as it was, and its own programs may use the NAT64 (group 3)."""

from __future__ import annotations

import json
from ipaddress import IPv6Network
from typing import Any

from v6native.lab import topology as t
from v6native.lab.node import Node
from v6native.lab.scenarios import client
from v6native.lab.scenarios.trial import Scenario, Trial, expect, expect_hops
from v6native.lab.wait import wait_until


def loopback(trial: Trial) -> str:
    for target in ("::1", "127.0.0.1"):
        trial.succeeds("edge1", "ping", "-n", "-c2", "-i0.2", "-W1", target)
    return "::1, 127.0.0.1"


def link_local(node: Node, interface: str) -> str:
    """The link-local address of a node's interface."""
    shown = json.loads(node.run("ip", "-j", "-6", "address", "show", "dev", interface, "scope", "link").out)
    return next(str(info["local"]) for entry in shown for info in entry.get("addr_info", ()) if "local" in info)


def neighbours(trial: Trial) -> str:
    for interface, node, theirs in (("br0", "phone", "eth0"), ("eth0", "r1", "edge")):
        address = link_local(trial.node(node), theirs)
        trial.succeeds("edge1", "ping", "-n", "-c2", "-i0.2", "-W1", f"{address}%{interface}")
        own = link_local(trial.node("edge1"), interface)
        trial.succeeds(node, "ping", "-n", "-c2", "-i0.2", "-W1", f"{own}%{theirs}")
    return "phone and r1, both ways"


def native_traceroutes(trial: Trial) -> str:
    """The same lists as before v6native ran (tests/lab compares them with the bare lab's)."""
    expect_hops(trial, "edge1", str(t.SERVER4), [t.R1_EDGE4, t.R2_CORE4, t.SERVER4])
    expect_hops(trial, "edge1", str(t.SERVER6), [t.R1_EDGE6, t.R2_CORE6, t.SERVER6], "-6")
    expect_hops(trial, "edge1", str(t.SERVER4), [t.R1_EDGE4, t.R2_CORE4, t.SERVER4], "-I")
    expect_hops(trial, "internet", str(t.EDGE4), [t.R2_SERVER4, t.R1_CORE4, t.EDGE4], "-I")
    expect_hops(trial, "internet", str(t.PHONE6), [t.R2_SERVER6, t.R1_CORE6, t.EDGE6, t.PHONE6], "-6")
    return "IPv4 and IPv6, both ways"


def native_web(trial: Trial) -> str:
    for url, seen in (
        (f"http://{t.SERVER4}", t.EDGE4),
        ("http://v6only.example", t.EDGE6),
        ("http://dual.example", t.EDGE6),
    ):
        found, _ = client.who(trial, "edge1", url)
        expect(found == str(seen), f"edge1: {url} saw {found} instead of {seen}")
    return f"{t.EDGE4}, {t.EDGE6}"


def own_nat64(trial: Trial) -> str:
    """The node's own programs through its own NAT64, which then is no hop."""
    found, server = client.who(trial, "edge1", f"http://[{trial.through(t.SERVER4)}]")
    expect(server == str(t.SERVER4), f"edge1 reached {server} instead of {t.SERVER4}")
    expect(client.translated(trial, found), f"the server saw {found}, which is not an address of the NAT64")
    client.ping(trial, "edge1", str(trial.through(t.SERVER4)))
    return found


def own_traceroute(trial: Trial) -> str:
    expected = [trial.through(address) for address in (t.R1_EDGE4, t.R2_CORE4, t.SERVER4)]
    return expect_hops(trial, "edge1", str(trial.through(t.SERVER4)), expected, "-6")


def inside(trial: Trial) -> str:
    """Clients reach each other and the node natively."""
    for node, target in (
        ("phone", t.LAPTOP6),
        ("laptop", t.PHONE6),
        ("laptop", t.EDGE_TUNNEL4),
        ("edge1", t.LAPTOP6),
        ("edge1", t.PHONE6),
    ):
        trial.succeeds(node, "ping", "-n", "-c2", "-i0.2", "-W1", str(target))
    return "phone, laptop, edge1"


def who_had(trial: Trial) -> str:
    """What a server saw of each client is enough to name it: a LAN's host by its prefix, a tunnel's client by its name."""
    edge1 = trial.node("edge1")
    named = []
    for node, client6 in (("phone", t.PHONE6), ("laptop", t.LAPTOP6)):
        url = f"http://[{trial.through(t.SERVER4)}]/who"
        address, port, *_ = trial.succeeds(node, "curl", "-sS", "-m10", url).out.split()
        where = f"{address}:{port}"

        def answer(where: str = where) -> list[dict[str, Any]]:
            done = edge1.run("v6native", "who-had", where, "--json", check=False)
            holders: list[dict[str, Any]] = json.loads(done.out).get("holders", [])
            return holders

        wait_until(lambda: bool(answer()), 5, f"nobody is said to have {where}, which {node} has")
        (holder,) = answer()
        expect(client6 in IPv6Network(holder["client"]), f"{where} is said to be {holder['client']}'s, not {client6}'s")
        named.append(" ".join([holder["client"], *(name["name"] for name in holder["names"])]))
    expect(named[1].endswith(" laptop"), f"the laptop is not named: {named[1]}")
    return ", ".join(named)


SCENARIOS = (
    Scenario("edge1-loopback", 3, "ping ::1 and 127.0.0.1", loopback),
    Scenario("edge1-neighbours", 3, "ping link-local neighbours", neighbours),
    Scenario("edge1-native-traceroutes", 3, "native traceroutes, unchanged", native_traceroutes),
    Scenario("edge1-native-web", 3, "native web", native_web),
    Scenario("edge1-own-nat64", 3, "own programs through the NAT64", own_nat64),
    Scenario("edge1-own-traceroute", 3, "own traceroute -6 through the NAT64", own_traceroute),
    Scenario("edge1-who-had", 3, "who-had names the clients", who_had),
    Scenario("edge1-inside", 3, "clients and node reach each other natively", inside),
)
BARE = (loopback, neighbours, native_traceroutes, native_web)
"""What must be the same without v6native."""
