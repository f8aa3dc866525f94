# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Events as IPFIX messages (RFC 7011) with the information elements for NAT events (RFC 8158)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from v6native.dataplane.log_events import LogKind
from v6native.log.notice import Notice

_VERSION = 10
# One observation domain: all events of a node come from its one NAT64.
_DOMAIN = 1
_TEMPLATE_SET = 2
_HEADER = struct.Struct("!HHIII")
_SET = struct.Struct("!HH")
# What fits into a UDP datagram on every IPv6 path (RFC 8200 §5): 1280 less 40 and 8.
MOST_BYTES = 1232

# What happened, as natEvent says it (RFC 8158).
_EVENTS = {
    LogKind.BIB_CREATED: 10,
    LogKind.BIB_DELETED: 11,
    LogKind.BLOCK_TAKEN: 16,
    LogKind.BLOCK_GIVEN_BACK: 17,
}
# Information elements by number, with their length in octets (IANA's registry "IP Flow Information Export").
_TIME = (323, 8)  # observationTimeMilliseconds
_EVENT = (230, 1)  # natEvent
_CLIENT = (27, 16)  # sourceIPv6Address
_CLIENT_LEN = (29, 1)  # sourceIPv6PrefixLength
_ADDRESS4 = (225, 4)  # postNATSourceIPv4Address
_FIRST, _LAST = (361, 2), (362, 2)  # portRangeStart, portRangeEnd
_PROTOCOL = (4, 1)  # protocolIdentifier
_PORT6, _PORT4 = (7, 2), (227, 2)  # sourceTransportPort, postNAPTSourceTransportPort

_BLOCK, _BIB = 256, 257
_TEMPLATES = {
    _BLOCK: (_TIME, _EVENT, _CLIENT, _CLIENT_LEN, _ADDRESS4, _FIRST, _LAST),
    _BIB: (_TIME, _EVENT, _CLIENT, _ADDRESS4, _PROTOCOL, _PORT6, _PORT4),
}
_BLOCK_RECORD = struct.Struct("!QB16sB4sHH")
_BIB_RECORD = struct.Struct("!QB16s4sBHH")
# What the host sends: TCP, UDP, ICMPv6.
_NUMBERS = (6, 17, 58)


class Exporter:
    """The messages of one transport session: their sequence number counts the records before (RFC 7011 §3.1)."""

    def __init__(self) -> None:
        self._sequence = 0

    def templates(self, now: int) -> bytes:
        """A message that says what the records look like; `now` in seconds since 1970."""
        body = b"".join(
            _SET.pack(number, len(fields)) + b"".join(_SET.pack(*field) for field in fields)
            for number, fields in _TEMPLATES.items()
        )
        return self._message(_set(_TEMPLATE_SET, body), now, 0)

    def messages(self, notices: Sequence[Notice], now: int, most: int = MOST_BYTES) -> list[tuple[bytes, int]]:
        """Messages of at most so many bytes with a record for each notice, in their order; each with how many."""
        made: list[tuple[bytes, int]] = []
        at = 0
        while at < len(notices):
            count, kind, records = 0, _kind(notices[at]), bytearray()
            while at + count < len(notices) and _kind(notices[at + count]) == kind:
                record = _record(notices[at + count])
                if count and _HEADER.size + _SET.size + len(records) + len(record) > most:
                    break
                records += record
                count += 1
            made.append((self._message(_set(kind, bytes(records)), now, count), count))
            at += count
        return made

    def _message(self, body: bytes, now: int, records: int) -> bytes:
        head = _HEADER.pack(_VERSION, _HEADER.size + len(body), now & 0xFFFFFFFF, self._sequence, _DOMAIN)
        self._sequence = (self._sequence + records) & 0xFFFFFFFF
        return head + body


def _set(number: int, body: bytes) -> bytes:
    return _SET.pack(number, _SET.size + len(body)) + body


def _kind(notice: Notice) -> int:
    return _BLOCK if notice.is_block else _BIB


def _record(n: Notice) -> bytes:
    event, client, address4 = _EVENTS[n.kind], n.client.packed, n.address4.packed
    if n.is_block:
        return _BLOCK_RECORD.pack(n.at, event, client, n.client_len, address4, n.first, n.last)
    return _BIB_RECORD.pack(n.at, event, client, address4, _NUMBERS[n.proto], n.port6, n.first)
