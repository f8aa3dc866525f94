# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""When packets may pass by the host's stack, and what is told when they may not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from v6native.desired.dataplane import FastPair
from v6native.fastpath.facts import ETHERNET, NO_HEADER, Chain, Device, Foreign, Rule
from v6native.fastpath.judge import judge

OUT, BACK = FastPair("br0", "eth0", True), FastPair("eth0", "br0", False)
QUIET = Foreign(
    devices={"br0": Device(ETHERNET, ports=("lan0",)), "eth0": Device(ETHERNET)},
    qdiscs={"eth0": ("mq", "fq_codel"), "br0": ("noqueue",), "lan0": ("noqueue",)},
)
FORWARD = Chain("table inet filter chain forward", "forward")


def why(foreign: Foreign, pair: FastPair = OUT) -> tuple[str, ...]:
    (verdict,) = judge([pair], foreign)
    assert verdict.on is not bool(verdict.reasons)
    return verdict.reasons


def test_where_nobody_wants_to_see_it_the_fast_path_is_on() -> None:
    assert [v.on for v in judge([OUT, BACK], QUIET)] == [True, True]


def test_a_chain_without_rules_that_accepts_wants_nothing() -> None:
    assert why(replace(QUIET, chains=(FORWARD,))) == ()


def test_a_chain_that_drops_by_default_is_a_reason() -> None:
    assert why(replace(QUIET, chains=(replace(FORWARD, drops=True),))) == (
        "nftables table inet filter chain forward drops by default",
    )


@pytest.mark.parametrize(
    ("rule", "concerned"),
    [
        (Rule(), True),
        (Rule(iif=frozenset({"docker0"})), False),
        (Rule(oif=frozenset({"docker0"})), False),
        (Rule(iif=frozenset({"docker0", "br0"})), True),
        (Rule(oif=frozenset({"eth0"})), True),
        (Rule(iif=frozenset({"nat64-x"})), True),
        (Rule(oif=frozenset({"nat64"})), True),
        (Rule(iif=frozenset({"br0"}), oif=frozenset({"docker0"})), False),
    ],
)
def test_a_rule_counts_where_its_interfaces_are_the_packets(rule: Rule, concerned: bool) -> None:
    reasons = why(replace(QUIET, chains=(replace(FORWARD, rules=(rule,)),)))
    assert reasons == (("nftables table inet filter chain forward has rules (forward)",) if concerned else ())


@pytest.mark.parametrize(("device", "concerned"), [("eth0", True), ("lan0", True), ("docker0", False)])
def test_a_chain_of_an_interface_counts_there(device: str, concerned: bool) -> None:
    chain = Chain("table netdev x chain in", "ingress", rules=(Rule(),), devices=frozenset({device}))
    assert bool(why(replace(QUIET, chains=(chain,)))) is concerned


@pytest.mark.parametrize(
    ("foreign", "reason"),
    [
        (replace(QUIET, filters={"eth0": ("egress pref 1 u32",)}), "tc filter on eth0: egress pref 1 u32"),
        (replace(QUIET, filters={"lan0": ("ingress pref 1 bpf",)}), "tc filter on lan0: ingress pref 1 bpf"),
        (replace(QUIET, qdiscs={"eth0": ("htb", "fq_codel")}), "queueing discipline htb on eth0"),
        (replace(QUIET, rules=("99: from all lookup 9",)), "policy routing rule 99: from all lookup 9"),
        (replace(QUIET, policies=("1 FWD policies",)), "IPsec: 1 FWD policies"),
        (
            replace(QUIET, tables=("iptables table filter chain FORWARD has rules",)),
            "iptables-legacy: iptables table filter chain FORWARD has rules",
        ),
        (replace(QUIET, unread=("nftables cannot be read: no",)), "nftables cannot be read: no"),
    ],
)
def test_each_thing_of_the_operators_is_a_reason_for_both_directions(foreign: Foreign, reason: str) -> None:
    assert why(foreign, OUT) == why(foreign, BACK) == (reason,)


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        (None, "there is no interface eth0"),
        (Device(512), "eth0 is a kind of link that the fast path does not know (ARPHRD 512)"),
        (Device(ETHERNET, master="bond0"), "eth0 belongs to bond0: name bond0 in the file instead"),
        (Device(ETHERNET, merging=("eth0",)), "eth0 keeps merged packets as lists: `ethtool -K eth0 rx-gro-list off`"),
    ],
)
def test_links_that_it_cannot_use(device: Device | None, reason: str) -> None:
    devices = {"br0": QUIET.devices["br0"]} | ({"eth0": device} if device else {})
    assert why(replace(QUIET, devices=devices)) == (reason,)


def test_what_concerns_other_interfaces_is_no_reason() -> None:
    assert why(replace(QUIET, filters={"wlan0": ("ingress pref 1 bpf",)}, qdiscs={"wlan0": ("htb",)})) == ()


def test_where_connections_are_tracked_it_is_all_or_none() -> None:
    """Of the half behind the NAT64 nobody can tell whose packet it is."""
    iot = FastPair("br-iot", "eth0", True)
    devices = {**QUIET.devices, "br-iot": Device(ETHERNET)}
    partly = replace(QUIET, devices=devices, filters={"br-iot": ("ingress pref 1 bpf",)})
    assert [v.on for v in judge([OUT, BACK, iot], partly)] == [True, True, False]
    tracked = judge([OUT, BACK, iot], replace(partly, tracking=True))
    reason = "connections are tracked, for br-iot → eth0 too, which is off"
    assert [v.reasons for v in tracked] == [(reason,), (reason,), ("tc filter on br-iot: ingress pref 1 bpf",)]
    missing = judge([OUT, BACK, iot], replace(QUIET, tracking=True))
    assert [v.on for v in missing] == [True, True, False], "an interface that is not there has no packets"


def test_links_without_header_are_told() -> None:
    tunnel = replace(QUIET, devices={**QUIET.devices, "wg-friends": Device(NO_HEADER)})
    out, back = judge([FastPair("wg-friends", "eth0", True), FastPair("eth0", "wg-friends", False)], tunnel)
    assert (out.on, out.ingress_l3, out.egress_l3) == (True, True, False)
    assert (back.on, back.ingress_l3, back.egress_l3) == (True, False, True)
