# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A reload that takes an address out of pool4 drops no session on it: its packets find us until the last one ends."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Address

import pytest

from tests.unit.system.networks import DEDICATED, FACTS, LAB, NODE, ON_LINK, UPLINK
from v6native.config.model import Pool4Entry, Proto
from v6native.dataplane.door import BibEntry
from v6native.desired import Desired, desired
from v6native.desired.sysctls import RESERVED_PORTS
from v6native.plan import diff
from v6native.plan.actual import Actual, FoundLink, LinkKind
from v6native.system.apply import bring, teardown
from v6native.system.fake import FakeHost

PHONE = IPv6Address("2001:db8:64:1::5")


def _wanted(*pool: Pool4Entry) -> Desired:
    return desired(replace(LAB, nodes=(replace(NODE, pool4=pool),)), "edge1", FACTS)


def _host() -> FakeHost:
    links = {name: FoundLink(name, LinkKind.OTHER, 1500, up=True) for name in ("lo", "eth0", "lan0")}
    return FakeHost(state=Actual(links=links, sysctls={RESERVED_PORTS: ""}))


def _session_on(host: FakeHost, address: str) -> None:
    host.dataplane.dynamic.append(
        BibEntry(Proto.TCP, PHONE, 5000, IPv4Address(address), 50000, static=False, sessions=1, age=1.0)
    )


def _leads(host: FakeHost) -> set[str]:
    """What leads packets of pool addresses to us."""
    state = host.observe(Desired())
    routed = {f"route {r.destination}" for r in state.routes if r.device == "nat64" and r.table == 254}
    steered = {f"rule {r.destination}" for r in state.rules if r.priority == 62}
    proxied = {f"proxy {n.address}" for n in state.neighbours if n.mac is None}
    programs = {f"{a.program} {a.interface}" for a in state.attached if "steer" in a.program}
    return {thing for thing in routed | steered | proxied | programs if ":" not in thing}


@pytest.mark.parametrize(
    ("old", "address", "kept"),
    [
        (DEDICATED, "203.0.113.2", {"route 203.0.113.0/30"}),
        (ON_LINK, "192.0.2.9", {"route 192.0.2.8/31", "proxy 192.0.2.9"}),
        (UPLINK, "192.0.2.1", {"rule 192.0.2.1/32", "fast_steer eth0", "steer_lo lo"}),
    ],
    ids=["routed", "on-link", "shared"],
)
def test_what_leads_to_a_session_stays_as_long_as_it(old: Pool4Entry, address: str, kept: set[str]) -> None:
    other = Pool4Entry(replace(DEDICATED).network, DEDICATED.ports) if old is not DEDICATED else ON_LINK
    host = _host()
    bring(host, _wanted(old))
    before = _leads(host)
    _session_on(host, address)
    wanted = _wanted(other)
    bring(host, wanted)
    assert kept <= _leads(host)
    assert diff(wanted, host.observe(wanted)) == (), "what drains is no change to be made"
    host.dataplane.dynamic.clear()
    bring(host, wanted)
    fresh = _host()
    bring(fresh, wanted)
    assert _leads(host) == _leads(fresh) != before


def test_without_a_session_it_goes_at_once() -> None:
    host = _host()
    bring(host, _wanted(DEDICATED))
    _session_on(host, "192.0.2.1")
    bring(host, _wanted(UPLINK))
    assert not any("203.0.113" in thing for thing in _leads(host))


def test_an_address_lost_to_another_does_not_wait() -> None:
    """The provider gave the uplink another one: what is left of the old one goes at once, its sessions too."""
    host = _host()
    bring(host, _wanted(UPLINK))
    _session_on(host, "192.0.2.1")
    config = replace(LAB, nodes=(replace(NODE, pool4=(UPLINK,)),))
    uplink = replace(FACTS.interfaces[0], ipv4=(IPv4Interface("192.0.2.77/24"),))
    assert uplink.name == "eth0"
    wanted = desired(config, "edge1", replace(FACTS, interfaces=(uplink, *FACTS.interfaces[1:])))
    bring(host, wanted)
    assert {thing for thing in _leads(host) if thing.startswith("rule")} == {"rule 192.0.2.77/32"}
    assert diff(wanted, host.observe(wanted)) == ()


def test_down_waits_for_nobody() -> None:
    host = _host()
    bring(host, _wanted(DEDICATED, ON_LINK, UPLINK))
    _session_on(host, "203.0.113.2")
    teardown(host)
    assert _leads(host) == set()
