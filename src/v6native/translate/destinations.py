# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Which IPv4 destinations are closed, whatever IPv6 address stands for them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from v6native.address import NON_GLOBAL_IPV4


@dataclass(frozen=True, slots=True)
class Destinations:
    """`refused4` against `open4`: the longest match wins, and `open4` where both are as long."""

    refused4: tuple[IPv4Network, ...] = tuple(network for network, _ in NON_GLOBAL_IPV4)
    open4: tuple[IPv4Network, ...] = ()

    def refuses(self, destination: IPv4Address) -> bool:
        refused = max((network.prefixlen for network in self.refused4 if destination in network), default=-1)
        opened = max((network.prefixlen for network in self.open4 if destination in network), default=-1)
        return refused > opened


ALL_BUT_NON_GLOBAL, ALL = Destinations(), Destinations((), ())
