# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What a collector is told in one session, whatever carries it: syslog or IPFIX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from v6native.log import ipfix, syslog
from v6native.log.notice import Notice


class Language(Protocol):
    """One session's: a new connection gets a new one. Bytes are one datagram, or a part of a stream."""

    def hello(self, now: int) -> list[bytes]:
        """What goes first, and over UDP again and again; `now` in seconds since 1970."""

    def tell(self, notices: Sequence[Notice], now: int) -> list[tuple[bytes, int]]:
        """The notices in their order; each with how many there are in it."""


class Syslog:
    """`stream`: messages are counted, as TCP needs it."""

    def __init__(self, host: str, pid: int, stream: bool) -> None:
        self._host, self._pid, self._stream = host, pid, stream

    def hello(self, now: int) -> list[bytes]:
        return []

    def tell(self, notices: Sequence[Notice], now: int) -> list[tuple[bytes, int]]:
        texts = [syslog.message(notice, self._host, self._pid) for notice in notices]
        return [(syslog.counted(text) if self._stream else text, 1) for text in texts]


class Ipfix:
    def __init__(self) -> None:
        self._exporter = ipfix.Exporter()

    def hello(self, now: int) -> list[bytes]:
        return [self._exporter.templates(now)]

    def tell(self, notices: Sequence[Notice], now: int) -> list[tuple[bytes, int]]:
        return self._exporter.messages(notices, now)
