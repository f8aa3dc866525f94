# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""rtnetlink by pyroute2, which nothing else imports: values of desired/state in, values of desired/state out.

A `Netlink` belongs to the network namespace in which it was opened, and is closed after use.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network, ip_address
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from v6native.desired.state import (
    ALIAS,
    LOCAL_TABLE,
    PROTOCOL,
    Address,
    AnyNetwork,
    Link,
    Neighbour,
    Route,
    RouteKind,
    Rule,
)
from v6native.errors import SystemActionError
from v6native.system.neighbours import proxies

# linux/if_addr.h
_IFA_F_PERMANENT = 0x80
_FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
_SCOPE_UNIVERSE, _SCOPE_LINK = 0, 253
_RTN_UNICAST, _RTN_UNREACHABLE = 1, 7
_NUD_PERMANENT = 0x80
_NTF_PROXY = 0x08
_RTPROT_KERNEL = 2
_FR_ACT_TO_TBL = 1


def _network(family: int, address: str | None, length: int) -> AnyNetwork:
    if family == 4:
        return IPv4Network((address or "0.0.0.0", length))
    return IPv6Network((address or "::", length))


# tc filters hang below these (linux/pkt_sched.h: TC_H_CLSACT with TC_H_MIN_INGRESS, TC_H_MIN_EGRESS).
_SIDES = {"ingress": 0xFFFFFFF2, "egress": 0xFFFFFFF3}
_NO_QUEUE = frozenset({"ingress", "clsact"})


@dataclass(frozen=True, slots=True)
class Filter:
    """A tc filter; `side` is ingress or egress, `program` the name of a BPF one."""

    side: str
    kind: str
    priority: int
    handle: int
    program: str


class Netlink:
    """One open rtnetlink socket, with the names of the interfaces as they were when it was opened."""

    def __init__(self) -> None:
        # The strict check makes the kernel filter dumps: a router's full BGP table stays out of ours.
        self._ip = IPRoute(strict_check=True)
        self._names: dict[int, str] = {}
        self.links: list[Any] = []
        self.refresh()

    def __enter__(self) -> Netlink:
        return self

    def __exit__(self, *_: object) -> None:
        self._ip.close()

    def refresh(self) -> None:
        self.links = list(self._ip.get_links())
        self._names = {link["index"]: link.get_attr("IFLA_IFNAME") for link in self.links}

    def name(self, index: int) -> str | None:
        return self._names.get(index)

    def index(self, name: str) -> int:
        for index, known in self._names.items():
            if known == name:
                return index
        raise SystemActionError(f"there is no interface {name}")

    # Reading

    def addresses(self) -> Iterator[Address]:
        for message in self._ip.get_addr():
            name = self.name(message["index"])
            # A point-to-point address has its peer in IFA_ADDRESS and itself in IFA_LOCAL.
            text = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
            if name is None or text is None:
                continue
            if message["family"] == socket.AF_INET:
                yield Address(name, IPv4Interface((text, message["prefixlen"])))
            else:
                yield Address(name, IPv6Interface((text, message["prefixlen"])))

    def leases(self) -> Iterator[tuple[str, IPv6Interface]]:
        """IPv6 addresses that have a lifetime, by interface."""
        for message in self._ip.get_addr(family=socket.AF_INET6):
            flags = message.get_attr("IFA_FLAGS") or message["flags"]
            name, text = self.name(message["index"]), message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
            if name is not None and text is not None and not flags & _IFA_F_PERMANENT:
                yield name, IPv6Interface((text, message["prefixlen"]))

    def routes(self) -> Iterator[Route]:
        """Ours only."""
        for version, family in _FAMILY.items():
            for message in self._ip.get_routes(family=family, proto=PROTOCOL):
                if message["proto"] == PROTOCOL:
                    yield self._route(version, message)

    def main_routes(self) -> Iterator[tuple[int, Any]]:
        """Family and message of each route of the main table that is not ours."""
        for version, family in _FAMILY.items():
            for message in self._ip.get_routes(family=family, table=254):
                if message["proto"] != PROTOCOL and (message.get_attr("RTA_TABLE") or message["table"]) == 254:
                    yield version, message

    def _route(self, version: int, message: Any) -> Route:
        metrics = message.get_attr("RTA_METRICS")
        via = message.get_attr("RTA_VIA")
        gateway = via["addr"] if via else message.get_attr("RTA_GATEWAY")
        source = message.get_attr("RTA_PREFSRC")
        index = message.get_attr("RTA_OIF")
        return Route(
            destination=_network(version, message.get_attr("RTA_DST"), message["dst_len"]),
            device=self.name(index) if index else None,
            gateway=IPv6Address(gateway) if gateway else None,
            table=message.get_attr("RTA_TABLE") or message["table"],
            metric=message.get_attr("RTA_PRIORITY") or 0,
            mtu=(metrics.get_attr("RTAX_MTU") if metrics else None) or 0,
            source=ip_address(source) if source else None,
            kind=RouteKind.UNREACHABLE if message["type"] == _RTN_UNREACHABLE else RouteKind.UNICAST,
        )

    def rules(self) -> Iterator[Rule]:
        """Ours only."""
        for version, family in _FAMILY.items():
            for message in self._ip.get_rules(family=family):
                if message.get_attr("FRA_PROTOCOL") == PROTOCOL:
                    yield _rule(version, message)

    def has_kernel_local_rule(self) -> bool:
        """IPv4's rule of preference 0 for the local table, by whomever."""
        return any(
            not message.get_attr("FRA_PRIORITY")
            and message.get_attr("FRA_TABLE") == LOCAL_TABLE
            and message.get_attr("FRA_PROTOCOL") != PROTOCOL
            for message in self._ip.get_rules(family=socket.AF_INET)
        )

    def neighbours(self, ours: frozenset[str]) -> Iterator[Neighbour]:
        """Permanent ones on interfaces of ours, and proxy entries with our protocol number anywhere."""
        for family in _FAMILY.values():
            for message in self._ip.get_neighbours(family=family):
                name = self.name(message["ifindex"])
                if message["state"] & _NUD_PERMANENT and name in ours:
                    address, mac = message.get_attr("NDA_DST"), message.get_attr("NDA_LLADDR")
                    yield Neighbour(name, ip_address(address), mac)
        for index, proxied, protocol in proxies():
            name = self.name(index)
            if protocol == PROTOCOL and name is not None:
                yield Neighbour(name, proxied)

    def filters(self, name: str) -> Iterator[Filter]:
        """Of anybody, at both sides of an interface."""
        for side, parent in _SIDES.items():
            try:
                messages = list(self._ip.get_filters(index=self.index(name), parent=parent))
            except NetlinkError as error:
                if error.code in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENODEV):
                    continue  # nothing is there that has filters
                raise SystemActionError(f"tc filters of {name}: the kernel says “{error.args[1]}”") from error
            for message in messages:
                options = message.get_attr("TCA_OPTIONS")
                kind = message.get_attr("TCA_KIND")
                # Without a handle: only the head under which filters of one priority hang.
                if message["handle"]:
                    program = options.get_attr("TCA_BPF_NAME") if kind == "bpf" and options else None
                    yield Filter(side, kind, message["info"] >> 16, message["handle"], program or "")

    def qdiscs(self) -> Iterator[tuple[str, str]]:
        """Interface and kind of each queueing discipline at egress, of anybody."""
        for message in self._ip.get_qdiscs():
            name, kind = self.name(message["index"]), message.get_attr("TCA_KIND")
            if name is not None and kind not in _NO_QUEUE:
                yield name, kind

    # Changing

    def add_veth(self, link: Link, peer: Link) -> None:
        other = {"ifname": peer.name, "mtu": peer.mtu, "address": peer.mac}
        with _told(f"veth {link.name}"):
            self._ip.link("add", ifname=link.name, kind="veth", mtu=link.mtu, address=link.mac, peer=other)
        self.refresh()
        self.mark(link.name)
        self.mark(peer.name)

    def add_tap(self, link: Link) -> None:
        with _told(f"TAP {link.name}"):
            self._ip.link("add", ifname=link.name, kind="tuntap", mode="tap")
        self.refresh()
        self.mark(link.name)
        self.set_link(link.name, mtu=link.mtu, address=link.mac)

    def add_wireguard(self, link: Link) -> bool:
        """False where the kernel has no WireGuard."""
        try:
            self._ip.link("add", ifname=link.name, kind="wireguard", mtu=link.mtu)
        except NetlinkError as error:
            if error.code == errno.EOPNOTSUPP:
                return False
            raise SystemActionError(f"WireGuard interface {link.name}: {error}") from error
        self.refresh()
        self.mark(link.name)
        return True

    def mark(self, name: str) -> None:
        self.set_link(name, ifalias=ALIAS)

    def set_link(self, name: str, **settings: Any) -> None:
        with _told(f"interface {name}"):
            self._ip.link("set", index=self.index(name), **settings)

    def remove_link(self, name: str) -> None:
        with _told(f"interface {name}"):
            self._ip.link("del", index=self.index(name))
        self.refresh()

    def address(self, verb: str, address: Address) -> None:
        family = _FAMILY[address.ip.version]
        extra = {"flags": 0x02} if address.ip.version == 6 else {}  # IFA_F_NODAD: nobody else is on our links
        with _told(f"address {address.ip} on {address.interface}"):
            self._ip.addr(
                verb,
                index=self.index(address.interface),
                address=str(address.ip.ip),
                prefixlen=address.ip.network.prefixlen,
                family=family,
                **(extra if verb == "add" else {}),
            )

    def set_neighbour(self, entry: Neighbour) -> None:
        what: dict[str, Any] = {"flags": _NTF_PROXY, "protocol": PROTOCOL}
        if entry.mac is not None:
            what = {"lladdr": entry.mac, "state": "permanent"}
        with _told(f"neighbour {entry.address} on {entry.interface}"):
            self._ip.neigh("replace" if entry.mac else "add", **self._neighbour(entry), **what)

    def remove_neighbour(self, entry: Neighbour) -> None:
        flags = {} if entry.mac is not None else {"flags": _NTF_PROXY}
        with _told(f"neighbour {entry.address} on {entry.interface}"):
            self._ip.neigh("del", **self._neighbour(entry), **flags)

    def _neighbour(self, entry: Neighbour) -> dict[str, Any]:
        family = _FAMILY[entry.address.version]
        return {"dst": str(entry.address), "ifindex": self.index(entry.interface), "family": family}

    def route(self, verb: str, route: Route) -> None:
        what: dict[str, Any] = {
            "dst": str(route.destination),
            "family": _FAMILY[route.destination.version],
            "table": route.table,
            "proto": PROTOCOL,
            "priority": route.metric,
        }
        if route.kind is RouteKind.UNREACHABLE:
            what["type"] = "unreachable"
        if route.device is not None:
            what["oif"] = self.index(route.device)
            what["scope"] = _SCOPE_UNIVERSE if route.gateway or route.destination.version == 6 else _SCOPE_LINK
        if route.gateway is not None and route.destination.version == 4:
            what["via"] = {"family": socket.AF_INET6, "addr": str(route.gateway)}
        elif route.gateway is not None:
            what["gateway"] = str(route.gateway)
        if route.mtu:
            what["metrics"] = {"mtu": route.mtu}
        if route.source is not None:
            what["prefsrc"] = str(route.source)
        with _told(f"route {route.destination} in table {route.table}"):
            self._ip.route(verb, **what)

    def rule(self, verb: str, rule: Rule, protocol: int = PROTOCOL) -> None:
        what: dict[str, Any] = {
            "family": _FAMILY[rule.family],
            "priority": rule.priority,
            "table": rule.table,
            "protocol": protocol,
            "action": _FR_ACT_TO_TBL,
        }
        if rule.fwmark is not None:
            what |= {"fwmark": rule.fwmark, "fwmask": rule.fwmask or 0xFFFFFFFF}
        if rule.iif is not None:
            what["iifname"] = rule.iif
        if rule.but_default:
            what["suppress_prefixlen"] = 0
        for key, network in (("src", rule.source), ("dst", rule.destination)):
            if network is not None:
                what |= {key: str(network.network_address), f"{key}_len": network.prefixlen}
        with _told(f"rule {rule.priority}"):
            self._ip.rule(verb, **what)

    def kernel_local_rule(self, verb: str) -> None:
        """The kernel's own one: `add` of one that is there, and `del` of one that is not, do nothing."""
        try:
            self.rule(verb, Rule(0, LOCAL_TABLE), _RTPROT_KERNEL)
        except SystemActionError as error:
            cause = error.__cause__
            if not (isinstance(cause, NetlinkError) and cause.code in (errno.EEXIST, errno.ENOENT)):
                raise


def _rule(version: int, message: Any) -> Rule:
    def side(name: str, length: str) -> AnyNetwork | None:
        address = message.get_attr(name)
        return _network(version, address, message[length]) if address else None

    return Rule(
        priority=message.get_attr("FRA_PRIORITY") or 0,
        table=message.get_attr("FRA_TABLE") or message["table"],
        family=version,
        fwmark=message.get_attr("FRA_FWMARK"),
        fwmask=message.get_attr("FRA_FWMASK"),
        iif=message.get_attr("FRA_IIFNAME"),
        source=side("FRA_SRC", "src_len"),
        destination=side("FRA_DST", "dst_len"),
        but_default=message.get_attr("FRA_SUPPRESS_PREFIXLEN") == 0,
    )


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except NetlinkError as error:
        raise SystemActionError(f"{what}: the kernel says “{error.args[1]}” (error {error.code})") from error
