# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the file says about a stateful NAT64: prefixes, pool4, who may use it, what for, for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from types import MappingProxyType

from v6native.address import extract
from v6native.translate.bib import Binding
from v6native.translate.clients import Client, Identity, Limits
from v6native.translate.destinations import ALL_BUT_NON_GLOBAL, Destinations
from v6native.translate.pool4 import PoolRange
from v6native.translate.tcp_states import Timer

DEFAULT_TIMEOUTS: Mapping[Timer, float] = MappingProxyType(
    {Timer.TCP_EST: 7440, Timer.TCP_TRANS: 240, Timer.TCP_INCOMING_SYN: 6, Timer.UDP: 300, Timer.ICMP: 60}
)
"""Seconds (RFC 6146 §4); TCP_EST holds the 2 h 4 min of RFC 5382 by itself."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Of `identities` the longest match counts; a source without one is the client of its first `client_prefix` bits.
    `marks`, by group of pool4 ranges: (mark, mask) of the packets that it serves; mask 0: it is chosen by source alone.
    `port_block` is the size of clients' blocks; 0: they have none.
    """

    pref64: tuple[IPv6Network, ...]
    pool: tuple[PoolRange, ...]
    sources: tuple[IPv6Network, ...]
    static: tuple[Binding, ...] = ()
    destinations: Destinations = ALL_BUT_NON_GLOBAL
    timeouts: Mapping[Timer, float] = field(default_factory=lambda: DEFAULT_TIMEOUTS)
    max_sessions: int = 131072
    address_dependent: bool = False
    identities: tuple[Identity, ...] = ()
    client_prefix: int = 64
    marks: tuple[tuple[int, int], ...] = ((0, 0),)
    port_block: int = 0
    limits: Limits = field(default_factory=Limits)

    def in_pref64(self, address: IPv6Address) -> tuple[int, IPv4Address] | None:
        """Which pref64 an address is in, and the IPv4 address inside (RFC 6146 §3.5.4)."""
        for index, pref64 in enumerate(self.pref64):
            inside = extract(pref64, address)
            if inside is not None:
                return index, inside
        return None

    def allows(self, source: IPv6Address) -> bool:
        return any(source in network for network in self.sources)

    def identity(self, source: IPv6Address) -> Identity:
        known = [each for each in self.identities if source in each.network]
        everybody = Identity(IPv6Network("::/0"), length=self.client_prefix)
        return max(known, key=lambda each: each.network.prefixlen, default=everybody)

    def client(self, source: IPv6Address) -> Client:
        return self.identity(source).of(source)

    def group(self, source: IPv6Address, mark: int) -> int:
        """Which ranges of pool4 serve a packet: its mark says, else its source."""
        by_mark = (at for at, (value, mask) in enumerate(self.marks) if mask and mark & mask == value)
        return next(by_mark, self.identity(source).group)

    def refuses(self, destination: IPv4Address) -> bool:
        """The NAT64's own addresses are open: what they lead to has a BIB entry, or is the node's to refuse."""
        return destination not in self.addresses4() and self.destinations.refuses(destination)

    def addresses4(self) -> frozenset[IPv4Address]:
        """The NAT64's own IPv4 addresses: pool4's and the static entries'."""
        return frozenset({entry.address for entry in self.pool} | {binding.address4 for binding in self.static})

    def shares(self, address: IPv4Address) -> bool:
        """Whether the node itself uses the address too."""
        return any(entry.shared for entry in self.pool if entry.address == address)

    def reserves(self, address: IPv4Address, protocol: int, port: int) -> bool:
        """Whether pool4 has this transport address."""
        return any(e.address == address and port in e.ports and protocol in e.protocols for e in self.pool)
