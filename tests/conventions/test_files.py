# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Every file says whose it is and under which licence, stays readable in size, and carries nothing of one machine."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from tests.conventions.tree import ROOT, files, named, shown

HEADED = (
    "*.py",
    "*.sh",
    "*.toml",
    "*.c",
    "*.h",
    "*.service",
    "Makefile",
    "requirements.lock",
    "run",
    "*.yml",
    "*.script",
)
# Golden files are compared byte by byte with what v6native writes; REUSE.toml covers them.
SOURCES = [
    file for file in named(*HEADED) if not file.is_relative_to(ROOT / "tests" / "golden") or file.suffix == ".py"
]
CODE = named("*.py", "*.c", "*.h")
TEXTS = [file for file in files() if "LICENSES" not in file.parts]

COPYRIGHT = "SPDX-FileCopyrightText: 2026 The v6native authors"
LICENCE = "SPDX-License-Identifier: "
BPF_LICENCE = "GPL-2.0-only OR BSD-2-Clause"

MAX_LINES = 500
MAX_FUNCTION_LINES = 90

# Written in pieces, so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.\-}])/(?:" + "work" + "|" + "root" + r")(?![\w-])")
UNFINISHED = re.compile(r"\b(?:" + "TO" + "DO|FIX" + "ME|X" + r"XX)\b")
REGISTRY = re.compile(
    "pypi" + r"\.org|python" + r"hosted|deb\." + r"debian|registry\.npm" + "js|snapshot" + r"\.debian"
)


def _licence(file: Path) -> str:
    return BPF_LICENCE if file.is_relative_to(ROOT / "bpf") else "Apache-2.0"


@pytest.mark.parametrize("file", SOURCES, ids=shown)
def test_names_its_authors_and_licence(file: Path) -> None:
    head = file.read_text().splitlines()[:5]
    assert any(line.rstrip(" */").endswith(LICENCE + _licence(file)) for line in head), (
        f"{shown(file)}: no licence line"
    )
    assert any(COPYRIGHT in line for line in head), f"{shown(file)}: no line '{COPYRIGHT}'"


def test_every_file_is_covered_by_reuse() -> None:
    """What carries no header itself is named in REUSE.toml."""
    patterns = [
        pattern
        for annotation in tomllib.loads((ROOT / "REUSE.toml").read_text())["annotations"]
        for pattern in ([annotation["path"]] if isinstance(annotation["path"], str) else annotation["path"])
    ]
    bare = [file for file in files() if LICENCE not in file.read_text(errors="replace")[:600]]
    uncovered = [shown(file) for file in bare if not any(_covers(pattern, shown(file)) for pattern in patterns)]
    assert not uncovered


def _covers(pattern: str, path: str) -> bool:
    """REUSE's globs: `**` is anything, `*` is anything but a slash."""
    pieces = [{"**": ".*", "*": "[^/]*"}.get(piece, re.escape(piece)) for piece in re.split(r"(\*\*|\*)", pattern)]
    return re.fullmatch("".join(pieces), path) is not None


@pytest.mark.parametrize("file", CODE, ids=shown)
def test_is_of_readable_size(file: Path) -> None:
    text = file.read_text()
    lines = text.count("\n")
    assert lines <= MAX_LINES, f"{shown(file)} has {lines} lines; split it by noun"
    if file.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                assert length <= MAX_FUNCTION_LINES, f"{shown(file)}:{node.lineno}: {node.name} has {length} lines"


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (MACHINE_PATH, "a path of one machine"),
        (UNFINISHED, "a note of unfinished work; file an issue instead"),
        (REGISTRY, "the host name of a package registry"),
    ],
    ids=["machine-path", "unfinished", "registry"],
)
def test_carries_nothing_that_does_not_belong(pattern: re.Pattern[str], why: str) -> None:
    found = [
        f"{shown(file)}:{number}: {why}: {line.strip()}"
        for file in TEXTS
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("pattern", "line", "hit"),
    [
        (MACHINE_PATH, "cd /" + "work/main", True),
        (MACHINE_PATH, "HOME=/" + "root", True),
        (MACHINE_PATH, "workdir=/memory/work", False),
        (MACHINE_PATH, "/root-servers", False),
        (UNFINISHED, "# TO" + "DO: later", True),
        (REGISTRY, "https://pypi" + ".org/simple", True),
    ],
)
def test_the_patterns_find_what_they_should(pattern: re.Pattern[str], line: str, hit: bool) -> None:
    assert bool(pattern.search(line)) is hit


@pytest.mark.parametrize("file", named("*.py"), ids=shown)
def test_python_opens_with_what_it_is_for(file: Path) -> None:
    tree = ast.parse(file.read_text())
    assert ast.get_docstring(tree) or (file.name == "__init__.py" and not tree.body), f"{shown(file)} has no docstring"
