# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the host into plan.actual.Actual: what is ours, and what is not ours but decides what we do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from v6native.dataplane.door import DataPlane
from v6native.desired.links import MAC, NO_GSO
from v6native.desired.model import Desired
from v6native.desired.state import ALIAS, SLOW, LinkKind
from v6native.errors import SystemActionError, V6nativeError
from v6native.paths import Paths
from v6native.plan.actual import Actual, FoundLink, FoundWireGuard, Saved
from v6native.plan.draining import draining, leaving
from v6native.plan.saved import from_json
from v6native.system import ethtool, firewall, sysctl, wireguard
from v6native.system.files import read_text
from v6native.system.netlink import Netlink

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
SETTINGS_FILES = ("dns64.json", "log.json", "unbound.json")

_TUN_TAP = 2
_IFF_UP = 0x1


def observe(paths: Paths, dataplane: DataPlane, wanted: Desired) -> Actual:
    missing: dict[str, str] = {}
    with Netlink() as netlink:
        links = {link.name: link for link in (_link(message, netlink, paths) for message in netlink.links)}
        ours = frozenset(link.name for link in links.values() if link.ours)
        attached = frozenset(dataplane.attached())
        actual = Actual(
            links=links,
            addresses=frozenset(a for a in netlink.addresses() if a.interface in ours and not a.ip.ip.is_link_local),
            routes=frozenset(netlink.routes()),
            rules=frozenset(netlink.rules()),
            local_rule=netlink.has_kernel_local_rule(),
            neighbours=frozenset(netlink.neighbours(ours)),
            sysctls=sysctl.read_all(links, ours),
            nft=_nft(missing),
            wireguard=_wireguard(links, paths, missing),
            attached=attached,
            loaded=paths.pins(paths.instance()).exists() or bool(attached),
            pending=dataplane.pending(wanted.dataplane) if wanted.dataplane else (),
            files={name: text for name in SETTINGS_FILES if (text := read_text(paths.run / name)) is not None},
            saved=read_saved(paths),
            missing=missing,
        )
    networks = leaving(wanted, actual) if actual.loaded else ()
    if not networks:
        return actual
    bound = {entry.address4 for entry in dataplane.bib() if not entry.static}
    return replace(actual, draining=draining(networks, bound))


def boot_id() -> str:
    return BOOT_ID.read_text().strip()


def read_saved(paths: Paths) -> Saved:
    text = read_text(paths.saved_state)
    if text is None:
        return Saved()
    try:
        return from_json(json.loads(text), boot_id())
    except (ValueError, AttributeError) as error:
        raise SystemActionError(
            f"{paths.saved_state} does not hold what v6native wrote there ({error}); it says how to restore this host's "
            "settings. Look at it, remove it, and run this again"
        ) from error


def _link(message: Any, netlink: Netlink, paths: Paths) -> FoundLink:
    name = message.get_attr("IFLA_IFNAME")
    mac = message.get_attr("IFLA_ADDRESS")
    info = message.get_attr("IFLA_LINKINFO")
    word = info.get_attr("IFLA_INFO_KIND") if info else None
    # Between an interface's creation and its alias lies a moment in which we may be killed.
    ours = (
        message.get_attr("IFLA_IFALIAS") == ALIAS
        or (mac is not None and mac == MAC.get(name))
        or (name == SLOW and word == "tun")
        or (word == "tun" and wireguard.service(name, paths).find() is not None)
    )
    peer = message.get_attr("IFLA_LINK") if word == "veth" else None
    return FoundLink(
        name=name,
        kind=_kind(word, info, ours),
        mtu=message.get_attr("IFLA_MTU"),
        mac=mac,
        # The index of an end in another namespace says nothing here.
        peer=netlink.name(peer) if peer and message.get_attr("IFLA_LINK_NETNSID") is None else None,
        up=bool(message["flags"] & _IFF_UP),
        ours=ours,
        on=_offloads(name) if ours and word == "veth" else frozenset(),
    )


def _kind(word: str | None, info: Any, ours: bool) -> LinkKind:
    if word == "tun":
        data = info.get_attr("IFLA_INFO_DATA")
        if data is not None and data.get_attr("IFLA_TUN_TYPE") == _TUN_TAP:
            return LinkKind.TAP
        return LinkKind.WIREGUARD if ours else LinkKind.OTHER
    return {"veth": LinkKind.VETH, "wireguard": LinkKind.WIREGUARD}.get(word or "", LinkKind.OTHER)


def _offloads(name: str) -> frozenset[str]:
    try:
        known = ethtool.features(name)
    except SystemActionError:
        return frozenset()  # it went away meanwhile; the next look tells
    return frozenset(key for key in NO_GSO if key in known and known[key].active and not known[key].fixed)


def _nft(missing: dict[str, str]) -> dict[str, str]:
    try:
        return firewall.digests()
    except V6nativeError as error:
        missing["nft"] = str(error)
        return {}


def _wireguard(links: dict[str, FoundLink], paths: Paths, missing: dict[str, str]) -> dict[str, FoundWireGuard]:
    found = {}
    for link in links.values():
        if link.ours and link.kind is LinkKind.WIREGUARD:
            try:
                found[link.name] = wireguard.observe(link.name, link.name.removeprefix("wg-"), paths)
            except V6nativeError as error:
                missing[f"wireguard {link.name}"] = str(error)
    return found
