# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Events as syslog messages (RFC 5424): one a datagram over UDP (RFC 5426), counted octets over TCP (RFC 6587 §3.4.1)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from v6native.dataplane.log_events import LogKind
from v6native.log.notice import Notice

# Facility local0, severity informational (RFC 5424 §6.2.1).
_PRIORITY = 16 * 8 + 6
_MESSAGE_IDS = {
    LogKind.BLOCK_TAKEN: "BLOCK-TAKEN",
    LogKind.BLOCK_GIVEN_BACK: "BLOCK-GIVEN-BACK",
    LogKind.BIB_CREATED: "BIB-CREATED",
    LogKind.BIB_DELETED: "BIB-DELETED",
}
# A private name needs an enterprise number; this one is set aside for examples (RFC 5612), as we have none.
_DATA_ID = "holding@32473"
_UNSAFE = re.compile(r'(["\\\]])')


def message(notice: Notice, host: str, pid: int) -> bytes:
    """One message, without framing. `host` is printable ASCII without spaces, as node names are."""
    data = {
        "client": f"{notice.client}/{notice.client_len}",
        "name": notice.name,
        "address": str(notice.address4),
        "first": str(notice.first),
        "last": str(notice.last),
        "proto": notice.proto_name,
        "clientPort": None if notice.is_block else str(notice.port6),
        "since": _stamp(notice.began),
    }
    pairs = " ".join(f'{key}="{_escaped(value)}"' for key, value in data.items() if value is not None)
    head = f"<{_PRIORITY}>1 {_stamp(notice.at)} {host} v6native {pid} {_MESSAGE_IDS[notice.kind]}"
    ports = f"{notice.first}-{notice.last}" if notice.is_block else f"{notice.first}/{notice.proto_name}"
    verb = "given to" if notice.kind in (LogKind.BLOCK_TAKEN, LogKind.BIB_CREATED) else "given back by"
    return f"{head} [{_DATA_ID} {pairs}] {notice.address4}:{ports} {verb} {notice.client}/{notice.client_len}".encode()


def counted(text: bytes) -> bytes:
    """A message in a stream: its length in octets, a space, the message."""
    return b"%d %b" % (len(text), text)


def _stamp(ms: int) -> str:
    """RFC 5424 §6.2.3, in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"


def _escaped(value: str) -> str:
    """RFC 5424 §6.3.3."""
    return _UNSAFE.sub(r"\\\1", value)
