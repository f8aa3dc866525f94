# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Fills config.facts.HostFacts from the machine. What cannot be read stays empty; nothing of ours counts as the host's."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path
from typing import Any

from v6native.config.facts import DefaultRoute, HostFacts, InterfaceFacts
from v6native.config.model import PortRange
from v6native.errors import V6nativeError
from v6native.system import firewall, sockets, sysctl
from v6native.system.netlink import Netlink

_RTPROT_RA, _RTPROT_KERNEL = 9, 2
_RTN_UNREACHABLE = 7
_IFF_UP = 0x1
_LOOPBACK = 772
_GLOBAL6 = IPv6Network("2000::/3")
RESOLV_CONF = Path("/etc/resolv.conf")


def read_facts(netlink: Netlink, ours: frozenset[str], our_wireguard_ports: frozenset[int]) -> HostFacts:
    """`ours` are the interfaces that v6native made."""
    defaults, delegated = _routes(netlink)
    facts = HostFacts(
        hostname=socket.gethostname(),
        interfaces=tuple(_interfaces(netlink, ours)),
        default_routes=tuple(defaults),
        delegated=tuple(delegated),
        sockets=tuple(sockets.listening(our_wireguard_ports)),
        resolvers=tuple(_resolvers()),
        local_ports=_local_ports(),
        conntrack_max=_number("net/netfilter/nf_conntrack_max"),
        rp_filter=_number("net/ipv4/conf/all/rp_filter"),
    )
    try:
        objects = firewall.ruleset()
    except (V6nativeError, ValueError):
        return facts  # no nft: then there are no rules of its either
    return replace(
        facts,
        masquerade=tuple(firewall.masquerades(objects)),
        forward_drop=tuple(firewall.forward_drops(objects)),
    )


def _interfaces(netlink: Netlink, ours: frozenset[str]) -> Iterator[InterfaceFacts]:
    addresses, leases = list(netlink.addresses()), set(netlink.leases())
    for link in netlink.links:
        name = link.get_attr("IFLA_IFNAME")
        if link["ifi_type"] == _LOOPBACK:
            continue
        info, master = link.get_attr("IFLA_LINKINFO"), link.get_attr("IFLA_MASTER")
        here = [a.ip for a in addresses if a.interface == name and not a.ip.ip.is_link_local]
        yield InterfaceFacts(
            name=name,
            mtu=link.get_attr("IFLA_MTU"),
            up=bool(link["flags"] & _IFF_UP),
            kind=(info.get_attr("IFLA_INFO_KIND") or "") if info else "",
            master=netlink.name(master) if master else None,
            mac=link.get_attr("IFLA_ADDRESS"),
            ipv4=tuple(a for a in here if isinstance(a, ipaddress.IPv4Interface)),
            ipv6=tuple(a for a in here if isinstance(a, ipaddress.IPv6Interface)),
            ours=name in ours,
            leased=frozenset(a for a in here if isinstance(a, ipaddress.IPv6Interface) and (name, a) in leases),
        )


def _routes(netlink: Netlink) -> tuple[list[DefaultRoute], list[IPv6Network]]:
    defaults: list[DefaultRoute] = []
    delegated: list[IPv6Network] = []
    for family, message in netlink.main_routes():
        if message["dst_len"] == 0:
            defaults += _default(netlink, family, message)
        elif family == 6 and message["type"] == _RTN_UNREACHABLE and message["proto"] != _RTPROT_KERNEL:
            network = IPv6Network((message.get_attr("RTA_DST"), message["dst_len"]))
            if network.subnet_of(_GLOBAL6):
                delegated.append(network)
    return defaults, delegated


def _default(netlink: Netlink, family: int, message: Any) -> Iterator[DefaultRoute]:
    """One for each next hop."""
    metric = message.get_attr("RTA_PRIORITY") or 0
    hops = message.get_attr("RTA_MULTIPATH") or [message]
    for hop in hops:
        index = hop["oif"] if hop is not message else message.get_attr("RTA_OIF")
        gateway = hop.get_attr("RTA_GATEWAY") or (hop.get_attr("RTA_VIA") or {}).get("addr")
        name = netlink.name(index) if index else None
        if name is not None and name != "lo":
            address = ipaddress.ip_address(gateway) if gateway else None
            yield DefaultRoute(family, name, address, metric, message["proto"] == _RTPROT_RA)


def _resolvers() -> Iterator[IPv4Address | IPv6Address]:
    try:
        lines = RESOLV_CONF.read_text(errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            try:
                yield ipaddress.ip_address(words[1])
            except ValueError:
                continue  # resolv.conf(5) ignores what it cannot read


def _local_ports() -> PortRange:
    words = (sysctl.read("net/ipv4/ip_local_port_range") or "").split()
    return PortRange(int(words[0]), int(words[1])) if len(words) == 2 else HostFacts().local_ports


def _number(key: str) -> int | None:
    text = sysctl.read(key)
    return int(text) if text and text.isdigit() else None
