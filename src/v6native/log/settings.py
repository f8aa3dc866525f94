# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the log's worker is told, as frozen data, and its one file, log.json: strict, all mistakes at once."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv6Address

from v6native.config.model import Collector, Proto
from v6native.decode import read
from v6native.errors import LogError

FILE = "log.json"


@dataclass(frozen=True, slots=True)
class NamedClient:
    """An address of a tunnel's client, its own or the CLAT's for it; `tunnel` None: the node's own."""

    address: IPv6Address
    name: str
    tunnel: str | None


@dataclass(frozen=True, slots=True)
class StaticHolding:
    """A static BIB entry: nobody creates or deletes it but the file."""

    proto: Proto
    address4: IPv4Address
    port4: int
    address6: IPv6Address
    port6: int


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Everything of log.json. `node` is the host name in syslog; `retention` in seconds."""

    node: str
    retention: int
    syslog: tuple[Collector, ...] = ()
    ipfix: tuple[Collector, ...] = ()
    clients: tuple[NamedClient, ...] = ()
    static: tuple[StaticHolding, ...] = ()

    def to_json(self) -> str:
        """The text of log.json."""
        return json.dumps(asdict(self), default=str, indent=2) + "\n"

    @staticmethod
    def from_json(text: str | bytes) -> LogSettings:
        """The settings in `text`; LogError with every mistake in it."""
        return read(LogSettings, text, LogError, _mistakes)


def _mistakes(settings: LogSettings) -> list[str]:
    return [f"retention: {settings.retention} is not above zero"] if settings.retention <= 0 else []
