# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Addresses that have left pool4 while sessions still use them: what leads their packets to us stays until those end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network

from v6native.desired.dataplane import Attachment
from v6native.desired.fast import FAST_STEER, STEER, STEER_LO
from v6native.desired.model import Desired
from v6native.desired.rules import STEER_PREF
from v6native.desired.state import MAIN_TABLE, NAT64, Neighbour, Route, Rule
from v6native.plan.actual import Actual


def leaving(wanted: Desired, actual: Actual) -> tuple[IPv4Network, ...]:
    """What pool4 had and has no more, but for an address that the node lost to another: its sessions end at once.

    Nothing where the NAT64 itself goes: then its sessions go, too.
    """
    nat64 = wanted.dataplane.nat64 if wanted.dataplane else None
    if nat64 is None:
        return ()
    kept = {route.key for route in wanted.routes}
    found = {r.destination for r in actual.routes - wanted.routes if r.key not in kept and _of_pool(r)}
    steered = {r.destination for r in actual.rules - wanted.rules if r.destination is not None and _steers(r)}
    found |= {network for network in steered if not nat64.lost(IPv4Address(int(network.network_address)))}
    return tuple(sorted(network for network in found if isinstance(network, IPv4Network)))


def draining(networks: tuple[IPv4Network, ...], bound: Iterable[IPv4Address]) -> frozenset[IPv4Address]:
    """Those of `bound`, the addresses in the BIB, that are in what leaves. The BIB is long: it is not read for nothing."""
    if not networks:
        return frozenset()
    return frozenset(address for address in bound if any(address in network for network in networks))


def keeps_route(route: Route, actual: Actual) -> bool:
    return _of_pool(route) and any(address in route.destination for address in actual.draining)


def keeps_rule(rule: Rule, actual: Actual) -> bool:
    return _steers(rule) and rule.destination is not None and any(a in rule.destination for a in actual.draining)


def keeps_neighbour(entry: Neighbour, actual: Actual) -> bool:
    return entry.mac is None and entry.address in actual.draining


def keeps_program(attachment: Attachment, actual: Actual) -> bool:
    """Steering goes on while one of its addresses drains."""
    return attachment.program in (STEER, STEER_LO, FAST_STEER) and any(True for _ in _steered(actual))


def _steered(actual: Actual) -> Iterator[Rule]:
    return (rule for rule in actual.rules if keeps_rule(rule, actual))


def _of_pool(route: Route) -> bool:
    return route.device == NAT64 and route.table == MAIN_TABLE and route.destination.version == 4


def _steers(rule: Rule) -> bool:
    return rule.priority == STEER_PREF
