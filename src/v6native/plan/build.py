# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What is to be added: first everything that carries packets, last what leads packets there."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.desired.fast import FAST
from v6native.desired.model import Desired
from v6native.desired.state import OWN_LOCAL_RULE, Link, LinkKind
from v6native.plan import actions as do
from v6native.plan.actual import Actual, interface_of
from v6native.plan.draining import keeps_program


def build(wanted: Desired, actual: Actual) -> Iterator[do.Action]:
    """Interfaces with all that is on them, our nftables table, tunnels, translators, settings of workers."""
    yield from _links(wanted, actual)
    for address in sorted(wanted.addresses - actual.addresses, key=str):
        yield do.AddAddress(address)
    for neighbour in sorted(wanted.neighbours - actual.neighbours, key=str):
        # A proxy entry for an interface that is not there now is added when it comes.
        if neighbour.mac is not None or neighbour.interface in actual.links:
            yield do.SetNeighbour(neighbour)
    for table in wanted.nft:
        if actual.nft.get(table.name) != table.digest:
            yield do.LoadNft(table)
    yield from _wireguard(wanted, actual)
    yield from _dataplane(wanted, actual)
    for file in wanted.files:
        if actual.files.get(file.name) != file.text:
            yield do.WriteFile(file)


def lead(wanted: Desired, actual: Actual) -> Iterator[do.Action]:
    """Routes, then rules, the rule for local addresses first: without one the node itself would be unreachable."""
    found = {route.key: route for route in actual.routes}
    for route in sorted(wanted.routes - actual.routes, key=str):
        old = found.get(route.key)
        yield do.AddRoute(route) if old is None else do.ReplaceRoute(route, old)
    if OWN_LOCAL_RULE in wanted.rules:
        if OWN_LOCAL_RULE not in actual.rules:
            yield do.AddRule(OWN_LOCAL_RULE)
        if actual.local_rule:
            yield do.RemoveKernelLocalRule()
    for rule in sorted(wanted.rules - actual.rules - {OWN_LOCAL_RULE}, key=lambda r: (r.priority, str(r))):
        yield do.AddRule(rule)


def _links(wanted: Desired, actual: Actual) -> Iterator[do.Action]:
    by_name = {link.name: link for link in wanted.links}
    made: set[str] = set()
    for link in wanted.links:
        if link.name not in actual.links and link.name not in made:
            yield _add(link, by_name)
            made |= {link.name, link.peer or link.name}
    for link in wanted.links:
        yield from _adjust(link, wanted, actual)


def _add(link: Link, by_name: dict[str, Link]) -> do.Action:
    if link.kind is LinkKind.VETH and link.peer is not None:
        return do.AddVeth(link, by_name[link.peer])
    return do.AddTap(link) if link.kind is LinkKind.TAP else do.AddWireGuard(link)


def _adjust(link: Link, wanted: Desired, actual: Actual) -> Iterator[do.Action]:
    """Settings come before the interface is up: it would give itself an address the moment it is."""
    found = actual.links.get(link.name)
    # A new interface has every offload on that its driver knows.
    on = link.off if found is None else link.off & found.on
    if on:
        yield do.SwitchOff(link.name, on)
    if found is not None and link.mac is not None and found.mac != link.mac:
        yield do.SetMac(link.name, link.mac)
    if found is not None and found.mtu != link.mtu:
        yield do.SetMtu(link.name, link.mtu, found.mtu)
    differing = tuple(
        s for s in wanted.sysctls if interface_of(s.key) == link.name and actual.sysctls.get(s.key) != s.value
    )
    if differing:
        yield do.SetOwnSysctls(link.name, differing)
    if found is None or not found.up:
        yield do.SetUp(link.name)


def _wireguard(wanted: Desired, actual: Actual) -> Iterator[do.Action]:
    for settings in wanted.wireguard:
        found = actual.wireguard.get(settings.interface)
        if found is None:
            yield do.ConfigureWireGuard(settings, "new")
        elif found.settings.listen != settings.listen:
            yield do.ConfigureWireGuard(settings, f"port was {found.settings.listen}")
        elif found.settings.peers != settings.peers:
            changed = len(found.settings.peers ^ settings.peers)
            yield do.ConfigureWireGuard(settings, f"{changed} peer entries differ")
        elif not found.keyed:
            yield do.ConfigureWireGuard(settings, "another private key")


def _dataplane(wanted: Desired, actual: Actual) -> Iterator[do.Action]:
    if wanted.dataplane is None:
        return
    if actual.pending:
        yield do.ConfigureDataPlane(wanted.dataplane, actual.pending)
    own = {link.name for link in wanted.links}
    steering = {found.interface for found in actual.attached if keeps_program(found, actual)}
    for attachment in wanted.dataplane.attachments:
        foreign = attachment.interface not in own
        if foreign and attachment.interface not in actual.links:
            continue  # an uplink that is not there now is steered when it comes
        if attachment.program == FAST and attachment.interface in steering:
            continue  # its steering goes on while an address drains
        if attachment not in actual.attached:
            yield do.Attach(attachment.interface, attachment.program)
