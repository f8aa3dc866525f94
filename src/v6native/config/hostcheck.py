# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A Config against the machine that shall be one of its nodes: what cannot work there. Pure; the facts are given.

Errors are what makes a key do the opposite of what it says; what may still change by itself is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from v6native.config import hostdns, hostports
from v6native.config.facts import HostFacts
from v6native.config.host import Host
from v6native.config.model import Config, OwnIPv4
from v6native.config.positions import KeyPath
from v6native.config.problem import ConfigProblem

WIREGUARD_OVERHEAD = 80  # IPv6 40, UDP 8, WireGuard 32
IPV6_LEAST_MTU = 1280  # RFC 8200 §5


def check_host(config: Config, node: str, facts: HostFacts) -> list[ConfigProblem]:
    """Errors and warnings, in the order of the file; KeyError where the file has no such node."""
    host = Host(config, config.node(node), facts)
    found = [
        *_interfaces(host),
        *_prefixes(host),
        *_pool4(host),
        *_tunnels(host),
        *_firewall(host),
        *hostports.check(host),
        *hostdns.check(host),
    ]
    return sorted(found, key=lambda p: (p.file != config.path, str(p.file), p.line or 0, p.key))


def _interfaces(host: Host) -> Iterator[ConfigProblem]:
    facts, node = host.facts, host.node
    names = [i.name for i in facts.interfaces]
    route = facts.default_route(6) or facts.default_route(4)
    for path, name in (host.path("uplink"), node.uplink), *((host.path("lan", i), n) for i, n in enumerate(node.lan)):
        if name in names:
            continue
        close = get_close_matches(name, names, 1)
        guess = route.interface if path[-1] == "uplink" and route else next(iter(close), None)
        remedy = f'did you mean "{guess}"?' if guess else "`ip link` shows which there are"
        what = f'this machine has no interface "{name}"'
        if path[-1] == "uplink" and route:
            # Another interface leads to the internet: a mistyped name, since an uplink that is yet to come has the route.
            yield host.error("no-interface", path, what, remedy)
        else:
            yield host.warning("no-interface", path, what, f"{remedy}; it is taken up when it comes")
    uplink = facts.interface(node.uplink)
    if uplink is not None and uplink.mtu < IPV6_LEAST_MTU:
        what = f"{uplink.name} has an MTU of {uplink.mtu}; IPv6 needs {IPV6_LEAST_MTU} (RFC 8200 §5)"
        yield host.error(
            "mtu", host.path("uplink"), what, f"`ip link set {uplink.name} mtu 1500`, if the link carries it"
        )
    if node.own_ipv4 is OwnIPv4.NATIVE and facts.default_route(4) is None:
        what = "this machine has no IPv4 default route, so its own IPv4 leads nowhere"
        yield host.warning("no-route", host.path("own_ipv4"), what, 'write own_ipv4 = "auto"')


def _prefixes(host: Host) -> Iterator[ConfigProblem]:
    """What LANs and uplink have on link, against what the file gives to others."""
    config = host.config
    taken: list[tuple[KeyPath, str]] = [(("network", "pref64", i), "pref64") for i in range(len(config.network.pref64))]
    prefixes = list(config.network.pref64)
    for tunnel in host.tunnels:
        taken.append((("tunnel", tunnel.name, "prefix"), f"prefix of the tunnel {tunnel.name}"))
        prefixes.append(tunnel.prefix)
    for interface in (host.node.uplink, *host.node.lan):
        for onlink in host.facts.onlink6(interface):
            for (path, word), prefix in zip(taken, prefixes, strict=True):
                # A part of the uplink's on-link prefix is fine: the node answers for it there.
                proxied = interface == host.node.uplink and prefix.subnet_of(onlink) and prefix != onlink
                if prefix.overlaps(onlink) and not proxied:
                    what = f"the {word}, {prefix}, overlaps {onlink}, which is on {interface}"
                    yield host.error("overlap", path, what, "write a prefix that nothing else uses")
    for tunnel in host.tunnels:
        for found in host.foreign_interfaces:
            for onlink4 in host.facts.onlink4(found.name):
                if tunnel.clat4 and tunnel.clat4.overlaps(onlink4):
                    what = f"{tunnel.clat4} overlaps {onlink4}, which is on {found.name}"
                    remedy = "write another part of 100.64.0.0/10 or of private space"
                    yield host.error("overlap", ("tunnel", tunnel.name, "clat4"), what, remedy)


def _pool4(host: Host) -> Iterator[ConfigProblem]:
    uplink = host.facts.ipv4_of(host.node.uplink)
    path = host.path("pool4")
    if uplink is None and any(entry.shared for entry in host.node.pool4):
        what = f"{host.node.uplink} has no IPv4 address yet, so the NAT64 has none"
        yield host.warning(
            "no-ipv4", path, what, f"look at `ip address show {host.node.uplink}`; it is followed when it comes"
        )
    for entry in host.node.pool4:
        if entry.network is None:
            continue
        for interface in host.foreign_interfaces:
            for address in interface.ipv4:
                if address.ip in entry.network:
                    what = f"{address.ip} is this node's own address on {interface.name}: its own services would vanish"
                    remedy = "write an address that no interface has"
                    if interface.name == host.node.uplink:
                        remedy = 'write "uplink:40000-59999", which shares the address'
                    yield host.error("own-address", path, what, remedy)


def _tunnels(host: Host) -> Iterator[ConfigProblem]:
    uplink = host.facts.interface(host.node.uplink)
    for tunnel in host.tunnels:
        room = uplink.mtu - WIREGUARD_OVERHEAD if uplink else tunnel.mtu
        if tunnel.mtu > room and uplink:
            what = f"an MTU of {tunnel.mtu} and WireGuard's {WIREGUARD_OVERHEAD} bytes do not fit into {uplink.mtu} of {uplink.name}"
            remedy = f"write mtu = {room}" if room >= IPV6_LEAST_MTU else "use an uplink with a larger MTU"
            yield host.warning("mtu", ("tunnel", tunnel.name, "mtu"), what, remedy)


def _firewall(host: Host) -> Iterator[ConfigProblem]:
    shared = host.shared_ports()
    for rule in host.facts.masquerade:
        if not shared or rule.interface not in (None, host.node.uplink):
            continue
        ports = rule.ports
        if ports is None or any(ports.first <= r.last and r.first <= ports.last for r in shared):
            below = min(r.first for r in shared) - 1
            what = f"the masquerade rule in {rule.where} may take ports of the NAT64's range for hosts behind this node"
            other = f"`meta l4proto {{ tcp, udp }} masquerade to :1024-{below}`" if below > 1024 else "other ports"
            # Without the first rule the translated packets themselves would get those ports, and no answer come back.
            remedy = f"write `meta mark & 0x10000000 != 0 accept` before it, and give it {other}"
            yield host.warning("masquerade", host.path("pool4"), what, remedy)
    for drop in host.facts.forward_drop:
        what = f"{drop.where} drops what is forwarded, translated packets too"
        remedy = "accept there what comes from and goes to nat64-x and clat-x, and your LANs and tunnels"
        yield host.warning("forward-drop", host.path("uplink"), what, remedy)
