# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Events as the NAT64 would tell them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network

from v6native.dataplane.log_events import ALL_PROTOS, LogEvent, LogKind

POOL = IPv4Address("192.0.2.1")
SIZE = 64
_FIRST = 1024
_BLOCKS = (65536 - _FIRST) // SIZE
SECOND = 1_000_000_000


def block(
    number: int,
    *,
    kind: LogKind = LogKind.BLOCK_TAKEN,
    client: str = "2001:db8:64:1::/64",
    began: float = 1.0,
    at: float | None = None,
    address: IPv4Address = POOL,
) -> LogEvent:
    """A block of 64 ports, the so-manieth of its address. Times in seconds of CLOCK_MONOTONIC."""
    network = IPv6Network(client)
    first = _FIRST + number % _BLOCKS * SIZE
    return LogEvent(
        time_ns=int((began if at is None else at) * SECOND),
        began_ns=int(began * SECOND),
        client=network.network_address.packed,
        address4=address.packed,
        first=first,
        last=first + SIZE - 1,
        port6=0,
        kind=kind,
        proto=ALL_PROTOS,
        client_len=network.prefixlen,
    )


def binding(
    port4: int,
    port6: int = 4000,
    *,
    proto: int = 0,
    kind: LogKind = LogKind.BIB_CREATED,
    client: str = "2001:db8:64:1::5",
    began: float = 1.0,
    at: float | None = None,
) -> LogEvent:
    """A BIB entry; `proto` as in enum bib_proto."""
    return LogEvent(
        time_ns=int((began if at is None else at) * SECOND),
        began_ns=int(began * SECOND),
        client=IPv6Address(client).packed,
        address4=POOL.packed,
        first=port4,
        last=port4,
        port6=port6,
        kind=kind,
        proto=proto,
        client_len=128,
    )
