# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The files of the project, as the conventions see them: sources and documents, nothing that is built."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "v6native"

FOLDERS = ("src", "bpf", "tests", "bench", "docs", "examples", "setup", ".ci", "LICENSES")
BUILT = {"__pycache__", "objects", ".hypothesis"}


def _walk(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            if entry.name not in BUILT:
                yield from _walk(entry)
        elif entry.suffix not in {".pyc", ".o", ".pcap", ".png"}:
            yield entry


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project, from the folders that exist and the top."""
    top = [entry for entry in sorted(ROOT.iterdir()) if entry.is_file() and entry.name != ".git"]
    below = [file for name in FOLDERS if (ROOT / name).is_dir() for file in _walk(ROOT / name)]
    return (*top, *below)


def named(*patterns: str) -> list[Path]:
    """The project's files whose name matches one of the patterns."""
    return [file for file in files() if any(file.match(pattern) for pattern in patterns)]


def shown(file: Path) -> str:
    return str(file.relative_to(ROOT))
