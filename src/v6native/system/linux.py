# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The real host: every action of a plan, carried out in the network namespace of the calling thread."""

from __future__ import annotations

import json
from dataclasses import dataclass

from v6native.config.facts import HostFacts
from v6native.dataplane.door import DataPlane
from v6native.desired.model import Desired
from v6native.errors import SystemActionError
from v6native.paths import Paths
from v6native.plan import actions as do
from v6native.plan.actions import Action
from v6native.plan.actual import Actual, Saved
from v6native.plan.saved import to_json
from v6native.system import ethtool, firewall, sysctl, wireguard
from v6native.system.facts import read_facts
from v6native.system.files import write_atomically
from v6native.system.netlink import Netlink
from v6native.system.observe import boot_id, observe


@dataclass(frozen=True, slots=True)
class LinuxHost:
    """`paths` are the node's; `dataplane` is the only way to BPF."""

    paths: Paths
    dataplane: DataPlane

    def facts(self) -> HostFacts:
        actual = self.observe(Desired())
        ours = frozenset(link.name for link in actual.links.values() if link.ours)
        ports = frozenset(found.settings.listen for found in actual.wireguard.values())
        with Netlink() as netlink:
            return read_facts(netlink, ours, ports)

    def observe(self, wanted: Desired) -> Actual:
        return observe(self.paths, self.dataplane, wanted)

    def save(self, saved: Saved) -> None:
        if saved == Saved():
            self.paths.saved_state.unlink(missing_ok=True)
            return
        text = json.dumps(to_json(saved, boot_id()), indent=2, sort_keys=True)
        write_atomically(self.paths.saved_state, text + "\n", 0o600)

    def perform(self, action: Action) -> None:
        with Netlink() as netlink:
            if not (
                _perform_links(action, netlink, self.paths)
                or _perform_routing(action, netlink)
                or self._perform_services(action)
            ):
                raise SystemActionError(f"no such action: {type(action).__name__}")

    def _perform_services(self, action: Action) -> bool:
        match action:
            case do.SetSysctl(key=key, value=value):
                sysctl.write(key, value)
            case do.RestoreSysctl(key=key, value=value):
                # An interface that is gone took its settings along.
                if sysctl.read(key) not in (None, value):
                    sysctl.write(key, value)
            case do.SetOwnSysctls(settings=settings):
                for setting in settings:
                    sysctl.write(setting.key, setting.value)
            case do.LoadNft(table=table):
                firewall.load(table)
            case do.RemoveNft(name=name):
                firewall.remove(name)
            case do.ConfigureWireGuard(settings=settings):
                wireguard.configure(settings, self.paths)
            case do.ConfigureDataPlane(config=config):
                self.dataplane.configure(config)
            case do.RemoveDataPlane():
                self.dataplane.remove()
            case do.Attach(interface=interface, program=program):
                self.dataplane.attach(interface, program)
            case do.Detach(interface=interface):
                self.dataplane.detach(interface)
            case do.WriteFile(file=file):
                write_atomically(self.paths.run / file.name, file.text)
            case do.RemoveFile(name=name):
                (self.paths.run / name).unlink(missing_ok=True)
            case _:
                return False
        return True


def _perform_links(action: Action, netlink: Netlink, paths: Paths) -> bool:
    match action:
        case do.AddVeth(link=link, peer=peer):
            netlink.add_veth(link, peer)
        case do.AddTap(link=link):
            netlink.add_tap(link)
        case do.AddWireGuard(link=link):
            if not netlink.add_wireguard(link):
                wireguard.start_userspace(link.name, paths)
                netlink.refresh()
                netlink.mark(link.name)
                netlink.set_link(link.name, mtu=link.mtu)
        case do.RemoveLink(name=name):
            userspace = wireguard.service(name, paths)
            if userspace.find() is not None:
                userspace.stop()
            else:
                netlink.remove_link(name)
        case do.SetMtu(name=name, mtu=mtu):
            netlink.set_link(name, mtu=mtu)
        case do.SetMac(name=name, mac=mac):
            netlink.set_link(name, address=mac)
        case do.SetUp(name=name):
            netlink.set_link(name, state="up")
        case do.SwitchOff(name=name, features=features):
            ethtool.switch_off(name, features)
        case _:
            return False
    return True


def _perform_routing(action: Action, netlink: Netlink) -> bool:
    match action:
        case do.AddAddress(address=address):
            netlink.address("add", address)
        case do.RemoveAddress(address=address):
            netlink.address("del", address)
        case do.SetNeighbour(neighbour=neighbour):
            netlink.set_neighbour(neighbour)
        case do.RemoveNeighbour(neighbour=neighbour):
            netlink.remove_neighbour(neighbour)
        case do.AddRoute(route=route):
            netlink.route("add", route)
        case do.ReplaceRoute(route=route):
            netlink.route("replace", route)
        case do.RemoveRoute(route=route):
            netlink.route("del", route)
        case do.AddRule(rule=rule):
            netlink.rule("add", rule)
        case do.RemoveRule(rule=rule):
            netlink.rule("del", rule)
        case do.RemoveKernelLocalRule():
            netlink.kernel_local_rule("del")
        case do.RestoreKernelLocalRule():
            netlink.kernel_local_rule("add")
        case _:
            return False
    return True
