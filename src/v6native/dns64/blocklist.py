# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Names that are not answered, from lists in the forms that are usual: hosts files, lists of domains, those of adblockers,
of dnsmasq and of response policy zones.

A line of a hosts file is for its names alone; one of any other form is for the domain and what is below it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import structlog

from v6native.dns64 import wire
from v6native.dns64.loop import Loop, Timer
from v6native.dns64.watched import Watched
from v6native.dns64.wire import WireError

_LOOK_SECONDS = 0.05
_ADBLOCK = re.compile(r"^(@@)?\|\|([^/^$*|]+)\^(\$important)?$")
_DNSMASQ = re.compile(r"^(?:address|local|server)=/([^/]+)/(?:#|0\.0\.0\.0|::|127\.0\.0\.1)?$")
_POLICY = re.compile(r"^(\*\.)?(\S+?)\.?\s+(?:\d+\s+)?(?:IN\s+)?CNAME\s+\.$", re.IGNORECASE)

_log = structlog.get_logger("dns64")


@dataclass(frozen=True, slots=True)
class Blocked:
    """Wire names in lower case: `names` alone, `domains` with what is below, unless `allowed` has a domain nearer to the name."""

    names: frozenset[bytes] = frozenset()
    domains: frozenset[bytes] = frozenset()
    allowed: frozenset[bytes] = frozenset()

    def __len__(self) -> int:
        return len(self.names) + len(self.domains)

    def blocks(self, name: bytes) -> bool:
        if not self.names and not self.domains:
            return False
        if name in self.names and name not in self.allowed:
            return True
        for suffix in wire.suffixes(name):
            if suffix in self.allowed:
                return False
            if suffix in self.domains:
                return True
        return False


@dataclass(slots=True)
class Reading:
    """What is being gathered; `unreadable`: lines that have none of the forms."""

    names: set[bytes]
    domains: set[bytes]
    allowed: set[bytes]
    unreadable: int = 0

    def line(self, line: str) -> None:
        line = line.partition("#")[0].strip() if not line.startswith("!") else ""
        if not line or line.startswith("["):
            return
        try:
            self._take(line)
        except WireError:
            self.unreadable += 1

    def _take(self, line: str) -> None:
        if (rule := _ADBLOCK.match(line)) is not None:
            (self.allowed if rule[1] else self.domains).add(wire.name_from_text(rule[2]))
        elif (rule := _DNSMASQ.match(line)) is not None:
            self.domains.add(wire.name_from_text(rule[1]))
        elif (rule := _POLICY.match(line)) is not None:
            (self.domains if rule[1] else self.names).add(wire.name_from_text(rule[2]))
        else:
            first, *more = line.split()
            if more and _is_address(first):
                # "localhost" and the like, without a dot, are in every hosts file.
                self.names.update(wire.name_from_text(name) for name in more if "." in name.rstrip("."))
            elif more or not _is_domain(first):
                raise WireError("no form that is known")
            else:
                self.domains.add(wire.name_from_text(first.removeprefix("*").removeprefix(".")))


def read(files: Iterable[Path], allowed: Iterable[bytes]) -> tuple[Blocked, list[str]]:
    """The lists together, and what there is to tell of each file: that it cannot be read, or how many lines."""
    found, told = Reading(set(), set(), set(allowed)), []
    for file in files:
        before = found.unreadable
        try:
            with file.open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    found.line(line)
        except OSError as error:
            told.append(f"{file}: {error.strerror}")
        if found.unreadable > before:
            told.append(f"{file}: {found.unreadable - before} lines have no form that is known")
    return Blocked(frozenset(found.names), frozenset(found.domains), frozenset(found.allowed)), told


class Blocklists:
    """Reads the files in a thread, for a large list takes seconds, and gives `use` what is in them; again when one changes."""

    def __init__(
        self, loop: Loop, files: Sequence[Path], allowed: Sequence[bytes], use: Callable[[Blocked], None]
    ) -> None:
        self._loop = loop
        self._files, self._allowed, self._use = tuple(files), tuple(allowed), use
        self._result: tuple[Blocked, list[str]] | None = None
        self._timer: Timer | None = None
        self._again = False
        self._watched = Watched(loop, files, self._begin)
        self._begin()

    def look(self) -> None:
        """Whether a file has changed, at once."""
        self._watched.look()

    def close(self) -> None:
        self._watched.close()
        if self._timer is not None:
            self._timer.cancel()

    def _begin(self) -> None:
        if self._timer is not None:
            self._again = True
            return
        self._result = None
        threading.Thread(target=self._read, daemon=True).start()
        self._timer = self._loop.later(_LOOK_SECONDS, self._waiting)

    def _read(self) -> None:
        self._result = read(self._files, self._allowed)

    def _waiting(self) -> None:
        self._timer = None
        if self._result is None:
            self._timer = self._loop.later(_LOOK_SECONDS, self._waiting)
            return
        blocked, told = self._result
        for line in told:
            _log.warning("block list", problem=line)
        self._use(blocked)
        if self._again:
            self._again = False
            self._begin()


def _is_address(word: str) -> bool:
    try:
        ip_address(word.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_domain(word: str) -> bool:
    bare = word.removeprefix("*").removeprefix(".")
    return "." in bare.rstrip(".") and not set(bare) & set("/*|^$=:@ ") and not _is_address(word)
