# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Incoming and outgoing tuples (RFC 6146 §3.4, §3.6), and who maps one to the other.

The translation of RFC 7915 knows no tables: it asks a Mapper. A stateless one looks at addresses, a stateful one at
whole tuples. `protocol` is the IPv4 number, ICMP (1) for ICMPv6 too. An ICMP query's identifier stands in both ports.
A protocol without ports, and a fragment that is not the first, has zeros there.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from v6native.translate.reasons import Reason


@dataclass(frozen=True, slots=True)
class Part:
    """Which fragment of which datagram a packet is; `offset` in bytes."""

    identification: int
    offset: int


@dataclass(frozen=True, slots=True)
class Flow4:
    protocol: int
    source: IPv4Address
    source_port: int
    destination: IPv4Address
    destination_port: int
    tcp_flags: int = 0
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Flow6:
    protocol: int
    source: IPv6Address
    source_port: int
    destination: IPv6Address
    destination_port: int
    tcp_flags: int = 0
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Error4:
    """An ICMP error's own addresses and the tuple of the packet that it quotes, as quoted (not swapped)."""

    source: IPv4Address
    destination: IPv4Address
    quoted: Flow4


@dataclass(frozen=True, slots=True)
class Error6:
    """The same for ICMPv6."""

    source: IPv6Address
    destination: IPv6Address
    quoted: Flow6


class Mapper(Protocol):
    """Each method raises Refused where there is no mapping or no permission."""

    def admit_6to4(self, source: IPv6Address, destination: IPv6Address, *, error: bool) -> None:
        """Judges by addresses alone, before anything else is done; `error`: of an ICMPv6 error."""

    def check_6to4(self, flow: Flow6) -> None:
        """Whether the flow may pass; makes no session. Asked before a packet goes to the slow path."""

    def check_4to6(self, flow: Flow4) -> None:
        """The same; asked before every packet is translated, fragmented or goes to the slow path."""

    def slow_6to4(self, flow: Flow6, reason: Reason) -> None:
        """The first fragment of this datagram goes to the slow path: the others must follow it."""

    def slow_4to6(self, flow: Flow4, reason: Reason) -> None: ...

    def flow_6to4(self, flow: Flow6) -> Flow4:
        """The outgoing tuple; makes or refreshes the session where there is one."""

    def flow_4to6(self, flow: Flow4) -> Flow6: ...

    def error_6to4(self, error: Error6) -> Error4:
        """The outgoing addresses and tuple of an ICMP error; changes no state."""

    def error_4to6(self, error: Error4) -> Error6: ...
