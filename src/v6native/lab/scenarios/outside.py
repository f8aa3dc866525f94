# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the IPv4 internet can reach, what it cannot, and who may not use the translator (group 4)."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from ipaddress import IPv4Address

from v6native.lab import topology as t
from v6native.lab.edge import STATIC_PORT
from v6native.lab.scenarios import client
from v6native.lab.scenarios.trial import Scenario, Trial, expect, expect_hops, expect_mtr

FREE_PORT = "47311"
"""In every arrangement's pool4, and nobody's."""
STRANGER = "2001:db8:bad::5"
STRANGERS = "2001:db8:bad::/64"


def counter(trial: Trial, name: str) -> int:
    """One of v6native's counters on edge1."""
    said = json.loads(trial.succeeds("edge1", "v6native", "counters", "--json").out)
    return int(said["counters"][name])


def static_entry(trial: Trial) -> str:
    url = f"http://{trial.lab.arrangement.static4}:{STATIC_PORT}/"
    for node in ("internet", "r2"):
        page = trial.succeeds(node, "curl", "-sS", "-m10", url).out
        expect(page == "phone\n", f"{node}: {url} is answered {page!r} instead of by phone")
    return f"{url} is phone's"


def hairpin(trial: Trial) -> str:
    """A client reaches another client's static entry by its IPv4 address (RFC 6146 §3.8)."""
    mapped = trial.through(IPv4Address(trial.lab.arrangement.static4))
    for node, url in (
        ("phone", f"http://[{mapped}]:{STATIC_PORT}/"),
        ("laptop", f"http://{trial.lab.arrangement.static4}:{STATIC_PORT}/"),
    ):
        page = trial.succeeds(node, "curl", "-sS", "-m10", url).out
        expect(page == "phone\n", f"{node}: {url} is answered {page!r} instead of by phone")
    return "phone to itself, laptop to phone"


def hairpin_error(trial: Trial) -> str:
    """By its IPv4 address, to a port that nobody has: the answer comes back through the NAT64 too."""
    target = trial.lab.arrangement.static4
    for node, host in (("phone", str(trial.through(IPv4Address(target)))), ("laptop", target)):
        outcome = trial.program(node, "datagram", host, FREE_PORT, "40")
        expect(outcome == "ECONNREFUSED", f"{node}: UDP to {host} port {FREE_PORT}: {outcome} instead of ECONNREFUSED")
    return "phone and laptop are told"


@contextlib.contextmanager
def service(trial: Trial) -> Iterator[None]:
    """phone has the address of the explicit mapping too; as a deprecated one, so that it begins nothing from it."""
    phone, address = trial.node("phone"), f"{t.SERVICE6}/128"
    phone.run("ip", "address", "add", address, "dev", "eth0", "nodad", "preferred_lft", "0")
    try:
        yield
    finally:
        phone.run("ip", "address", "del", address, "dev", "eth0")


def mapped_service(trial: Trial) -> str:
    """RFC 7755: every port of an IPv6 host, by an IPv4 address of its own, without state."""
    url = f"http://{t.SERVICE4}/"
    with service(trial):
        sessions = trial.succeeds("edge1", "v6native", "sessions", "--json").out
        for node in ("internet", "r2"):
            page = trial.succeeds(node, "curl", "-sS", "-m10", url).out
            expect(page == "phone\n", f"{node}: {url} is answered {page!r} instead of by phone")
        trial.succeeds("internet", "ping", "-n", "-c3", "-i0.2", "-W2", str(t.SERVICE4))
        trial.succeeds("internet", "ping", "-n", "-c2", "-i0.2", "-W2", "-s3000", str(t.SERVICE4))
        outcome = trial.program("internet", "datagram", str(t.SERVICE4), FREE_PORT, "40")
        expect(outcome == "ECONNREFUSED", f"UDP to {t.SERVICE4} port {FREE_PORT}: {outcome} instead of ECONNREFUSED")
        after = trial.succeeds("edge1", "v6native", "sessions", "--json").out
        found = [s for s in json.loads(after) if s not in json.loads(sessions) and str(t.SERVICE6) in json.dumps(s)]
        expect(not found, f"the NAT64 has sessions of the stateless service: {found}")
    return f"{url} is phone's"


def trace(trial: Trial) -> str:
    """From the IPv4 internet to phone, as every hop's own address; on a shared address edge1 and phone have the same."""
    target = trial.lab.arrangement.static4
    expected = [t.R2_SERVER4, t.R1_CORE4, t.EDGE4, target]
    return expect_hops(trial, "internet", target, expected, "-T", "-p", str(STATIC_PORT))


def trace_mtr(trial: Trial) -> str:
    target = trial.lab.arrangement.static4
    # It stops at the first answer of its target, which is edge1 where the two share the address.
    expected = [t.R2_SERVER4, t.R1_CORE4, *dict.fromkeys((str(t.EDGE4), target))]
    return expect_mtr(trial, "internet", target, expected, "--tcp", "-P", str(STATIC_PORT))


def trace_service(trial: Trial) -> str:
    """UDP to closed ports, ICMP and TCP, all through the stateless translator."""
    expected = [t.R2_SERVER4, t.R1_CORE4, t.EDGE4, t.SERVICE4]
    with service(trial):
        for options in ((), ("-I",), ("-T", "-p", "80")):
            expect_hops(trial, "internet", str(t.SERVICE4), expected, *options)
        return expect_mtr(trial, "internet", str(t.SERVICE4), expected)


def unknown_udp(trial: Trial) -> str:
    """RFC 6146 §3.5.1.2: dropped, and Destination Unreachable may be sent."""
    target = trial.lab.arrangement.static4
    before = counter(trial, "NO_BIB_UDP")
    outcome = trial.program("internet", "datagram", target, FREE_PORT, "40")
    expect(
        outcome in ("ECONNREFUSED", "EHOSTUNREACH"), f"UDP to {target}:{FREE_PORT}: {outcome} instead of an ICMP error"
    )
    expect(counter(trial, "NO_BIB_UDP") > before, "the counter NO_BIB_UDP did not move")
    return outcome


def unknown_tcp(trial: Trial) -> str:
    """RFC 6146 §3.5.2.2: no reset; the SYN is kept 6 s for a simultaneous open, then "port unreachable" follows."""
    url = f"http://{trial.lab.arrangement.static4}:{FREE_PORT}/"
    before = counter(trial, "SYN_STORED")
    began = time.monotonic()
    done = trial.node("internet").run("curl", "-sS", "-m15", url, check=False)
    took = time.monotonic() - began
    expect(
        done.status == 7, f"TCP to {url}: curl ended with {done.status} instead of being refused ({done.err.strip()})"
    )
    expect(5 < took < 12, f"TCP to {url} was refused after {took:.1f} s, and not after 6")
    expect(counter(trial, "SYN_STORED") > before, "the counter SYN_STORED did not move")
    return f"refused after {took:.1f} s"


@contextlib.contextmanager
def stranger(trial: Trial) -> Iterator[None]:
    """phone has one more address, which edge1 routes, and which network.toml does not name."""
    phone, edge1 = trial.node("phone"), trial.node("edge1")
    phone.run("ip", "address", "add", f"{STRANGER}/128", "dev", "eth0")
    edge1.run("ip", "route", "add", STRANGERS, "via", str(t.PHONE6))
    try:
        yield
    finally:
        edge1.run("ip", "route", "del", STRANGERS)
        phone.run("ip", "address", "del", f"{STRANGER}/128", "dev", "eth0")


def not_allowed(trial: Trial) -> str:
    target = str(trial.through(t.SERVER4))
    before, echoes = counter(trial, "SOURCE_NOT_ALLOWED"), client.echoes(trial)
    with stranger(trial):
        done = trial.node("phone").run("ping", "-n", "-c2", "-i0.3", "-W1", "-I", STRANGER, target, check=False)
    expect(not done.ok, f"a source that no file names, {STRANGER}, is translated")
    expect("prohibited" in done.out, f"{STRANGER} is not told that it is refused: {' '.join(done.out.split())}")
    expect(client.echoes(trial) == echoes, f"packets of {STRANGER} reached the server")
    expect(counter(trial, "SOURCE_NOT_ALLOWED") > before, "the counter SOURCE_NOT_ALLOWED did not move")
    return "refused, told, counted"


def no_open_relay(trial: Trial) -> str:
    """The IPv6 internet may not use the NAT64, wherever its prefix is routed."""
    target, prefix = str(trial.through(t.SERVER4)), str(trial.lab.arrangement.pref64)
    internet, routers = trial.node("internet"), (("r1", t.EDGE6), ("r2", t.R1_CORE6))
    for router, via in routers:
        trial.node(router).run("ip", "route", "replace", prefix, "via", str(via))
    try:
        done = internet.run("ping", "-n", "-c2", "-i0.3", "-W1", target, check=False)
    finally:
        for router, via in routers:
            trial.node(router).run("ip", "route", "del", prefix, "via", str(via))
    expect(not done.ok, f"internet pings itself through edge1's NAT64 ({target})")
    expect("prohibited" in done.out, f"internet is not told that it is refused: {' '.join(done.out.split())}")
    return "refused"


def refused_destination(trial: Trial) -> str:
    """Private IPv4 space that the file does not open."""
    before = counter(trial, "DESTINATION_REFUSED")
    target = str(trial.through(IPv4Address("10.0.0.1")))
    done = trial.node("phone").run("ping", "-n", "-c2", "-i0.3", "-W1", target, check=False)
    expect("prohibited" in done.out, f"phone is not told that {target} is refused: {' '.join(done.out.split())}")
    expect(counter(trial, "DESTINATION_REFUSED") > before, "the counter DESTINATION_REFUSED did not move")
    return "refused, told, counted"


SCENARIOS = (
    Scenario("outside-static", 4, "an IPv4 host reaches phone's web server (static BIB)", static_entry),
    Scenario("outside-hairpin", 4, "clients reach it by its IPv4 address (hairpin)", hairpin),
    Scenario("outside-hairpin-error", 4, "clients are told that nobody is there (hairpin)", hairpin_error),
    Scenario("outside-service", 4, "a host with an explicit mapping (SIIT-DC)", mapped_service),
    Scenario("outside-traceroute", 4, "traceroute -T from outside to phone's web server", trace),
    Scenario("outside-mtr", 4, "mtr --tcp from outside to phone's web server", trace_mtr),
    Scenario("outside-service-traceroute", 4, "traceroute and mtr from outside to the mapped host", trace_service),
    Scenario("outside-unknown-udp", 4, "UDP to a port without BIB entry", unknown_udp),
    Scenario("outside-unknown-tcp", 4, "TCP to a port without BIB entry", unknown_tcp),
    Scenario("outside-not-allowed", 4, "a source that is not allowed", not_allowed),
    Scenario("outside-no-open-relay", 4, "the IPv6 internet is not allowed", no_open_relay),
    Scenario("outside-refused", 4, "non-global IPv4 destinations", refused_destination),
)
