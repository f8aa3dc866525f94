# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The order in which a host is changed, so that no step takes the operator's own way to the machine away.

First what leads packets to us goes (rules, routes, programs), then what carried them; what is added comes in the other
order. A router's settings come before what needs them, accept_ra before forwarding, and they are restored last, in
reverse. Only what is ours is touched: by route protocol, by our alias on an interface, by the name of our table.
"""

from __future__ import annotations

from collections.abc import Iterator

from v6native.desired.model import Desired
from v6native.desired.state import OWN_LOCAL_RULE, Link
from v6native.errors import SystemActionError
from v6native.plan import actions as do
from v6native.plan.actual import Actual, FoundLink, without_links
from v6native.plan.build import build, lead
from v6native.plan.draining import keeps_neighbour, keeps_program, keeps_route, keeps_rule
from v6native.plan.settings import restored, settings


def diff(wanted: Desired, actual: Actual) -> tuple[do.Action, ...]:
    """What makes the host as wanted; () when it is. SystemActionError where an interface of our name is not ours."""
    stale = _stale_links(wanted, actual)
    plan = [*_leave(wanted, actual)]
    left = actual
    for name in stale:
        # The other end of a removed veth pair is gone with the first one.
        if name in left.links:
            plan.append(do.RemoveLink(name))
            left = without_links(left, frozenset({name}))
    plan += _remove(wanted, left)
    plan += settings(wanted, left)
    plan += build(wanted, left)
    plan += lead(wanted, left)
    plan += restored(wanted, left)
    return tuple(plan)


def _stale_links(wanted: Desired, actual: Actual) -> list[str]:
    """Our interfaces that are no longer wanted, or can only be made anew. Checks that the others are ours."""
    by_name = {link.name: link for link in wanted.links}
    for name in by_name:
        found = actual.links.get(name)
        if found is not None and not found.ours:
            raise SystemActionError(
                f"interface {name} exists and was not made by v6native; "
                f"remove it (`ip link delete {name}`) or rename it, then run this again"
            )
    stale = []
    for name, found in actual.links.items():
        if found.ours and (name not in by_name or not _same_device(by_name[name], found)):
            stale.append(name)
    return sorted(stale)


def _same_device(link: Link, found: FoundLink) -> bool:
    return link.kind is found.kind and link.peer == found.peer


def _leave(wanted: Desired, actual: Actual) -> Iterator[do.Action]:
    """Stops leading packets to what is about to go. The kernel's own rule comes back before ours goes."""
    if OWN_LOCAL_RULE not in wanted.rules and actual.saved.local_rule:
        yield do.RestoreKernelLocalRule()
    for rule in sorted(actual.rules - wanted.rules, key=str):
        if not keeps_rule(rule, actual):
            yield do.RemoveRule(rule)
    kept = {route.key for route in wanted.routes}
    for route in sorted(actual.routes - wanted.routes, key=str):
        if route.key not in kept and not keeps_route(route, actual):
            yield do.RemoveRoute(route)


def _remove(wanted: Desired, actual: Actual) -> Iterator[do.Action]:
    programs = set(wanted.dataplane.attachments) if wanted.dataplane else set()
    wanted_on = {attachment.interface for attachment in programs}
    for attachment in sorted(actual.attached, key=str):
        if attachment.interface not in wanted_on and not keeps_program(attachment, actual):
            yield do.Detach(attachment.interface, attachment.program)
    if actual.loaded and wanted.dataplane is None:
        yield do.RemoveDataPlane()
    kept = {neighbour.key for neighbour in wanted.neighbours}
    for neighbour in sorted(actual.neighbours - wanted.neighbours, key=str):
        if neighbour.key not in kept and not keeps_neighbour(neighbour, actual):
            yield do.RemoveNeighbour(neighbour)
    for address in sorted(actual.addresses - wanted.addresses, key=str):
        yield do.RemoveAddress(address)
    tables = {table.name for table in wanted.nft}
    for name in sorted(set(actual.nft) - tables):
        yield do.RemoveNft(name)
    files = {file.name for file in wanted.files}
    for name in sorted(set(actual.files) - files):
        yield do.RemoveFile(name)
