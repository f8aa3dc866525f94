# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Names of nodes, tunnels and clients, and the interfaces of a node."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.config.positions import KeyPath
from v6native.config.problem import ConfigProblem
from v6native.config.rules.draft import Draft
from v6native.config.values import name_problem

LONGEST = {
    "node": 63,  # a host name's label
    "tunnel": 12,  # its interface is wg-NAME, and an interface name has at most 15 characters
    "client": 63,
}
RESERVED_INTERFACES = frozenset({"lo", "nat64", "nat64-x", "clat", "clat-x", "v6n-slow"})


def check(draft: Draft) -> Iterator[ConfigProblem]:
    for table, longest in LONGEST.items():
        for name in draft.names(table):
            if problem := name_problem(name, longest):
                remedy = "write small letters, digits and hyphens"
                yield draft.error("name", (table, name), problem, f"{remedy}, at most {longest}")
    if not draft.names("node") and not isinstance(draft.source.raw.get("node"), list):
        what = "the file describes no node"
        yield draft.error("missing", ("node",), what, 'write [node.NAME] with uplink = "eth0"')
    yield from _interfaces(draft)
    for name, tunnel in draft.file.tunnel.items():
        yield from draft.reference("node", tunnel.node, ("tunnel", name, "node"))
        if tunnel.node is None and len(draft.names("node")) > 1:
            what = "the file has several nodes, and this tunnel does not say where it ends"
            remedy = f'write node = "{draft.names("node")[0]}"'
            yield draft.error("missing", ("tunnel", name, "node"), what, remedy)


def _interfaces(draft: Draft) -> Iterator[ConfigProblem]:
    for node in draft.config.nodes:
        seen: dict[str, str] = {}
        paths: list[tuple[KeyPath, str]] = [(("node", node.name, "uplink"), node.uplink)]
        paths += [(("node", node.name, "lan", i), lan) for i, lan in enumerate(node.lan)]
        for path, interface in paths:
            if interface in RESERVED_INTERFACES:
                what = (
                    f'"{interface}" is an interface of v6native itself' if interface != "lo" else '"lo" leads nowhere'
                )
                yield draft.error("interface", path, what, "write the name of a network interface, like eth0")
            elif interface in seen:
                what = f'"{interface}" is already the {seen[interface]} of this node'
                yield draft.error("duplicate", path, what, "name each interface once")
            seen.setdefault(interface, str(path[2]))
