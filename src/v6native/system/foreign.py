# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Reads what of the operator's could want to see a packet that the fast path takes: into fastpath.facts.Foreign.

What cannot be read counts as if it stood in the way.
"""

from __future__ import annotations

import itertools
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from v6native.desired.fast import FAST, FAST_STEER, STEER
from v6native.errors import SystemActionError, V6nativeError
from v6native.fastpath.facts import Device, Foreign
from v6native.fastpath.nft import chains, tracks
from v6native.system import ethtool, firewall, legacy_tables
from v6native.system.all_rules import all_rules
from v6native.system.netlink import Filter, Netlink
from v6native.system.processes import run

NETLINK_XFRM = 6
TRACKED = Path("/proc/sys/net/netfilter/nf_conntrack_count")
# Where dataplane/tc.py puts our filters: that one of ours stands there, its name says.
_OUR_PRIORITY = _OUR_HANDLE = 64
_OURS = frozenset({FAST, FAST_STEER, STEER})

T = TypeVar("T")


def read_foreign(interfaces: Iterable[str]) -> Foreign:
    """As it concerns these interfaces, and the ports of those that are bridges or bonds."""
    unread: list[str] = []

    def read(what: str, reader: Callable[[], Iterable[T]]) -> tuple[T, ...]:
        try:
            return tuple(reader())
        except (V6nativeError, OSError, ValueError, KeyError, struct.error) as error:
            unread.append(f"{what} cannot be read: {error}")
            return ()

    devices: dict[str, Device] = {}
    filters: dict[str, tuple[str, ...]] = {}
    qdiscs: dict[str, tuple[str, ...]] = {}
    with Netlink() as netlink:
        devices.update(read("interfaces", lambda: _devices(netlink, frozenset(interfaces))))
        looked_at = dict.fromkeys([*devices, *(port for device in devices.values() for port in device.ports)])
        for name in looked_at:
            filters[name] = read(f"tc filters of {name}", partial(_filters, netlink, name))
        for name, kind in read("queueing disciplines", netlink.qdiscs):
            if name in looked_at:
                qdiscs[name] = (*qdiscs.get(name, ()), kind)
    ruleset = list(read("nftables", lambda: firewall.ruleset(terse=True)))
    return Foreign(
        devices=devices,
        chains=read("nftables", lambda: chains(ruleset)),
        filters=filters,
        qdiscs=qdiscs,
        rules=read("policy routing rules", lambda: (r.text for r in all_rules() if not r.ours and not r.kernels)),
        policies=read("IPsec policies", _policies),
        tables=read("iptables-legacy", legacy_tables.in_use),
        unread=tuple(unread),
        tracking=tracks(ruleset) or _tracking(),
    )


def _tracking() -> bool:
    """Whether connection tracking has an entry in this network namespace, or had: then somebody asked for it."""
    if firewall.untracking():
        return True  # what passes by it leaves no entry
    try:
        return int(TRACKED.read_text()) > 0
    except (OSError, ValueError):
        return False  # not even loaded


def _devices(netlink: Netlink, interfaces: frozenset[str]) -> Iterator[tuple[str, Device]]:
    masters = {link["index"]: link.get_attr("IFLA_MASTER") for link in netlink.links}
    for link in netlink.links:
        name = link.get_attr("IFLA_IFNAME")
        if name not in interfaces:
            continue
        ports = [netlink.name(index) for index, master in masters.items() if master == link["index"]]
        named = tuple(sorted(port for port in ports if port is not None))
        master = link.get_attr("IFLA_MASTER")
        yield (
            name,
            Device(
                kind=link["ifi_type"],
                master=(netlink.name(master) or str(master)) if master else None,
                ports=named,
                merging=tuple(part for part in (name, *named) if _merges(part)),
            ),
        )


def _merges(name: str) -> bool:
    try:
        feature = ethtool.features(name).get("rx-gro-list")
    except SystemActionError:
        return False  # not there any more, or without offloads
    return feature is not None and feature.active


def _filters(netlink: Netlink, name: str) -> Iterator[str]:
    for found in netlink.filters(name):
        if not _is_ours(found):
            yield f"{found.side} pref {found.priority} {found.kind}"


def _is_ours(found: Filter) -> bool:
    ours = found.side == "ingress" and found.kind == "bpf"
    here = (found.priority, found.handle) == (_OUR_PRIORITY, _OUR_HANDLE)
    return ours and here and found.program.partition(":")[0] in _OURS


def _policies() -> Iterator[str]:
    """IPsec policies of the host, and a default that blocks; a kernel without IPsec has none."""
    try:
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM).close()
    except OSError:
        return
    # `SPD IN 0 OUT 1 FWD 0`, and more in newer versions.
    words = run(["ip", "xfrm", "policy", "count"]).split()
    counts = {name: int(count) for name, count in itertools.pairwise(words) if count.isdigit()}
    if any(counts.values()):
        yield ", ".join(f"{count} {name} policies" for name, count in counts.items() if count)
    for line in run(["ip", "xfrm", "policy", "getdefault"]).splitlines():
        where, _, default = line.strip().partition(":")
        if default.strip() == "block":
            yield f"{where} is blocked by default"
