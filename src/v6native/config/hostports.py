# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Programs of the node that hold a port which the file gives to the NAT64, a static BIB entry or a tunnel."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from v6native.config.facts import ListeningSocket
from v6native.config.host import Host
from v6native.config.model import Proto
from v6native.config.positions import KeyPath
from v6native.config.problem import ConfigProblem

ANY4 = IPv4Address(0)


def check(host: Host) -> Iterator[ConfigProblem]:
    foreign = [socket for socket in host.facts.sockets if not socket.ours]
    yield from _shared(host, foreign)
    yield from _static(host, foreign)
    for tunnel in host.tunnels:
        holder = next((s for s in foreign if s.proto is Proto.UDP and s.holds(ANY4, tunnel.listen)), None)
        if holder is not None:
            what = f"UDP port {tunnel.listen} is held by {name_of(holder)}"
            yield host.error("port-taken", ("tunnel", tunnel.name, "listen"), what, "write another port, or stop it")


def name_of(socket: ListeningSocket) -> str:
    if socket.process is None:
        return "a program that could not be named (as root, `ss -lnp` shows it)"
    return f"{socket.process} (process {socket.pid})" if socket.pid is not None else socket.process


def _on_uplink(host: Host, socket: ListeningSocket) -> bool:
    """Whether it takes packets to the uplink's IPv4 address."""
    uplink = host.facts.ipv4_of(host.node.uplink)
    return socket.holds(uplink, socket.port) if uplink is not None else False


def _shared(host: Host, foreign: list[ListeningSocket]) -> Iterator[ConfigProblem]:
    """In the shared range a packet never reaches the node.

    A UDP port that the kernel may have chosen is gone soon, and none is chosen there once `up` has reserved the range.
    """
    for socket in sorted({s for s in foreign if _on_uplink(host, s)}, key=lambda s: (s.port, s.proto, s.pid or 0)):
        inside = next((r for r in host.shared_ports() if r.first <= socket.port <= r.last), None)
        if inside is None:
            continue
        what = (
            f"{name_of(socket)} has {socket.proto.upper()} port {socket.port} of the uplink's address, in the NAT64's "
            f"range {inside.first}-{inside.last}: from outside it would not be reached"
        )
        chosen = host.facts.local_ports.first <= socket.port <= host.facts.local_ports.last
        path = host.path("pool4")
        if chosen and socket.proto is Proto.UDP:
            yield host.warning("port-taken", path, what, "restart the program after `up`, if it lives on")
        else:
            yield host.error("port-taken", path, what, "write a range without that port, or move the program")


def _static(host: Host, foreign: list[ListeningSocket]) -> Iterator[ConfigProblem]:
    uplink = host.facts.ipv4_of(host.node.uplink)
    for i, entry in enumerate(host.config.nat64.static):
        path: KeyPath = ("nat64", "static", i, "ipv4")
        if entry.node not in (None, host.node.name) or uplink is None or entry.ipv4 not in (None, uplink):
            continue
        ports = range(entry.port4, entry.port4 + entry.count)
        held = ((p, s) for p in ports for s in foreign if s.proto is entry.proto and s.holds(uplink, p))
        port, holder = next(held, (0, None))
        if holder is not None:
            what = f"{entry.proto.upper()} port {port} of the uplink's address is held by {name_of(holder)}"
            yield host.warning("port-taken", path, f"{what}, which would not be reached any more", "write another port")
