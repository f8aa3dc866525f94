# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Each question with its answer as a line of JSON, where the operator asked for that. What cannot be written is counted."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from v6native.dns64 import wire
from v6native.dns64.answer import Answer
from v6native.dns64.loop import Loop
from v6native.dns64.query import Query
from v6native.dns64.stats import Stats

_log = structlog.get_logger("dns64")

# Octets that wait for the disk at most.
_WAITING = 1 << 20
_TYPES = {
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 35: "NAPTR", 43: "DS",
    48: "DNSKEY", 64: "SVCB", 65: "HTTPS", 255: "ANY", 257: "CAA",
}  # fmt: skip


class QueryLog:
    """Lines are written once a second. A file that was moved away (logrotate) is opened anew then."""

    def __init__(self, loop: Loop, stats: Stats, file: Path, clock: Callable[[], float] = time.time) -> None:
        self._loop = loop
        self._stats = stats
        self._path = file
        self._clock = clock
        self._lines: list[str] = []
        self._octets = 0
        self._failed = False
        self._timer = loop.later(1, self._each_second)

    def note(self, transport: str, client: str, query: Query, answer: Answer, seconds: float) -> None:
        line = json.dumps(
            {
                "time": round(self._clock(), 3),
                "client": client,
                "transport": transport,
                "name": wire.name_text(query.name),
                "type": _TYPES.get(query.type, f"TYPE{query.type}"),
                "rcode": wire.RCODES.get(answer.rcode, str(answer.rcode)),
                "origin": answer.origin,
                "ms": round(seconds * 1000, 3),
            }
        )
        if self._octets + len(line) > _WAITING:
            self._stats.count("query-log-lost")
            return
        self._lines.append(line)
        self._octets += len(line) + 1

    def flush(self) -> None:
        """What waits goes to the file; where that cannot be, it is lost, and told once."""
        if not self._lines:
            return
        lines, self._lines, self._octets = self._lines, [], 0
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Opened each time: whoever moved it away wants a new one.
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write("".join(f"{line}\n" for line in lines))
        except OSError as error:
            self._stats.count("query-log-lost", len(lines))
            if not self._failed:
                _log.error("cannot write the query log", file=str(self._path), problem=error.strerror or str(error))
            self._failed = True
        else:
            self._failed = False

    def close(self) -> None:
        self._timer.cancel()
        self.flush()

    def _each_second(self) -> None:
        self._timer = self._loop.later(1, self._each_second)
        self.flush()
