# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Kernel settings (ip-sysctl.rst), in the order in which they may be set without losing the node's own route."""

from __future__ import annotations

from v6native.config.model import PortRange
from v6native.desired.neighbours import neighbours
from v6native.desired.node import Here, tunnel_interface
from v6native.desired.state import CLAT, CLAT_X, NAT64, NAT64_X, SLOW, Sysctl

FORWARD6 = "net/ipv6/conf/all/forwarding"
FORWARD4 = "net/ipv4/ip_forward"
ERRORS_FROM_INBOUND = "net/ipv4/icmp_errors_use_inbound_ifaddr"
RESERVED_PORTS = "net/ipv4/ip_local_reserved_ports"

LOOSE = "2"
"""rp_filter: the higher of `all` and the interface counts, so this also softens a strict `all`."""


def sysctls(here: Here) -> tuple[Sysctl, ...]:
    if not (here.nat64 or here.clat or here.tunnels):
        return ()
    return tuple(_before_forwarding(here) + _forwarding(here) + _own_links(here))


def reserved_ports(here: Here) -> tuple[PortRange, ...]:
    """Ports of shared addresses: the node's own programs must not be given one of them as a source port."""
    if not here.nat64:
        return ()
    return tuple(sorted({e.ports for e in here.pool if e.shared}, key=lambda ports: (ports.first, ports.last)))


def _before_forwarding(here: Here) -> list[Sysctl]:
    """A router ignores router advertisements unless accept_ra is 2, and would lose its default route with the next one.

    The uplink may get its first advertisement only later: a host that would listen to one goes on doing so. Where it is
    0, somebody else (systemd-networkd, say) handles them, and goes on.
    """
    from_ra = {r.interface for r in here.facts.default_routes if r.family == 6 and r.from_ra}
    return [
        Sysctl(f"net/ipv6/conf/{name}/accept_ra", "2", instead_of="1", hosts_only=name not in from_ra)
        for name in sorted(from_ra | {here.node.uplink})
    ]


def _forwarding(here: Here) -> list[Sysctl]:
    wanted = [Sysctl(FORWARD6, "1"), Sysctl(FORWARD4, "1")]
    if here.own_clat_first:
        # Else an error about a forwarded packet, which has no source yet either, would take the CLAT.
        wanted.append(Sysctl(ERRORS_FROM_INBOUND, "1"))
    if any(n.mac is None and n.address.version == 6 for n in neighbours(here)):
        wanted.append(Sysctl(f"net/ipv6/conf/{here.node.uplink}/proxy_ndp", "1"))
    return wanted


def _own_links(here: Here) -> list[Sysctl]:
    ends = [(NAT64, False), (NAT64_X, True)] if here.nat64 else []
    ends += [(CLAT, False), (CLAT_X, True)] if here.clat else []
    wanted: list[Sysctl] = []
    for name, translated in ends:
        wanted += _quiet(name)
        wanted.append(Sysctl(f"net/ipv4/conf/{name}/rp_filter", _translated_rp_filter(here) if translated else LOOSE))
        if translated:
            # What the NAT64 translated may come from an address that is the node's own too.
            wanted.append(Sysctl(f"net/ipv4/conf/{name}/accept_local", "1"))
    if ends:
        wanted += _quiet(SLOW)
        wanted.append(Sysctl(f"net/ipv4/conf/{SLOW}/rp_filter", LOOSE))
        wanted.append(Sysctl(f"net/ipv4/conf/{SLOW}/accept_local", "1"))
    for tunnel in here.tunnels:
        name = tunnel_interface(tunnel.name)
        wanted += [Sysctl(f"net/ipv6/conf/{name}/disable_ipv6", "0"), *_forwards(name)]
    return wanted


def _translated_rp_filter(here: Here) -> str:
    """Off where the host's own value lets it be: each packet is then looked up once, not twice (fib_validate_source).

    The source of what we translated is ours to vouch for. Where the host filters, or does not tell, only 2 will do.
    """
    return "0" if here.facts.rp_filter == 0 else LOOSE


def _quiet(name: str) -> list[Sysctl]:
    """IPv6, but no address, no duplicate detection and no router of its own."""
    values = {"disable_ipv6": "0", "addr_gen_mode": "1", "accept_dad": "0", "accept_ra": "0"}
    return [Sysctl(f"net/ipv6/conf/{name}/{key}", value) for key, value in values.items()] + _forwards(name)


def _forwards(name: str) -> list[Sysctl]:
    return [Sysctl(f"net/ipv6/conf/{name}/forwarding", "1"), Sysctl(f"net/ipv4/conf/{name}/forwarding", "1")]
