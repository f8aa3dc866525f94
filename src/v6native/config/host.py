# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A node of a Config together with the facts of its machine: what the checks of hostcheck look at."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from v6native.config.facts import HostFacts, InterfaceFacts
from v6native.config.model import Config, Node, PortRange, Tunnel
from v6native.config.positions import KeyPath, Place
from v6native.config.problem import ConfigProblem, Severity


@dataclass(frozen=True, slots=True)
class Host:
    config: Config
    node: Node
    facts: HostFacts

    @property
    def tunnels(self) -> tuple[Tunnel, ...]:
        return tuple(t for t in self.config.tunnels if t.node == self.node.name)

    @property
    def foreign_interfaces(self) -> tuple[InterfaceFacts, ...]:
        """Those that v6native did not make."""
        return tuple(interface for interface in self.facts.interfaces if not interface.ours)

    def shared_ports(self) -> list[PortRange]:
        """The ranges of the uplink's own address that the NAT64 takes."""
        return [entry.ports for entry in self.node.pool4 if entry.shared]

    def listeners(self) -> dict[IPv4Address | IPv6Address, KeyPath]:
        """Where DNS64 answers on this node, and the key that says so."""
        dns64 = self.config.dns64
        if dns64.listen:
            return {address: ("dns64", "listen", i) for i, address in enumerate(dns64.listen)}
        found: dict[IPv4Address | IPv6Address, KeyPath] = {}
        for i, name in enumerate(self.node.lan):
            if interface := self.facts.interface(name):
                found |= {a.ip: self.path("lan", i) for a in interface.global_ipv6}
                found |= {a.ip: self.path("lan", i) for a in interface.ipv4}
        for tunnel in self.tunnels:
            found[tunnel.prefix[1]] = ("tunnel", tunnel.name, "prefix")
            if tunnel.clat4:
                found[tunnel.clat4[1]] = ("tunnel", tunnel.name, "clat4")
        return found

    def path(self, *keys: str | int) -> KeyPath:
        """A key of this node."""
        return ("node", self.node.name, *keys)

    def error(self, code: str, path: KeyPath, what: str, remedy: str) -> ConfigProblem:
        return self._problem(code, path, what, remedy, Severity.ERROR)

    def warning(self, code: str, path: KeyPath, what: str, remedy: str) -> ConfigProblem:
        return self._problem(code, path, what, remedy, Severity.WARNING)

    def _problem(self, code: str, path: KeyPath, what: str, remedy: str, severity: Severity) -> ConfigProblem:
        positions = self.config.positions
        place = positions.of(path) if positions else Place(self.config.path, None)
        dotted = positions.dotted(path) if positions else ".".join(str(key) for key in path)
        return ConfigProblem(code, place.file, place.line, dotted, what, remedy, severity)
