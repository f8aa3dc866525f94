# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Machines in a row, the least that forwards: clients ── gateway ── servers, each a namespace; what the gateway does is `peers`'.

A lane is one such row; a gateway with two lanes has a client side and a server side for each CPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from secrets import token_hex

from bench.generator import attach_sink
from v6native.lab.estate import Estate
from v6native.lab.lab import require_machine
from v6native.lab.node import Node, hold
from v6native.lab.topology import Address, Cable, InterfaceAddress, Port, Route, Topology
from v6native.lab.wiring import wire

PREF64 = IPv6Network("2001:db8:64:64::/96")
NETWORK6 = IPv6Network("2001:db8:64::/48")
POOL = IPv4Network("203.0.113.0/26")
CLAT4 = IPv4Network("100.64.0.0/16")
ANY4, ANY6 = IPv4Network("0.0.0.0/0"), IPv6Network("::/0")


@dataclass(frozen=True, slots=True)
class Lane:
    """The addresses of one row. Clients are /64s of `clients6` and addresses of `clients4`, all behind `client6`."""

    number: int = 0

    @property
    def lan(self) -> str:
        """The gateway's interface to the clients."""
        return f"lan{self.number}"

    @property
    def uplink(self) -> str:
        return f"up{self.number}"

    @property
    def client6(self) -> IPv6Address:
        return IPv6Address(f"2001:db8:64:{self.number + 1}::5")

    @property
    def client4(self) -> IPv4Address:
        return IPv4Address(f"198.18.{self.number}.5")

    @property
    def lan6(self) -> IPv6Address:
        return IPv6Address(f"2001:db8:64:{self.number + 1}::1")

    @property
    def lan4(self) -> IPv4Address:
        return IPv4Address(f"198.18.{self.number}.1")

    @property
    def up6(self) -> IPv6Address:
        return IPv6Address(f"2001:db8:2:{self.number}::1")

    @property
    def up4(self) -> IPv4Address:
        return IPv4Address(f"198.19.{self.number}.1")

    @property
    def router6(self) -> IPv6Address:
        return IPv6Address(f"2001:db8:2:{self.number}::fe")

    @property
    def router4(self) -> IPv4Address:
        return IPv4Address(f"198.19.{self.number}.254")

    @property
    def server6(self) -> IPv6Address:
        return IPv6Address(f"2001:db8:80:{self.number}::80")

    @property
    def server4(self) -> IPv4Address:
        return IPv4Address(f"198.51.100.{128 * self.number + 8}")

    @property
    def clients6(self) -> IPv6Network:
        return IPv6Network(f"2001:db8:{0x100 + self.number:x}::/48")

    @property
    def clients4(self) -> IPv4Network:
        return IPv4Network(f"10.{self.number}.0.0/16")


@dataclass(frozen=True, slots=True)
class Chain:
    """Standing machines. `clients` and `servers` have one node for each lane; their interface is eth0."""

    name: str
    gateway: Node
    clients: tuple[Node, ...]
    servers: tuple[Node, ...]
    lanes: tuple[Lane, ...]

    def mac(self, node: Node, interface: str) -> str:
        return node.path(f"/sys/class/net/{interface}/address").read_text().strip()

    def macs_up(self, lane: Lane) -> tuple[str, str]:
        """Destination and source of a frame from the clients."""
        return self.mac(self.gateway, lane.lan), self.mac(self.clients[lane.number], "eth0")

    def macs_down(self, lane: Lane) -> tuple[str, str]:
        """The same of one from the servers."""
        return self.mac(self.gateway, lane.uplink), self.mac(self.servers[lane.number], "eth0")


def received(node: Node, interface: str = "eth0") -> int:
    """Packets that arrived there so far."""
    return int(node.path(f"/sys/class/net/{interface}/statistics/rx_packets").read_text())


@contextmanager
def estate() -> Iterator[Estate]:
    """A name for this run's machines, which are gone at the end."""
    require_machine()
    made = Estate(f"bench{token_hex(2)}")
    with made.locked():
        made.folder.mkdir(mode=0o755, parents=True)
        made.bring_bpffs()
    try:
        yield made
    finally:
        with made.locked():
            made.remove()


def stand(made: Estate, name: str, lanes: int = 1) -> Chain:
    """The row called `name`, as a plain forwarding gateway."""
    here = tuple(Lane(number) for number in range(lanes))
    topology = _topology(name, here)
    nodes = {node: hold(made.name, node, made.pid_file(node)) for node in topology.nodes}
    wire(topology, nodes)
    chain = Chain(
        name,
        nodes[name],
        tuple(nodes[f"{name}-c{lane.number}"] for lane in here),
        tuple(nodes[f"{name}-s{lane.number}"] for lane in here),
        here,
    )
    for lane in here:
        _neighbours(chain, lane)
    return chain


def take_packets(chain: Chain) -> None:
    """Ready for the generator: the ends count and drop what arrives, the gateway polls its interfaces as a driver does."""
    for lane in chain.lanes:
        for node in (chain.clients[lane.number], chain.servers[lane.number]):
            attach_sink(node, "eth0")
        for interface in (lane.lan, lane.uplink):
            # With GRO a veth receives by NAPI, without which nothing that XDP redirects arrives (drivers/net/veth.c).
            chain.gateway.run("ethtool", "-K", interface, "gro", "on")


def _topology(name: str, lanes: Sequence[Lane]) -> Topology:
    cables, routes = [], []
    for lane in lanes:
        clients, servers = f"{name}-c{lane.number}", f"{name}-s{lane.number}"
        cables.append(
            Cable(
                Port(clients, "eth0", _on(24, lane.client4, lane.client6)),
                Port(name, lane.lan, _on(24, lane.lan4, lane.lan6)),
            )
        )
        cables.append(
            Cable(
                Port(name, lane.uplink, _on(24, lane.up4, lane.up6)),
                Port(servers, "eth0", _on(24, lane.router4, lane.router6) + _on(32, lane.server4, lane.server6)),
            )
        )
        routes += [Route(clients, ANY4, lane.lan4), Route(clients, ANY6, lane.lan6)]
        routes += [Route(servers, ANY4, lane.up4), Route(servers, ANY6, lane.up6)]
        routes += [Route(name, lane.clients4, lane.client4), Route(name, lane.clients6, lane.client6)]
        routes += [Route(name, IPv4Network((int(lane.server4) & ~127, 25)), lane.router4)]
        routes += [Route(name, IPv6Network((int(lane.server6) & ~0xFFFF, 112)), lane.router6)]
    routes += [Route(name, ANY4, lanes[0].router4), Route(name, ANY6, lanes[0].router6)]
    ends = [node for lane in lanes for node in (f"{name}-c{lane.number}", f"{name}-s{lane.number}")]
    return Topology((name, *ends), tuple(cables), tuple(routes), (name,), name)


def _on(length4: int, four: IPv4Address, six: IPv6Address) -> tuple[InterfaceAddress, ...]:
    return IPv4Interface((four, length4)), IPv6Interface((six, 128 if length4 == 32 else 64))


def _neighbours(chain: Chain, lane: Lane) -> None:
    """Known for good: no packet of a measurement waits for an answer."""
    client, server = chain.clients[lane.number], chain.servers[lane.number]
    known: list[tuple[str, Node, tuple[Address, ...]]] = [
        (lane.lan, client, (lane.client4, lane.client6)),
        (lane.uplink, server, (lane.router4, lane.router6)),
    ]
    for interface, node, addresses in known:
        mac = chain.mac(node, "eth0")
        for address in addresses:
            add = ("ip", "neighbour", "replace", str(address), "lladdr", mac, "dev", interface, "nud", "permanent")
            chain.gateway.run(*add)
