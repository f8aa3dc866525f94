# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Which line each key and value of a TOML document stands on.

tomllib keeps no positions. This walks over text that tomllib has *accepted*, so it may trust the grammar (TOML 1.0)
and only has to find where tokens end. A path is a tuple of keys and list indices: ("nat64", "static", 0, "ipv4").
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

Key = str | int
KeyPath = tuple[Key, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"[ \t]*")
_FILLER = re.compile(r"(?:[ \t\r\n,]|#[^\n]*)*")  # what may stand between the values of an array
_STRINGS = (
    re.compile(r'"""(?:\\.|[^\\])*?"""(?:"{1,2}(?!"))?', re.DOTALL),
    re.compile(r"'''.*?'''(?:'{1,2}(?!'))?", re.DOTALL),
    re.compile(r'"(?:\\.|[^"\\\n])*"'),
    re.compile(r"'[^'\n]*'"),
)
_SCALAR = re.compile(r"[^,\]}#\n]+")  # number, boolean, date


@dataclass(frozen=True, slots=True)
class Place:
    file: Path
    line: int | None


class Positions:
    """Places of all paths of one configuration; files of clients.d are mounted under their own path."""

    def __init__(self, file: Path, lines: dict[KeyPath, int]) -> None:
        self._file = file
        self._places = {path: Place(file, line) for path, line in lines.items()}

    def mount(self, under: KeyPath, file: Path, lines: dict[KeyPath, int]) -> None:
        self._places[under] = Place(file, None)
        self._places.update({under + path: Place(file, line) for path, line in lines.items()})

    def of(self, path: KeyPath) -> Place:
        """The place of the path, or of the nearest thing around it that the file has."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._places:
                return self._places[path[:length]]
        return Place(self._file, None)

    def dotted(self, path: KeyPath) -> str:
        """nat64.static[0].ipv4; without the index where the file has a single value for a list."""
        shown = ""
        for at, key in enumerate(path):
            if isinstance(key, int):
                shown += f"[{key}]" if path[: at + 1] in self else ""
            else:
                plain = _BARE_KEY.fullmatch(key)
                shown += ("." if shown else "") + (key if plain else f'"{key}"')
        return shown

    def __contains__(self, path: KeyPath) -> bool:
        return path in self._places


def key_lines(text: str) -> dict[KeyPath, int]:
    """Path → line, counted from 1, of every table, key and list element. `text` is valid TOML."""
    return _Scanner(text.replace("\r\n", "\n")).document()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self.table_counts: dict[KeyPath, int] = {}

    def document(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while True:
            self.skip(_FILLER)
            if self.at >= len(self.text):
                return self.lines
            if self.text.startswith("[[", self.at):
                table = self.header(2)
            elif self.text[self.at] == "[":
                table = self.header(1)
            else:
                self.pair(table)

    def header(self, brackets: int) -> KeyPath:
        line = self.line()
        self.at += brackets
        keys = self.dotted()
        self.at += brackets
        path = self.resolve(keys)
        if brackets == 2:
            index = self.table_counts.get(path, 0)
            self.table_counts[path] = index + 1
            self.lines.setdefault(path, line)
            path = (*path, index)
        self.note_parents(path, line)
        self.lines[path] = line
        return path

    def resolve(self, keys: tuple[str, ...]) -> KeyPath:
        """[a.b] below [[a]] means the last element of a. The last key itself is left to the caller."""
        path: KeyPath = ()
        for key in keys[:-1]:
            path = (*path, key)
            if path in self.table_counts:
                path = (*path, self.table_counts[path] - 1)
        return (*path, keys[-1])

    def pair(self, table: KeyPath) -> None:
        line = self.line()
        path = table + self.dotted()
        self.note_parents(path, line)
        self.lines[path] = line
        self.at += 1  # "="
        self.skip(_BLANK)
        self.value(path)

    def note_parents(self, path: KeyPath, line: int) -> None:
        for length in range(1, len(path)):
            self.lines.setdefault(path[:length], line)

    def value(self, path: KeyPath) -> None:
        """Consumes one value; what it contains is noted under `path`."""
        opening = self.text[self.at]
        if opening == "[":
            self.array(path)
        elif opening == "{":
            self.inline_table(path)
        elif opening in "\"'":
            self.string()
        else:
            self.skip(_SCALAR)

    def array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while True:
            self.skip(_FILLER)
            if self.text[self.at] == "]":
                self.at += 1
                return
            self.lines[(*path, index)] = self.line()
            self.value((*path, index))
            index += 1

    def inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while True:
            self.skip(_FILLER)
            if self.text[self.at] == "}":
                self.at += 1
                return
            self.pair(path)

    def dotted(self) -> tuple[str, ...]:
        keys = []
        while True:
            self.skip(_BLANK)
            keys.append(self.key())
            self.skip(_BLANK)
            if not self.text.startswith(".", self.at):
                return tuple(keys)
            self.at += 1

    def key(self) -> str:
        if self.text[self.at] in "\"'":
            return unquoted(self.string())
        return self.skip(_BARE_KEY)

    def string(self) -> str:
        for pattern in _STRINGS:
            if found := pattern.match(self.text, self.at):
                self.at = found.end()
                return found.group()
        raise AssertionError("tomllib accepted a string that has no end")

    def skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise AssertionError(f"tomllib accepted {self.text[self.at : self.at + 20]!r}")
        self.at = found.end()
        return found.group()

    def line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1


def unquoted(literal: str) -> str:
    """The text of a TOML string literal, its escapes resolved."""
    text = tomllib.loads(f"x = {literal}")["x"]
    assert isinstance(text, str)
    return text
