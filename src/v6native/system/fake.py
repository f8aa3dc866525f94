# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The host's twin in memory: takes and refuses what the kernel takes and refuses. For tests of the other parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from v6native.config.facts import HostFacts
from v6native.dataplane.fake import FakeDataPlane
from v6native.desired.model import Desired
from v6native.desired.state import KERNEL_LOCAL_RULE, Link, LinkKind
from v6native.errors import SystemActionError
from v6native.plan import actions as do
from v6native.plan.actions import Action
from v6native.plan.actual import Actual, FoundLink, FoundWireGuard, Saved, interface_of, without_links
from v6native.plan.draining import draining, leaving

T = TypeVar("T")

NEW_LINK_SETTINGS = {
    "ipv6": {"disable_ipv6": "0", "addr_gen_mode": "0", "accept_dad": "1", "accept_ra": "1", "proxy_ndp": "0"},
    "ipv4": {"rp_filter": "0", "accept_local": "0"},
}


@dataclass(slots=True)
class FakeHost:
    """A test sets `known` and `state` freely. `fail_at` is the count of the action that is refused once, from 0.

    `dies_after` is the same for one that is carried out before the failure is told: a crash in between.
    """

    known: HostFacts = field(default_factory=HostFacts)
    state: Actual = field(default_factory=Actual)
    dataplane: FakeDataPlane = field(default_factory=FakeDataPlane)
    fail_at: int | None = None
    dies_after: int | None = None
    count: int = 0

    def facts(self) -> HostFacts:
        return self.known

    def observe(self, wanted: Desired) -> Actual:
        pending = self.dataplane.pending(wanted.dataplane) if wanted.dataplane else ()
        bound = (entry.address4 for entry in self.dataplane.dynamic)
        return replace(
            self.state,
            draining=draining(leaving(wanted, self.state), bound),
            loaded=self.dataplane.config is not None,
            pending=pending,
            attached=frozenset(self.dataplane.attached()),
        )

    def save(self, saved: Saved) -> None:
        self.state = replace(self.state, saved=saved)

    def perform(self, action: Action) -> None:
        number, self.count = self.count, self.count + 1
        if number == self.fail_at:
            raise SystemActionError("the kernel refused it: this test asked for it")
        self._perform(action)
        if number == self.dies_after:
            raise SystemActionError("it died right afterwards: this test asked for it")

    def _perform(self, action: Action) -> None:
        match action:
            case do.AddVeth(link=link, peer=peer):
                self._add(link, peer)
            case do.AddTap(link=link) | do.AddWireGuard(link=link):
                self._add(link)
            case do.RemoveLink(name=name):
                self._own(name)
                for gone in (name, self.state.links[name].peer or name):
                    self.dataplane.on.pop(gone, None)
                self.state = without_links(self.state, frozenset({name}))
            case do.SetMtu(name=name, mtu=mtu):
                self._link(replace(self._own(name), mtu=mtu))
            case do.SetMac(name=name, mac=mac):
                self._link(replace(self._own(name), mac=mac))
            case do.SetUp(name=name):
                self._link(replace(self._own(name), up=True))
            case do.SwitchOff(name=name, features=features):
                self._link(replace(self._own(name), on=self._own(name).on - features))
            case do.SetSysctl(key=key, value=value) | do.RestoreSysctl(key=key, value=value):
                self._sysctl(key, value)
            case do.SetOwnSysctls(settings=settings):
                for setting in settings:
                    self._own(interface_of(setting.key) or "")
                    self._sysctl(setting.key, setting.value)
            case _:
                self._perform_routing(action)

    def _perform_routing(self, action: Action) -> None:
        state = self.state
        match action:
            case do.AddAddress(address=address):
                self._own(address.interface)
                self.state = replace(state, addresses=_with(state.addresses, address))
            case do.RemoveAddress(address=address):
                self.state = replace(state, addresses=_without(state.addresses, address))
            case do.SetNeighbour(neighbour=neighbour):
                self._known(neighbour.interface)
                others = frozenset(n for n in state.neighbours if n.key != neighbour.key)
                self.state = replace(state, neighbours=others | {neighbour})
            case do.RemoveNeighbour(neighbour=neighbour):
                self.state = replace(state, neighbours=_without(state.neighbours, neighbour))
            case do.AddRoute(route=route):
                if route.device is not None and not self._known(route.device).up:
                    raise SystemActionError(f"{route.device} is down")
                if any(route.key == other.key for other in state.routes):
                    raise SystemActionError("the route exists")
                self.state = replace(state, routes=state.routes | {route})
            case do.ReplaceRoute(route=route, old=old):
                self.state = replace(state, routes=_without(state.routes, old) | {route})
            case do.RemoveRoute(route=route):
                self.state = replace(state, routes=_without(state.routes, route))
            case do.AddRule(rule=rule):
                self.state = replace(state, rules=_with(state.rules, rule))
            case do.RemoveRule(rule=rule):
                self.state = replace(state, rules=_without(state.rules, rule))
                self._reachable()
            case do.RemoveKernelLocalRule():
                self.state = replace(state, local_rule=False)
                self._reachable()
            case do.RestoreKernelLocalRule():
                self.state = replace(state, local_rule=True)
            case _:
                self._perform_services(action)

    def _perform_services(self, action: Action) -> None:
        state = self.state
        match action:
            case do.LoadNft(table=table):
                self.state = replace(state, nft={**state.nft, table.name: table.digest})
            case do.RemoveNft(name=name):
                self.state = replace(state, nft=_dropped(state.nft, name))
            case do.ConfigureWireGuard(settings=settings):
                self._own(settings.interface)
                found = FoundWireGuard(settings, keyed=True)
                self.state = replace(state, wireguard={**state.wireguard, settings.interface: found})
            case do.ConfigureDataPlane(config=config):
                for needed in (config.nat64_interface if config.nat64 else None, config.slow_interface):
                    if needed is not None:
                        self._known(needed)
                self.dataplane.configure(config)
            case do.RemoveDataPlane():
                self.dataplane.remove()
            case do.Attach(interface=interface, program=program):
                self._known(interface)
                self.dataplane.attach(interface, program)
            case do.Detach(interface=interface):
                self.dataplane.detach(interface)
            case do.WriteFile(file=file):
                self.state = replace(state, files={**state.files, file.name: file.text})
            case do.RemoveFile(name=name):
                self.state = replace(state, files=_dropped(state.files, name))
            case _:
                raise SystemActionError(f"no such action: {type(action).__name__}")

    def _add(self, link: Link, peer: Link | None = None) -> None:
        for new in (link, peer):
            if new is None:
                continue
            if new.name in self.state.links:
                raise SystemActionError(f"{new.name} exists")
            self._link(FoundLink(new.name, new.kind, new.mtu, new.mac, new.peer, ours=True, on=new.off))
            fresh = {
                f"net/{family}/conf/{new.name}/{key}": value
                for family, settings in NEW_LINK_SETTINGS.items()
                for key, value in settings.items()
            }
            for family in ("ipv4", "ipv6"):
                default = self.state.sysctls.get(f"net/{family}/conf/default/forwarding", "0")
                fresh[f"net/{family}/conf/{new.name}/forwarding"] = default
            self.state = replace(self.state, sysctls={**self.state.sysctls, **fresh})
        if link.kind is LinkKind.VETH and peer is None:
            raise SystemActionError("a veth has two ends")

    def _link(self, link: FoundLink) -> None:
        self.state = replace(self.state, links={**self.state.links, link.name: link})

    def _known(self, name: str) -> FoundLink:
        try:
            return self.state.links[name]
        except KeyError:
            raise SystemActionError(f"there is no interface {name}") from None

    def _own(self, name: str) -> FoundLink:
        link = self._known(name)
        if not link.ours:
            raise AssertionError(f"a plan must not touch {name}, which is not ours")
        return link

    def _reachable(self) -> None:
        if not self.state.local_rule and KERNEL_LOCAL_RULE.table not in {r.table for r in self.state.rules}:
            raise AssertionError("a plan must not leave the host without a rule for its own addresses")

    def _sysctl(self, key: str, value: str) -> None:
        """With what the kernel changes besides (inet_forward_change, addrconf_fixup_forwarding)."""
        sysctls = dict(self.state.sysctls)
        family = {"net/ipv4/ip_forward": "ipv4", "net/ipv6/conf/all/forwarding": "ipv6"}.get(key)
        if family is not None and sysctls.get(key) != value:
            for other in sysctls:
                if other.startswith(f"net/{family}/conf/") and other.endswith("/forwarding"):
                    sysctls[other] = value
            if family == "ipv4":
                sysctls["net/ipv4/conf/all/accept_redirects"] = "0" if value == "1" else "1"
        if key in sysctls:
            sysctls[key] = value
        self.state = replace(self.state, sysctls=sysctls)


def _with(things: frozenset[T], thing: T) -> frozenset[T]:
    if thing in things:
        raise SystemActionError(f"{thing} exists")
    return things | {thing}


def _without(things: frozenset[T], thing: T) -> frozenset[T]:
    if thing not in things:
        raise SystemActionError(f"there is no {thing}")
    return things - {thing}


def _dropped(mapping: Mapping[str, T], name: str) -> dict[str, T]:
    return {key: value for key, value in mapping.items() if key != name}
