# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""network.toml and clients.d/ as raw data that remembers where everything stands.

Reading never raises: what cannot be read becomes a ConfigProblem, and the rest is still checked.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from v6native.config.positions import KeyPath, Positions, key_lines
from v6native.config.problem import ConfigProblem, Severity

RawTable = dict[str, object]

_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_NAMES = re.compile(r"\((?:'[^']*',? ?)+\)")  # tomllib shows a dotted name as a tuple
_BARE_ADDRESS = re.compile(r"=\s*\[?\s*(?=[0-9A-Fa-f.:]*[.:])([0-9A-Fa-f.:]+(?:/\d+)?)\s*[\],#]?")
_BARE_WORD = re.compile(r"=\s*\[?\s*([A-Za-z_][\w.:/-]*)")


@dataclass(slots=True)
class Source:
    """The raw document, its places, and what was wrong with reading it.

    `kept` maps the path of a list to the original indices of its elements, once a bad element has been left out.
    """

    path: Path
    raw: RawTable
    positions: Positions
    problems: list[ConfigProblem] = field(default_factory=list)
    kept: dict[KeyPath, list[int]] = field(default_factory=dict)

    def original(self, path: KeyPath) -> KeyPath:
        """The path in the file of what has this path now."""
        found: KeyPath = ()
        for key in path:
            if isinstance(key, int) and found in self.kept:
                key = self.kept[found][key]
            found = (*found, key)
        return found

    def raw_table(self, table: str, name: str) -> RawTable:
        """[table.name] as it stands in the file; empty where it does not."""
        tables = self.raw.get(table)
        found = tables.get(name) if isinstance(tables, dict) else None
        return found if isinstance(found, dict) else {}

    def problem(
        self, code: str, path: KeyPath, what: str, remedy: str, severity: Severity = Severity.ERROR
    ) -> ConfigProblem:
        original = self.original(path)
        place = self.positions.of(original)
        return ConfigProblem(code, place.file, place.line, self.positions.dotted(original), what, remedy, severity)


def read(path: Path, clients_dir: Path | None) -> Source | ConfigProblem:
    """The file and the clients' files; a problem where network.toml itself cannot be read."""
    outcome = _read_toml(path, f"run `v6native init`, which writes a first one, or name the file: {path} is not it")
    if isinstance(outcome, ConfigProblem):
        return outcome
    raw, lines = outcome
    source = Source(path, raw, Positions(path, lines))
    if clients_dir is not None:
        _add_clients(source, clients_dir)
    return source


def _add_clients(source: Source, clients_dir: Path) -> None:
    try:
        files = sorted(f for f in clients_dir.iterdir() if f.suffix == ".toml" and not f.name.startswith("."))
    except FileNotFoundError:
        return
    except OSError as error:
        source.problems.append(_unreadable(clients_dir, error, "clients.d is a folder with one NAME.toml a client"))
        return
    clients = source.raw.setdefault("client", {})
    if not isinstance(clients, dict):
        return  # the models say so
    for file in files:
        outcome = _read_toml(file, "write the file again, or remove it")
        if isinstance(outcome, ConfigProblem):
            source.problems.append(outcome)
            continue
        name, (raw, lines) = file.stem, outcome
        if set(raw) == {"client"} and isinstance(raw["client"], dict):
            what = "a client's file has no table header: its keys stand at the top"
            remedy = f"remove the line [client.{name}]; the name is the file's"
            source.problems.append(ConfigProblem("table", file, lines[("client",)], "client", what, remedy))
        elif name in clients:
            there = source.positions.of(("client", name))
            what = f'the client "{name}" is already in {there.file}, line {there.line}'
            source.problems.append(
                ConfigProblem("duplicate", file, None, f"client.{name}", what, "keep one of the two")
            )
        else:
            clients[name] = raw
            source.positions.mount(("client", name), file, lines)


def _read_toml(path: Path, remedy: str) -> tuple[RawTable, dict[KeyPath, int]] | ConfigProblem:
    try:
        data = path.read_bytes()
    except OSError as error:
        return _unreadable(path, error, remedy)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"byte {data[error.start]:#04x} is not UTF-8, which a TOML file has to be"
        return ConfigProblem("encoding", path, line, "", what, "save the file as UTF-8")
    if text.startswith("\ufeff"):
        what = "the file begins with a byte order mark"
        return ConfigProblem("encoding", path, 1, "", what, "save the file as UTF-8 without byte order mark")
    try:
        return tomllib.loads(text), key_lines(text)
    except tomllib.TOMLDecodeError as error:
        return _syntax(path, text, error)
    except RecursionError:
        return ConfigProblem("syntax", path, None, "", "values are nested too deep", "no value of ours is nested so")


def _unreadable(path: Path, error: OSError, remedy: str) -> ConfigProblem:
    if isinstance(error, FileNotFoundError):
        return ConfigProblem("missing-file", path, None, "", "there is no such file", remedy)
    if isinstance(error, IsADirectoryError):
        return ConfigProblem(
            "file", path, None, "", "this is a folder, not a file", f"name the file: {path}/network.toml"
        )
    if isinstance(error, NotADirectoryError):
        return ConfigProblem("file", path, None, "", "this is not a folder", remedy)
    if isinstance(error, PermissionError):
        return ConfigProblem("file", path, None, "", "you may not read it", "run as root, or change its mode")
    return ConfigProblem("file", path, None, "", error.strerror or str(error), "make the file readable")


def _syntax(path: Path, text: str, error: tomllib.TOMLDecodeError) -> ConfigProblem:
    message = str(error)
    found = _AT.search(message)
    lines = text.split("\n")
    number = int(found[1]) if found and found[1] else len(lines) - (lines[-1] == "" and len(lines) > 1)
    what = _NAMES.sub(lambda names: ".".join(re.findall(r"'([^']*)'", names[0])), _AT.sub("", message))
    return ConfigProblem(
        "syntax", path, number, "", f"no valid TOML: {what[0].lower()}{what[1:]}", _hint(lines[number - 1], what)
    )


def _hint(line: str, what: str) -> str:
    if found := _BARE_ADDRESS.search(line):
        return f'addresses stand in quotes: "{found[1]}"'
    if "overwrite" in what or "twice" in what or "namespace" in what:
        return "the key or table is there already; keep one of the two"
    bare = _BARE_WORD.search(line)
    if bare and bare[1] not in ("true", "false"):
        return f'strings stand in quotes: "{bare[1]}"'
    if line.count('"') % 2:
        return "a quote is missing on this line"
    return 'a line is KEY = VALUE, or [TABLE]; values are "strings", numbers, true, false or [lists]'
