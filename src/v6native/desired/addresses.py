# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Addresses on our own interfaces. The kernel answers ICMP errors about translated packets from them (RFC 7600 §4.8)."""

from __future__ import annotations

from ipaddress import IPv4Interface

from v6native.desired.node import OWN_CLAT4, Here, first_address4, first_address6, tunnel_interface
from v6native.desired.state import CLAT, CLAT_X, NAT64_X, SLOW, Address

NAT64_ADDRESS = IPv4Interface("192.0.0.8/32")
"""The IPv4 dummy address (RFC 7600): nobody's, so an ICMP error may come from it."""

CLAT_ADDRESS = IPv4Interface("192.0.0.1/32")


def addresses(here: Here) -> frozenset[Address]:
    wanted: set[Address] = set()
    if here.nat64:
        wanted.add(Address(NAT64_X, NAT64_ADDRESS))
        # The slow path's own IPv4 packets come in there, and rp_filter drops all on an interface without an address.
        wanted.add(Address(SLOW, NAT64_ADDRESS))
    if here.clat:
        wanted.add(Address(CLAT_X, CLAT_ADDRESS))
    if here.own_clat:
        wanted.add(Address(CLAT, IPv4Interface((OWN_CLAT4, 32))))
    for tunnel in here.tunnels:
        name = tunnel_interface(tunnel.name)
        wanted.add(Address(name, first_address6(tunnel)))
        ipv4 = first_address4(tunnel)
        if ipv4 is not None:
            wanted.add(Address(name, ipv4))
    return frozenset(wanted)
