# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""One IPv4 address for node and NAT64, beside a usual firewall: `ct state invalid drop`, masquerade, own services (group 5).

The firewall of edge1 stands during all other scenarios too.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from ipaddress import IPv4Address

from v6native.lab import topology as t
from v6native.lab.edge import OWN_SERVICE_PORT
from v6native.lab.scenarios import client
from v6native.lab.scenarios.transfer import download, upload
from v6native.lab.scenarios.trial import SHARED, Scenario, Trial, expect

NOWHERE = IPv4Address("198.51.100.99")


def firewall(trial: Trial) -> str:
    """The rules are really there, and a translated download passes them."""
    rules = trial.succeeds("edge1", "nft", "list", "ruleset").out
    for rule in ("ct state invalid drop", "masquerade", "policy drop"):
        expect(rule in rules, f"edge1's firewall has no `{rule}`")
    return download(trial, "phone", client.V4ONLY, 16)


def own_service_outside(trial: Trial) -> str:
    page = trial.succeeds("internet", "curl", "-sS", "-m10", f"http://{t.EDGE4}:{OWN_SERVICE_PORT}/").out
    expect(page == "edge1 itself\n", f"{t.EDGE4}:{OWN_SERVICE_PORT} answers {page!r}")
    trial.succeeds("internet", "ping", "-n", "-c2", "-i0.2", "-W1", str(t.EDGE4))
    return "web and ping"


def own_service_inside(trial: Trial) -> str:
    """A client reaches the node's own service by the address that it shares, by pref64 and by literal."""
    mapped = trial.through(t.EDGE4)
    for node, url in (
        ("phone", f"http://[{mapped}]"),
        ("laptop", f"http://[{mapped}]"),
        ("laptop", f"http://{t.EDGE4}"),
    ):
        page = trial.succeeds(node, "curl", "-sS", "-m10", f"{url}:{OWN_SERVICE_PORT}/").out
        expect(page == "edge1 itself\n", f"{node}: {url}:{OWN_SERVICE_PORT} answers {page!r}")
    return "phone by pref64, laptop by both"


def masquerade(trial: Trial) -> str:
    """The node's own connections get ports outside the NAT64's range."""
    expect(
        client.who(trial, "edge1", f"http://{t.SERVER4}")[0] == str(t.EDGE4), "edge1's own web is not from its address"
    )
    script = f"for i in $(seq 40); do curl -sS -m5 http://{t.SERVER4}/who; done"
    ports = [
        int(line.split()[1]) for line in trial.succeeds("edge1", "bash", "-c", script, timeout=60).out.splitlines()
    ]
    # The tunnel's port is not the NAT64's: over TCP it is anybody's.
    taken = [port for port in ports if 40000 <= port <= 59999 and port != t.WIREGUARD_PORT]
    expect(not taken, f"edge1's own connections left from ports of the NAT64's range: {taken}")
    return f"{len(ports)} connections"


@contextlib.contextmanager
def route(trial: Trial, *route: str) -> Iterator[None]:
    """One more IPv4 route on edge1."""
    edge1 = trial.node("edge1")
    edge1.run("ip", "-4", "route", "add", *route)
    try:
        yield
    finally:
        edge1.run("ip", "-4", "route", "del", *route)
        for node in trial.lab.nodes.values():
            node.run("ip", "-6", "route", "flush", "cache")
            node.run("ip", "-4", "route", "flush", "cache")


def own_unreachable(trial: Trial) -> str:
    """edge1's kernel says "unreachable" about a translated packet, to itself: the client must hear it."""
    mapped = str(trial.through(NOWHERE))
    with route(trial, "unreachable", f"{NOWHERE}/32"):
        for node, target in (("phone", mapped), ("laptop", mapped), ("laptop", str(NOWHERE))):
            # One each: the kernel sends five in a row to one address, and all translated packets have the same.
            done = trial.node(node).run("ping", "-n", "-c1", "-W2", target, check=False)
            expect(
                "nreachable" in done.out, f"{node}: ping {target} is not told anything: {' '.join(done.out.split())}"
            )
    return "phone by pref64, laptop by both"


def own_too_big(trial: Trial) -> str:
    """edge1's kernel says "fragmentation needed" about translated packets: uploads find the path MTU."""
    with route(trial, f"{t.SERVER4}/32", "via", str(t.R1_EDGE4), "mtu", "lock", "1300"):
        phone = upload(trial, "phone", client.V4ONLY, 8)
        upload(trial, "laptop", str(t.SERVER4), 8)
    return f"phone {phone}"


def reserved(trial: Trial) -> str:
    """All of the range but WireGuard's port, which lies in it and is the node's own."""
    ports = trial.node("edge1").run("sysctl", "-n", "net.ipv4.ip_local_reserved_ports").out.strip()
    expect(ports == "40000-51819,51821-59999", f"ip_local_reserved_ports is {ports!r}")
    rules = json.loads(trial.node("edge1").run("ip", "-j", "rule").out)
    first = min(rules, key=lambda rule: int(rule["priority"]))
    expect(first.get("table") != "local", "the local rule still comes before the NAT64's")
    return ports


SCENARIOS = tuple(
    Scenario(f"shared-{key}", 5, title, play, SHARED)
    for key, title, play in (
        ("firewall", "a download through the usual firewall", firewall),
        ("reserved", "the port range is reserved", reserved),
        ("own-service-outside", "the node's own service, from outside", own_service_outside),
        ("own-service-inside", "the node's own service, by clients", own_service_inside),
        ("masquerade", "own connections leave the range alone", masquerade),
        ("own-unreachable", "the node's own unreachable reaches the client", own_unreachable),
        ("own-too-big", "the node's own fragmentation needed", own_too_big),
    )
)
