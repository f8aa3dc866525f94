# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""nftables by `nft`: our own table, and what the host's own rules mean for forwarded packets (only read)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from v6native.config.facts import ForwardDrop, MasqueradeRule
from v6native.config.model import PortRange
from v6native.desired.nft import FAST_SET, TABLE, UNTRACKED
from v6native.desired.state import NftTable
from v6native.errors import SystemActionError
from v6native.system.processes import run

_DIGEST = re.compile(r'comment "v6native ([0-9a-f]{16})"')
# As `nft list` indents them: a chain by one tab, what is in it by two.
_CHAIN = re.compile(r"^\tchain \w+ \{\n(.*?)^\t\}$", re.MULTILINE | re.DOTALL)
_RULE = re.compile(r"^\t\t(?!type )\S", re.MULTILINE)


def digests() -> dict[str, str]:
    """Our table by its digest; "" where a chain is emptied or only `untrack` left something. Nothing where nothing is ours."""
    there = _tables()
    if not there:
        return {}
    return {TABLE: _seen_digest(TABLE) if TABLE in there else ""}


def _tables() -> frozenset[str]:
    """Which of ours are there."""
    listed = run(["nft", "list", "tables"])
    return frozenset(name for name in (TABLE, UNTRACKED) if f"table inet {name}\n" in listed)


def _seen_digest(name: str) -> str:
    text = run(["nft", "list", "table", "inet", name])
    found = _DIGEST.search(text)
    rules = _CHAIN.findall(text)
    return found.group(1) if found and rules and all(_RULE.search(body) for body in rules) else ""


def load(table: NftTable) -> None:
    """Replaces the table in one transaction. A kernel without nft_tproxy takes the other form."""
    fresh = f"table inet {table.name} {{}}\ndelete table inet {table.name}\n"
    try:
        run(["nft", "-f", "-"], stdin=fresh + table.text)
    except SystemActionError:
        run(["nft", "-f", "-"], stdin=fresh + table.fallback)


def untrack(table: NftTable | None, seconds: int) -> None:
    """What `table` names passes by connection tracking for so long; None: from now on it is tracked again."""
    there = UNTRACKED in _tables()
    if table is None:
        if there:
            run(["nft", "delete", "table", "inet", UNTRACKED])
        return
    if not there or _seen_digest(UNTRACKED) != table.digest:
        load(table)
    elements = ", ".join(f"{proto} timeout {seconds}s" for proto in ("tcp", "udp"))
    fresh = f"flush set inet {UNTRACKED} {FAST_SET}\nadd element inet {UNTRACKED} {FAST_SET} {{ {elements} }}\n"
    run(["nft", "-f", "-"], stdin=fresh)


def untracking() -> bool:
    """Whether `untrack` has a table there."""
    return UNTRACKED in _tables()


def remove(name: str) -> None:
    """The table, and what goes with it."""
    for each in _tables() & {name, UNTRACKED}:
        run(["nft", "delete", "table", "inet", each])


def ruleset(*, terse: bool = False) -> list[dict[str, Any]]:
    """Every object of the host's rule set (libnftables-json(5)); `terse`: without what sets hold, which may be long."""
    options = ["-j", "-t"] if terse else ["-j"]
    document: dict[str, list[dict[str, Any]]] = json.loads(run(["nft", *options, "list", "ruleset"]))
    return document.get("nftables", [])


def forward_drops(objects: list[dict[str, Any]]) -> Iterator[ForwardDrop]:
    for chain in (o["chain"] for o in objects if "chain" in o):
        if chain.get("hook") == "forward" and chain.get("policy") == "drop":
            yield ForwardDrop(_where(chain, chain["name"]), chain["family"])


def masquerades(objects: list[dict[str, Any]]) -> Iterator[MasqueradeRule]:
    for rule in (o["rule"] for o in objects if "rule" in o):
        for expression in rule.get("expr", []):
            if "masquerade" in expression and not _is_icmp_only(rule):
                ports = (expression["masquerade"] or {}).get("port")
                yield MasqueradeRule(_where(rule, rule["chain"]), _out_interface(rule), _ports(ports))


def _where(thing: dict[str, Any], chain: str) -> str:
    return f"table {thing['family']} {thing['table']} chain {chain}"


def _out_interface(rule: dict[str, Any]) -> str | None:
    """The one interface that the rule names; None also where it names several or excludes one."""
    for expression in rule["expr"]:
        match = expression.get("match")
        left = match.get("left") if match else None
        key = left["meta"]["key"] if isinstance(left, dict) and "meta" in left else None
        if match and key in ("oifname", "oif") and match["op"] == "==" and isinstance(match["right"], str):
            return str(match["right"])
    return None


def _is_icmp_only(rule: dict[str, Any]) -> bool:
    """Whether the rule is for ICMP alone, which has no ports to choose."""
    for expression in rule["expr"]:
        match = expression.get("match")
        left = match.get("left") if match else None
        named = isinstance(left, dict) and (
            left.get("meta", {}).get("key") == "l4proto" or left.get("payload", {}).get("field") == "protocol"
        )
        if match and named and match["op"] == "==" and match["right"] in ("icmp", "ipv6-icmp"):
            return True
    return False


def _ports(value: object) -> PortRange | None:
    if isinstance(value, int):
        return PortRange(value, value)
    if isinstance(value, dict) and "range" in value:
        first, last = value["range"]
        return PortRange(int(first), int(last))
    return None
