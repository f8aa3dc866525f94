# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The foreign base chains in a rule set of nftables (libnftables-json(5)), with what their rules say of interfaces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from v6native.desired.nft import TABLE, UNTRACKED
from v6native.fastpath.facts import Chain, Rule

# The hooks that a forwarded packet passes. What bridges do among their ports happens before us, and after.
_HOOKS = frozenset({"prerouting", "forward", "postrouting", "ingress", "egress"})
# The node's own packets, among them its ICMP errors about connections that are not tracked while the fast path is on.
_OWN = "output"
_FAMILIES = frozenset({"ip", "ip6", "inet", "netdev"})


def chains(objects: list[dict[str, Any]]) -> Iterator[Chain]:
    rules: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for rule in (o["rule"] for o in objects if "rule" in o):
        rules.setdefault((rule["family"], rule["table"], rule["chain"]), []).append(rule)
    for chain in (o["chain"] for o in objects if "chain" in o):
        key = (chain["family"], chain["table"], chain["name"])
        ours = chain["family"] == "inet" and chain["table"] in (TABLE, UNTRACKED)
        if not ours and chain["family"] in _FAMILIES and chain.get("hook") in (*_HOOKS, _OWN):
            own = chain["hook"] == _OWN
            device = chain.get("dev")
            yield Chain(
                where=f"table {chain['family']} {chain['table']} chain {chain['name']}",
                hook=chain["hook"],
                drops=chain.get("policy") == "drop" and not own,
                rules=tuple(_rule(rule) for rule in rules.get(key, ()) if not own or _asks_state(rule)),
                devices=frozenset([device] if isinstance(device, str) else device) if device else None,
            )


_TRACKING = frozenset(
    {"ct", "ct helper", "ct timeout", "ct expectation", "flow", "synproxy", "conntrack", "state", "connlimit"}
)


def tracks(objects: list[dict[str, Any]]) -> bool:
    """Whether the rule set has connections tracked: the kernel does so from the first such rule on, for the whole host."""
    if any(o["chain"].get("type") == "nat" for o in objects if "chain" in o):
        return True
    return any(_mentions(o["rule"].get("expr"), _TRACKING) for o in objects if "rule" in o)


def _mentions(thing: object, keys: frozenset[str]) -> bool:
    """As a key at any depth; of rules by iptables, which nft shows as {"xt": {"name": …}}, as the name."""
    if isinstance(thing, dict):
        return str(thing.get("name")) in keys or any(k in keys or _mentions(v, keys) for k, v in thing.items())
    return isinstance(thing, list) and any(_mentions(each, keys) for each in thing)


def _asks_state(rule: dict[str, Any]) -> bool:
    return any("ct" in side for e in rule.get("expr", ()) if isinstance(side := e.get("match", {}).get("left"), dict))


def _rule(rule: dict[str, Any]) -> Rule:
    return Rule(_interfaces(rule, "iif"), _interfaces(rule, "oif"))


def _interfaces(rule: dict[str, Any], key: str) -> frozenset[str] | None:
    """The only interfaces that the rule can match; None where it names none, excludes some, or uses patterns."""
    for expression in rule.get("expr", ()):
        match = expression.get("match")
        if not match or match["op"] not in ("==", "in") or not isinstance(match["left"], dict):
            continue
        if match["left"].get("meta", {}).get("key") in (key, f"{key}name"):
            right = match["right"]
            listed = right["set"] if isinstance(right, dict) and isinstance(right.get("set"), list) else [right]
            if all(isinstance(name, str) and "*" not in name and not name.startswith("@") for name in listed):
                return frozenset(listed)
    return None
