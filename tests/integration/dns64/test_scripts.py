# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The scripts of RFC 6147, each of their cases; and that a script which says something else is seen to be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.dns64.play import Play
from tests.integration.dns64.script import FOLDER, Case, ScriptError, read

FILES = sorted(FOLDER.glob("*.script"))
CASES = [case for file in FILES for case in read(file)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
def test_script(case: Case) -> None:
    Play(case).run()


HEAD = """
One case

cases
  one  5.1.6  a name

case one
  upstream www.example AAAA: NOERROR
  upstream www.example A: NOERROR
    www.example. 30 A 192.0.2.[1-2]
"""
GOOD = """
  ask www.example AAAA
  asked www.example AAAA
  asked www.example A
  answer NOERROR rd ra
    www.example. 30 AAAA 2001:db8:64::192.0.2.[1-2]
"""


def cases(folder: Path, text: str) -> list[Case]:
    file = folder / "own.script"
    file.write_text(text)
    return read(file)


def test_what_is_right_passes(tmp_path: Path) -> None:
    Play(*cases(tmp_path, HEAD + GOOD)).run()


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("NOERROR rd ra", "NOERROR rd ra aa", "instead of"),
        ("NOERROR rd ra", "SERVFAIL rd ra", "instead of"),
        ("www.example. 30 AAAA", "www.example. 31 AAAA", "instead of"),
        ("192.0.2.[1-2]\n", "192.0.2.1\n", "instead of"),
        ("AAAA 2001", "AAAA 2002", "instead of"),
        ("  asked www.example A\n", "", "upstream was also asked www.example A"),
        (
            "asked www.example A\n",
            "asked www.example A +do\n",
            "upstream is asked www.example A, not www.example A +do",
        ),
        ("asked www.example A\n", "asked www.example A\n  asked www.example MX\n", "is not asked www.example MX"),
        ("  answer", "  pass 1\n  answer", "there is an answer before time goes on"),
        ("  answer", "  ask www.example A\n  answer", "the last question is not answered yet"),
        ("[1-2]\n", "[1-2]\n  ask www.example MX\n", "ends with an open question"),
        ("[1-2]\n", "[1-2]\n  answer NOERROR\n", "nothing was asked"),
    ],
)
def test_what_is_wrong_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, right: str, wrong: str, told: str
) -> None:
    monkeypatch.setattr("tests.integration.dns64.play.DEADLINE", 0.3)
    assert right in GOOD
    (case,) = cases(tmp_path, HEAD + GOOD.replace(right, wrong))
    with pytest.raises(AssertionError, match=r"^own.script:\d+ \(own/one, ") as raised:
        Play(case).run()
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD.replace("  one  5", "  two  5"), "listed are two; there are one"),
        (HEAD.replace("\ncase one", "\ncase one\ncase two"), "listed are one; there are one, two"),
        ("A title alone", "there are "),
        (HEAD + "  wait 3\n", "no such step"),
        (HEAD + "  set colour blue\n", "colour"),
        (HEAD + "  pass some\n", "float"),
        (HEAD + "  ask www.example A\n    www.example. 30 A 192.0.2.1\n", "ask has no records"),
        (HEAD + "    www.example. 30 A 192.0.2.300\n", "192.0.2.300"),
        (HEAD + "   three\n", "stands where nothing may stand"),
        (HEAD + "nothing\n", "is neither"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ScriptError, match=told):
        cases(tmp_path, text)


def test_the_numbered_cases_are_all_there() -> None:
    """§3 has seven cases, §5.5 three items; prefixes have six lengths."""
    keys = {case.key for case in CASES}
    for number in range(1, 8):
        assert any(key.startswith(f"dnssec/3-{number}-") for key in keys)
    for number in range(1, 4):
        assert any(key.startswith(f"dnssec/5-5-{number}-") for key in keys)
    assert {f"prefixes/length-{length}" for length in (32, 40, 48, 56, 64, 96)} <= keys
