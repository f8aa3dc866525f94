# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the rules look at: the Config, the tables it was made of, and where everything stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import IPv6Network

from v6native.address import valid_pref64
from v6native.config.file import NetworkFile
from v6native.config.model import Config
from v6native.config.positions import KeyPath
from v6native.config.problem import ConfigProblem, Severity
from v6native.config.source import Source


@dataclass(frozen=True, slots=True)
class Draft:
    """A Config that is not yet known to be valid; tables with mistakes of their own may be left out of it."""

    source: Source
    file: NetworkFile
    config: Config

    @property
    def pref64(self) -> list[tuple[KeyPath, IPv6Network]]:
        """The usable pref64s with their places: an overlap with one that is wrong in itself is no second mistake."""
        network = self.config.network
        placed: list[tuple[KeyPath, IPv6Network]] = [
            (("network", "pref64", i), p) for i, p in enumerate(network.pref64)
        ]
        return [
            (path, prefix)
            for path, prefix in placed
            if valid_pref64(prefix) is None and not any(ours.subnet_of(prefix) for ours in network.prefix)
        ]

    def error(self, code: str, path: KeyPath, what: str, remedy: str) -> ConfigProblem:
        return self.source.problem(code, path, what, remedy)

    def warning(self, code: str, path: KeyPath, what: str, remedy: str) -> ConfigProblem:
        return self.source.problem(code, path, what, remedy, Severity.WARNING)

    def line(self, path: KeyPath) -> str:
        """ "line 12", for a message that names a second place; with the file where it is another one."""
        place = self.source.positions.of(self.source.original(path))
        line = f"line {place.line}" if place.line is not None else "its default"
        return line if place.file == self.source.path else f"{place.file}, {line}"

    def names(self, table: str) -> list[str]:
        """The names in the file, those of tables that were left out too: a reference to them is no second mistake."""
        raw = self.source.raw.get(table)
        return [name for name, value in raw.items() if isinstance(value, dict)] if isinstance(raw, dict) else []

    def reference(self, table: str, name: str | None, path: KeyPath) -> Iterator[ConfigProblem]:
        """A key that names a node or tunnel that the file does not have."""
        known = self.names(table)
        if name is None or name in known:
            return
        close = get_close_matches(name, known, 1)
        remedy = (
            f'did you mean "{close[0]}"?' if close else f"write a table [{table}.{name}], or one of: {', '.join(known)}"
        )
        yield self.error(f"no-such-{table}", path, f'there is no {table} "{name}"', remedy)
