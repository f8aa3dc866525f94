# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A first network.toml from what a machine is like. Pure: text out of facts; `load` accepts it."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from v6native.address import WKP
from v6native.config.facts import HostFacts, InterfaceFacts
from v6native.config.model import PortRange
from v6native.config.rules.prefixes import part_for_pref64

WKP_FROM = "the IPv4 internet, under the well-known prefix"
SHARED = PortRange(40000, 59999)
ULA = IPv6Network("fc00::/7")
LAN_KINDS = frozenset({"", "bridge", "vlan", "bond", "veth"})
EXAMPLE_PREFIX = IPv6Network("2001:db8::/64")
GUESSED_UPLINK = "eth0"


def draft(facts: HostFacts, name: str) -> str:
    """The file for a machine with these facts; what could not be detected says so in its comment.

    `name` is the node's and the network's, made fit for one.
    """
    node = as_name(name)
    uplink, uplink_from = _uplink(facts)
    prefixes, prefix_from = _prefixes(facts, uplink)
    followed = _leased(facts, uplink, prefixes)
    pref64, pref64_from = (WKP, WKP_FROM) if followed else _pref64(facts, prefixes)
    lines = [
        "# The network of this node. `v6native check` says what is wrong here, `v6native plan` what it would change.",
        "[network]",
        _line(f'name = "{node}"', ""),
        *followed,
        *([] if followed else [_line(f"prefix = {_list(prefixes)}", prefix_from)]),
        _line(f'pref64 = "{pref64}"', pref64_from),
        "",
        f"[node.{node}]",
        _line(f'uplink = "{uplink}"', uplink_from),
    ]
    if lan := _lans(facts, uplink):
        lines.append(_line(f"lan = {_list(lan)}", "their hosts may use the NAT64 and the resolver"))
    lines += [
        _line(*_pool4(facts, uplink)),
        "",
        "[dns64]",
        _line(*_upstream(facts)),
    ]
    return "\n".join(lines) + "\n"


def as_name(given: str) -> str:
    """The first label of a host name in the letters that a name may have."""
    plain = re.sub(r"[^a-z0-9]+", "-", given.partition(".")[0].lower()).strip("-")[:63].strip("-")
    return plain or "node1"


def _line(code: str, comment: str) -> str:
    return f"{code:<38}  # {comment}" if comment else code


def _list(items: list[str] | list[IPv6Network]) -> str:
    return "[" + ", ".join(f'"{item}"' for item in items) + "]"


def _uplink(facts: HostFacts) -> tuple[str, str]:
    for family in (6, 4):
        if route := facts.default_route(family):
            by = ", from router advertisements" if route.from_ra else ""
            return route.interface, f"has the IPv{family} default route{by}"
    return GUESSED_UPLINK, "not detected: no default route; write the interface towards the internet"


def _prefixes(facts: HostFacts, uplink: str) -> tuple[list[IPv6Network], str]:
    """Delegated prefixes, else what the LANs have on link, else the uplink; global before unique local; none twice."""
    lans = [prefix for lan in _lans(facts, uplink) for prefix in facts.onlink6(lan)]
    for found, source in (
        (list(facts.delegated), "routed to this machine"),
        (lans, "on link at the LANs"),
        (list(facts.onlink6(uplink)), "on link at the uplink; everybody in it may use the NAT64"),
    ):
        usable = [p for p in found if p.prefixlen <= 64 and not p.is_link_local]
        chosen = [p for p in usable if not p.subnet_of(ULA)] or usable
        outer = [p for p in dict.fromkeys(chosen) if not any(p != o and p.subnet_of(o) for o in chosen)]
        if outer:
            return outer, f"ours: {source}"
    return [EXAMPLE_PREFIX], "not detected: no global IPv6 address; write the prefix that is routed to you"


def _pref64(facts: HostFacts, prefixes: list[IPv6Network]) -> tuple[IPv6Network, str]:
    """A /96 of our own where there is more than one subnet; else the well-known prefix (RFC 6052 §3.3)."""
    onlink = [p for interface in facts.interfaces for p in facts.onlink6(interface.name)]
    for prefix in prefixes:
        part = part_for_pref64(prefix)
        if prefix.prefixlen < 64 and not prefix.subnet_of(ULA) and not any(part.overlaps(p) for p in onlink):
            return part, "the IPv4 internet, under a prefix of ours"
    return WKP, WKP_FROM


def _leased(facts: HostFacts, uplink: str, prefixes: list[IPv6Network]) -> list[str]:
    """Instead of `prefix`, where the provider lends what the LANs have: a comment; else nothing."""
    for interface in facts.interfaces:
        for address in interface.leased if interface.name in _lans(facts, uplink) else ():
            if any(address.ip in prefix for prefix in prefixes):
                return [
                    f"# No prefix: {address.network} on {interface.name} is lent, with a lifetime. What the LANs have on link is ours,",
                    "# also when it changes.",
                ]
    return []


def _lans(facts: HostFacts, uplink: str) -> list[str]:
    """Interfaces with IPv6 of their own that lead to hosts: neither the uplink nor a tunnel, nor a port of a bridge."""
    return [i.name for i in facts.interfaces if i.name != uplink and _is_lan(i)]


def _is_lan(interface: InterfaceFacts) -> bool:
    subnets = [a for a in interface.global_ipv6 if a.network.prefixlen <= 64]
    theirs = interface.up and not interface.ours and interface.master is None
    return bool(subnets) and theirs and interface.kind in LAN_KINDS


def _pool4(facts: HostFacts, uplink: str) -> tuple[str, str]:
    address = facts.ipv4_of(uplink)
    code = f'pool4 = ["uplink:{SHARED.first}-{SHARED.last}"]'
    if address is None:
        return code, "not detected: the uplink has no IPv4 address now; it is followed when one comes"
    return code, f"of {address}, followed when it changes; the node keeps the other ports"


def _upstream(facts: HostFacts) -> tuple[str, str]:
    names = ", ".join(str(resolver) for resolver in facts.resolvers)
    if not names:
        return 'upstream = ["system"]', "not detected: /etc/resolv.conf names no resolver"
    if any(_is_own(facts, resolver) for resolver in facts.resolvers) and _local_resolver(facts):
        return 'upstream = ["unbound"]', "the resolver on this machine"
    return 'upstream = ["system"]', f"/etc/resolv.conf: {names}"


def _is_own(facts: HostFacts, address: IPv4Address | IPv6Address) -> bool:
    own4 = {a.ip for i in facts.interfaces for a in i.ipv4}
    own6 = {a.ip for i in facts.interfaces for a in i.ipv6}
    return address in own4 or address in own6


def _local_resolver(facts: HostFacts) -> bool:
    loopback = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
    return any(s.holds(address, 53) and not s.ours for s in facts.sockets for address in loopback)
