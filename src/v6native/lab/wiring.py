# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Lays a topology's cables between standing nodes. Interfaces are made inside the nodes: none ever exists on the host."""

from __future__ import annotations

from collections.abc import Mapping

from v6native.lab.node import Node
from v6native.lab.topology import Port, Topology
from v6native.lab.wait import wait_until

QUIET = """
net.ipv6.conf.all.accept_dad=0
net.ipv6.conf.default.accept_dad=0
net.ipv6.conf.all.accept_ra=0
net.ipv6.conf.default.accept_ra=0
net.ipv6.conf.lo.disable_ipv6=0
net.ipv4.ping_group_range=0 2147483647
"""
"""No duplicate address detection: addresses are usable at once. No router advertisements: all is static."""

UNLIMITED = """
net.ipv4.icmp_ratelimit=0
net.ipv6.icmp.ratelimit=0
"""
"""Many tests in a row want many ICMP errors from the same hosts. edge1 keeps the kernel's limits, as users' nodes do."""

ROUTER = """
net.ipv4.ip_forward=1
net.ipv6.conf.all.forwarding=1
"""


def wire(topology: Topology, nodes: Mapping[str, Node]) -> None:
    """Cables, addresses, routes, sysctls; returns when every link is up."""
    for name in topology.nodes:
        limits = "" if name == topology.tested else UNLIMITED
        set_sysctls(nodes[name], QUIET + limits + (ROUTER if name in topology.routers else ""))
    for cable in topology.cables:
        one, other = cable.one, cable.other
        nodes[one.node].run(
            *("ip", "link", "add", one.name, "type", "veth"),
            *("peer", "name", other.name, "netns", str(nodes[other.node].pid)),
        )
    for name in topology.nodes:
        commands = ["link set lo up"]
        for port in topology.ports(name):
            commands += port_commands(port)
        commands += [f"route add {route.to} via {route.via}" for route in topology.routes if route.node == name]
        nodes[name].run("ip", "-batch", "-", stdin="\n".join(commands))
    for name in topology.nodes:
        for port in topology.ports(name):
            wait_carrier(nodes[name], port.routed)


def wait_carrier(node: Node, interface: str) -> None:
    """Until the kernel has noted that the link is up, which it does up to a second late: packets sent before are lost."""
    state = node.path(f"/sys/class/net/{interface}/operstate")
    wait_until(
        lambda: state.read_text().strip() == "up",
        10,
        lambda: f"{node.name}: {interface} is {state.read_text().strip()}",
    )


def port_commands(port: Port) -> list[str]:
    """Lines for `ip -batch`."""
    commands = []
    if port.bridge:
        commands += [
            f"link add {port.bridge} type bridge forward_delay 0",
            f"link set {port.name} master {port.bridge}",
        ]
        commands += [f"link set {port.bridge} up"]
    commands += [f"link set {port.name} up"]
    commands += [f"address add {address} dev {port.routed}" for address in port.addresses]
    return commands


def set_sysctls(node: Node, assignments: str) -> None:
    """Lines `key=value`, applied in order."""
    node.run("sysctl", "-q", "-p", "-", stdin=assignments)
