# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Where the kernel would send a packet: `ip route get`, by rtnetlink (RTM_GETROUTE)."""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_address
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from v6native.desired.state import RouteFound, RouteQuestion, Way

# linux/rtnetlink.h: the table of the route in the answer; IPv6 always tells it, and refuses the flag.
_RTM_F_LOOKUP_TABLE = 0x1000
_TYPES = {1: "unicast", 2: "local", 3: "broadcast", 5: "multicast", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
_ERRORS = {
    errno.ENETUNREACH: "no_route",
    errno.EHOSTUNREACH: "unreachable",
    errno.EACCES: "prohibit",
    errno.EINVAL: "blackhole",
    errno.EXDEV: "bad_source",
}


def route_to(question: RouteQuestion) -> RouteFound:
    """The kernel's answer, in the network namespace of the caller."""
    six = question.destination.version == 6
    wanted: dict[str, Any] = {"dst": str(question.destination)}
    if question.source is not None:
        wanted["src"] = str(question.source)
    if question.interface is not None:
        try:
            wanted["iif"] = socket.if_nametoindex(question.interface)
        except OSError:
            return RouteFound(Way.NO_ROUTE)
    if question.mark:
        wanted["mark"] = question.mark
    if not six:
        wanted["flags"] = _RTM_F_LOOKUP_TABLE
    with IPRoute(strict_check=True) as ip:
        try:
            (message,) = ip.route("get", family=socket.AF_INET6 if six else socket.AF_INET, **wanted)
        except NetlinkError as error:
            return RouteFound(Way(_ERRORS.get(error.code, "no_route")))
        return _found(ip, message)


def _found(ip: IPRoute, message: Any) -> RouteFound:
    index, via, metrics = message.get_attr("RTA_OIF"), message.get_attr("RTA_VIA"), message.get_attr("RTA_METRICS")
    gateway = via["addr"] if via else message.get_attr("RTA_GATEWAY")
    name, mtu = None, metrics.get_attr("RTAX_MTU") if metrics else None
    if index is not None:
        (link,) = ip.get_links(index)
        name, mtu = link.get_attr("IFLA_IFNAME"), mtu or link.get_attr("IFLA_MTU")
    return RouteFound(
        way=Way(_TYPES.get(message["type"], "no_route")),
        interface=name,
        gateway=ip_address(gateway) if gateway else None,
        table=message.get_attr("RTA_TABLE") or message["table"],
        mtu=mtu,
    )
