# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever the file holds: a Config or a ConfigError, and every problem points into a file."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from v6native.config.check import known_keys
from v6native.config.load import load
from v6native.config.render import render_errors, render_problems, to_json
from v6native.errors import ConfigError

from .conftest import SMALL

EXAMPLES = [path.read_text() for path in sorted((Path(__file__).parents[3] / "examples").glob("*.toml"))]
WORDS = [
    '"2001:db8::/40"', '"2001:db8:a::/64"', '"2001:db8:a::1"', '"64:ff9b::/96"', '"::/0"', '"10.0.0.0/8"', '"192.0.2.1"',
    '"uplink:1-9"', '"uplink:80"', '"[2001:db8::5]:80"', '"edge1"', '"friends"', '"eth0"', '"tcp"', '"clat"', '"system"',
    '"unbound"', '""', '"é"', "0", "53", "-1", "1.5", "true", "[]", "{}", "[1]", '{ a = "b" }', "1979-05-27",
    '["2001:db8::/48", "x", 3]', '["uplink:1-65535", "203.0.113.1"]', '[{ proto = "tcp" }, {}]',
]  # fmt: skip
NAMES = [*sorted({part.strip("[]") for key in known_keys() for part in key.split(".")}), "edge1", "friends", "x y"]
lines = st.builds("{} = {}".format, st.sampled_from(NAMES[:-1]), st.sampled_from(WORDS))
headers = st.lists(st.sampled_from(NAMES[:-1]), min_size=1, max_size=3).map(lambda n: f"[{'.'.join(n)}]")
tables = st.builds(
    "{}\n{}".format, headers | headers.map(lambda h: f"[{h}]"), st.lists(lines, max_size=4).map("\n".join)
)


def judge(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.toml"
        path.write_text(text)
        try:
            problems = load(path, None).warnings
            assert render_problems(problems).count("warning") >= len(problems)
        except ConfigError as error:
            problems = error.problems
            assert render_errors(error).count("\n") >= 2 * len(problems)
            assert any(problem.severity == "error" for problem in problems)
        assert all(isinstance(entry["what"], str) and entry["remedy"] for entry in to_json(problems))
        last = text.count("\n") + 1
        assert all(problem.line is None or 1 <= problem.line <= last for problem in problems)


@given(st.lists(tables | lines, max_size=8).map("\n".join))
def test_any_tables(text: str) -> None:
    judge(text)


@given(st.sampled_from([SMALL, *EXAMPLES]), st.data())
def test_a_valid_file_with_values_and_keys_exchanged(text: str, data: st.DataObject) -> None:
    rows = text.split("\n")
    values = [i for i, row in enumerate(rows) if " = " in row and not row.startswith("#")]
    for i in data.draw(st.lists(st.sampled_from(values), max_size=3)):
        key = rows[i].partition(" = ")[0]
        rows[i] = data.draw(
            st.sampled_from([f"{key} = {word}" for word in WORDS] + ["", f"{key}x = 1", rows[values[0]]])
        )
    judge("\n".join(rows))


@given(st.sampled_from([SMALL, *EXAMPLES]), st.data())
def test_a_valid_file_with_characters_exchanged(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text) - 1))
    judge(text[:at] + data.draw(st.sampled_from([*list('x0"[]{}=:/.#\n,é'), ""])) + text[at + 1 :])


def test_the_material_is_what_it_should_be() -> None:
    for word in WORDS:
        tomllib.loads(f"x = {word}")
