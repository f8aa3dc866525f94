# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The position scanner against tomllib: the same paths, whatever the document."""

from __future__ import annotations

import tomllib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from v6native.config.positions import KeyPath, Positions, key_lines


def paths_of(value: object, path: KeyPath = ()) -> set[KeyPath]:
    found: set[KeyPath] = {path} if path else set()
    if isinstance(value, dict):
        for key, inner in value.items():
            found |= paths_of(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found |= paths_of(inner, (*path, index))
    return found


EVERYTHING = '''\
# a comment with [brackets] and "quotes"
title = "a = b # no comment"   # [x]
dotted.key."quoted.part" = 1
'literal' = 'C:\\path#'
multi = """
first "" line
second = [1]
"""
raw = \'\'\'
x = 1
\'\'\'
when = 1979-05-27 07:32:00
list = [
  "one", # first
  [2, 3],

  { four = 4, five = [5] },
]

[ table . inner ]
key=true
[[many]]
a = 1
[[many.sub]]
b = 2
[[many.sub]]
b = 3
[[many]]
[many.named]
c = "\\"quoted\\" \\u00e9"
["table"."a b"]
end = -1.5e3 # last'''


def test_every_kind_of_line() -> None:
    lines = key_lines(EVERYTHING)
    assert set(lines) == paths_of(tomllib.loads(EVERYTHING))
    text = EVERYTHING.split("\n")
    where = {
        ("dotted", "key", "quoted.part"): "dotted.key",
        ("raw",): "raw =",
        ("list", 0): '"one"',
        ("list", 1, 1): "[2, 3]",
        ("list", 2, "five", 0): "four",
        ("table", "inner", "key"): "key=true",
        ("many", 0): "[[many]]",
        ("many", 0, "sub", 1, "b"): "b = 3",
        ("many", 1, "named", "c"): "c =",
        ("table", "a b", "end"): "end =",
    }
    for path, content in where.items():
        assert content in text[lines[path] - 1], path
    assert lines["many", 1] > lines["many", 0]


def test_windows_line_ends() -> None:
    text = 'a = 1\r\n\r\n[b]\r\nc = """\r\nx\r\n"""\r\nd = 2\r\n'
    assert key_lines(text) == {("a",): 1, ("b",): 3, ("b", "c"): 4, ("b", "d"): 7}


def test_the_place_of_what_is_missing_is_the_table_around_it() -> None:
    positions = Positions(Path("f"), key_lines("\n[a]\nb = 1\n"))
    assert positions.of(("a", "nothing", 3)).line == 2
    assert positions.of(("nothing",)).line is None


keys = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=6) | st.sampled_from(
    ["a", "b-1"]
)
scalars = (
    st.integers(-9, 9)
    | st.booleans()
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=9)
)
documents = st.dictionaries(
    keys,
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def inline(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return "[ " + ",\n # ] comment\n".join(map(inline, value)) + " ]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(k)} = {inline(v)}" for k, v in value.items()) + "}"
    return str(value)


def document(value: dict[str, object]) -> tuple[str, dict[KeyPath, int]]:
    """TOML of it, top-level tables with headers; and the line of each top-level key."""
    lines: dict[KeyPath, int] = {}
    text = ""
    for key, inner in sorted(value.items(), key=lambda item: isinstance(item[1], dict)):
        text += "\n" * (len(key) % 3)
        lines[(key,)] = text.count("\n") + 1
        if isinstance(inner, dict):
            text += f"[{quoted(key)}]\n" + "".join(f"{quoted(k)} = {inline(v)}\n" for k, v in inner.items())
        else:
            text += f"{quoted(key)} = {inline(inner)}\n"
    return text, lines


@given(documents)
def test_the_same_paths_as_tomllib(value: dict[str, object]) -> None:
    text, top = document(value)
    lines = key_lines(text)
    assert set(lines) == paths_of(tomllib.loads(text))
    assert {path: lines[path] for path in top} == top
