# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""An event as collectors are told of it: wall-clock time, addresses, the client's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from v6native.dataplane.log_events import ALL_PROTOS, LogEvent, LogKind
from v6native.log.schema import ALL, PROTOS

_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Notice:
    """Times in milliseconds since 1970. `proto` is an index into PROTOS; `name` None: no tunnel's client."""

    kind: LogKind
    at: int
    began: int
    client: IPv6Address
    client_len: int
    name: str | None
    address4: IPv4Address
    first: int
    last: int
    proto: int
    port6: int

    @property
    def is_block(self) -> bool:
        return self.kind in (LogKind.BLOCK_TAKEN, LogKind.BLOCK_GIVEN_BACK)

    @property
    def proto_name(self) -> str:
        return PROTOS[self.proto]


def notice(event: LogEvent, offset_ns: int, names: Mapping[bytes, str]) -> Notice:
    """`offset_ns` is wall-clock time less CLOCK_MONOTONIC; `names` are of whole addresses."""
    return Notice(
        kind=LogKind(event.kind),
        at=(event.time_ns + offset_ns) // _NS_PER_MS,
        began=(event.began_ns + offset_ns) // _NS_PER_MS,
        client=IPv6Address(event.client),
        client_len=event.client_len,
        name=names.get(event.client) if event.client_len == 128 else None,
        address4=IPv4Address(event.address4),
        first=event.first,
        last=event.last,
        proto=ALL if event.proto == ALL_PROTOS else event.proto,
        port6=event.port6,
    )
