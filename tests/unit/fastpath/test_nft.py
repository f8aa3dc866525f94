# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Foreign chains in a rule set as `nft -j` tells it (nftables 1.0.6)."""

from __future__ import annotations

from typing import Any

from v6native.fastpath.facts import Chain, Rule
from v6native.fastpath.nft import chains, tracks


def chain(
    name: str, hook: str | None = "forward", family: str = "inet", table: str = "filter", **more: Any
) -> dict[str, Any]:
    hooked = {"type": "filter", "hook": hook, "prio": 0, "policy": "accept"} if hook else {}
    return {"chain": {"family": family, "table": table, "name": name, **hooked, **more}}


def rule(of: str, *expr: dict[str, Any], family: str = "inet", table: str = "filter") -> dict[str, Any]:
    return {"rule": {"family": family, "table": table, "chain": of, "expr": [*expr]}}


def match(key: str, right: Any, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": {"meta": {"key": key}}, "right": right}}


def only(*objects: dict[str, Any]) -> Chain:
    (found,) = chains([{"metainfo": {}}, {"table": {"family": "inet", "name": "filter"}}, *objects])
    return found


def test_a_base_chain_with_its_policy_and_rules() -> None:
    found = only(
        chain("f", policy="drop"), chain("sub", hook=None), rule("f", {"jump": {"target": "sub"}}), rule("sub")
    )
    assert found == Chain("table inet filter chain f", "forward", True, (Rule(),))


def test_ours_and_those_that_forwarded_packets_do_not_pass_are_left_out() -> None:
    assert not list(
        chains(
            [
                chain("forged", "prerouting", table="v6native"),
                rule("forged", {"drop": None}, table="v6native"),
                chain("i", "input"),
                chain("b", "forward", family="bridge"),
                chain("a", "input", family="arp"),
            ]
        )
    )


def test_of_the_nodes_own_packets_only_what_asks_for_connections_counts() -> None:
    asks = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "invalid"}}
    other = {"match": {"op": "==", "left": {"payload": {"field": "dport"}}, "right": 25}}
    chains_ = [chain("o", "output", policy="drop"), rule("o", other, {"drop": None}), rule("o", asks, {"drop": None})]
    assert only(*chains_) == Chain("table inet filter chain o", "output", False, (Rule(),))
    assert only(*chains_[:2]).rules == ()


def test_what_has_connections_tracked() -> None:
    asks = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "invalid"}}
    nested = {"vmap": {"key": {"concat": [{"ct": {"key": "state"}}, {"meta": {"key": "iif"}}]}, "data": {"set": []}}}
    by_iptables = {"xt": {"type": "match", "name": "conntrack"}}
    assert all(tracks([chain("i", "input"), rule("i", expression)]) for expression in (asks, nested, by_iptables))
    assert tracks([chain("p", "postrouting", type="nat")])
    assert not tracks([chain("i", "input"), rule("i", match("iifname", "a"), {"notrack": None}, {"counter": None})])


def test_a_table_of_our_name_in_another_family_is_not_ours() -> None:
    assert only(chain("x", family="ip", table="v6native")).where == "table ip v6native chain x"


def test_what_rules_say_of_interfaces() -> None:
    named = [
        (rule("f", match("iifname", "docker0")), Rule(iif=frozenset({"docker0"}))),
        (rule("f", match("oif", {"set": ["a", "b"]})), Rule(oif=frozenset({"a", "b"}))),
        (rule("f", match("iifname", "a"), match("oifname", "b")), Rule(frozenset({"a"}), frozenset({"b"}))),
        (rule("f", match("iifname", "veth*")), Rule()),
        (rule("f", match("iifname", "a", "!=")), Rule()),
        (rule("f", match("iifname", "@lans")), Rule()),
        (rule("f", match("iifname", {"set": ["a", {"prefix": 1}]})), Rule()),
        (rule("f", {"match": {"op": "==", "left": {"payload": {"field": "saddr"}}, "right": "192.0.2.1"}}), Rule()),
        (rule("f", {"masquerade": None}), Rule()),
    ]
    assert only(chain("f"), *(given for given, _ in named)).rules == tuple(expected for _, expected in named)


def test_chains_of_an_interface() -> None:
    assert only(chain("in", "ingress", family="netdev", dev="eth0")).devices == frozenset({"eth0"})
    assert only(chain("in", "egress", family="netdev", dev=["eth0", "eth1"])).devices == frozenset({"eth0", "eth1"})
    assert only(chain("in", "ingress")).devices is None
