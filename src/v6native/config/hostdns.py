# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""DNS64 on this machine: who holds port 53, and whether the resolver behind us is we ourselves."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from v6native.config.convert import UNBOUND
from v6native.config.host import Host
from v6native.config.hostports import name_of
from v6native.config.modeldns import (
    Upstream,
)
from v6native.config.positions import KeyPath
from v6native.config.problem import ConfigProblem

PORT = 53
Address = IPv4Address | IPv6Address


def check(host: Host) -> Iterator[ConfigProblem]:
    if not host.config.dns64.enabled:
        return
    yield from _held(host)
    yield from _loops(host)
    yield from _unbound(host)


def _held(host: Host) -> Iterator[ConfigProblem]:
    """One problem a program, not one an address."""
    named: set[str] = set()
    for address, path in host.listeners().items():
        holder = next((s for s in host.facts.sockets if not s.ours and s.holds(address, PORT)), None)
        if holder is None or (name := name_of(holder)) in named:
            continue
        named.add(name)
        at = f"[{holder.address}]" if holder.address.version == 6 else f"{holder.address}"
        what = f"port 53 of {address} is held by {name}, which listens on {at}:53"
        remedy = (
            "let it listen on other addresses (127.0.0.1, say), or write [dns64] listen = the addresses that are free"
        )
        yield host.error("port-53", path, what, remedy)


def _loops(host: Host) -> Iterator[ConfigProblem]:
    ours = _answering(host)
    upstream, path = host.config.dns64.upstream, ("dns64", "upstream")
    if not upstream:
        loop = next((r for r in host.facts.resolvers if r in ours), None)
        if loop is not None:
            what = f"/etc/resolv.conf names {loop}, our own listener: DNS64 would ask itself, forever"
            yield host.error(
                "loop", path, what, 'write upstream = the addresses of the resolvers behind us, or ["unbound"]'
            )
        elif not host.facts.resolvers:
            what = "/etc/resolv.conf names no resolver, and the file names none either"
            yield host.error("no-upstream", path, what, 'write upstream = ["unbound"], or the addresses of resolvers')
    asked: list[tuple[KeyPath, Upstream]] = [(path, server) for server in upstream]
    asked += [(("dns64", "zone", i, "upstream"), s) for i, z in enumerate(host.config.dns64.zones) for s in z.upstream]
    for key, server in asked:
        if server.port == PORT and server.address in ours:
            what = f"{server.address} is our own listener: DNS64 would ask itself, forever"
            yield host.error("loop", key, what, 'write the resolver behind us, or "address#port" of another port')


def _answering(host: Host) -> set[Address]:
    """The addresses that DNS64 answers on; `::` and `0.0.0.0` are all of the node's own, which loopback is not."""
    own: set[Address] = set()
    for tunnel in host.tunnels:
        own.add(tunnel.prefix[1])
        if tunnel.clat4:
            own.add(tunnel.clat4[1])
    for interface in host.facts.interfaces:
        if not interface.ours:
            own |= {a.ip for a in interface.global_ipv6} | {a.ip for a in interface.ipv4}
    listeners = host.listeners()
    wild = {address.version for address in listeners if address.is_unspecified}
    return {*listeners, *(a for a in own if a.version in wild and not a.is_loopback)}


def _unbound(host: Host) -> Iterator[ConfigProblem]:
    local = [s for s in UNBOUND if s in host.config.dns64.upstream]
    if local and not any(socket.holds(s.address, s.port) for s in local for socket in host.facts.sockets):
        what = "no resolver listens on 127.0.0.1 or ::1, port 53"
        remedy = "start unbound (Debian: `apt install unbound`), or name other resolvers"
        yield host.warning("no-upstream", ("dns64", "upstream"), what, remedy)
