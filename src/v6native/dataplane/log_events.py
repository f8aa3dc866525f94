# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the NAT64 tells of who has which ports: records of the ring buffer log_events (struct log_event of bpf/abi.h)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

MAP = "log_events"
LOST = "LOG_LOST"
"""The counter of records that found no room in the ring."""

ALL_PROTOS = 0xFF
# time_ns, began_ns, client, address4, first, last, port6, kind, proto, client_len; the rest is padding.
LAYOUT = struct.Struct("=QQ16s4sHHHBBB11x")


class LogKind(IntEnum):
    """enum log_kind."""

    BLOCK_TAKEN = 1
    BLOCK_GIVEN_BACK = 2
    BIB_CREATED = 3
    BIB_DELETED = 4


class LogEvent(NamedTuple):
    """One record, addresses as bytes: they come by the hundred thousand a second where every BIB entry is logged.

    Times are CLOCK_MONOTONIC; `began_ns` is when the block was taken or the entry created. `proto` is an index into
    abi.BIB_PROTOS, or ALL_PROTOS. `client` is masked to `client_len` bits.
    """

    time_ns: int
    began_ns: int
    client: bytes
    address4: bytes
    first: int
    last: int
    port6: int
    kind: int
    proto: int
    client_len: int

    @property
    def begins(self) -> bool:
        return self.kind in (LogKind.BLOCK_TAKEN, LogKind.BIB_CREATED)

    @property
    def holding(self) -> Holding:
        return Holding(
            self.began_ns,
            self.client,
            self.address4,
            self.first,
            self.last,
            self.port6,
            self.proto,
            self.client_len,
        )


@dataclass(frozen=True, slots=True)
class Holding:
    """A block or a binding that is there now, as the event of its beginning told it; None of it is a static entry's."""

    began_ns: int
    client: bytes
    address4: bytes
    first: int
    last: int
    port6: int
    proto: int
    client_len: int


_KINDS = frozenset(LogKind)


def parse(records: Iterable[bytes]) -> Iterator[LogEvent]:
    """The events in the records; a record of another length or kind, of a newer data plane, is left out."""
    for record in records:
        if len(record) == LAYOUT.size:
            event = LogEvent._make(LAYOUT.unpack(record))
            if event.kind in _KINDS:
                yield event


def pack(event: LogEvent) -> bytes:
    """The record of an event, as the NAT64 writes it."""
    return LAYOUT.pack(*event)
