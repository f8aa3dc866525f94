# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""How answers look: a JSON document, or text and tables that a terminal and a pipe can both take."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Any

import click

OK, PROBLEM, USAGE, INTERNAL = 0, 1, 2, 3
"""Exit statuses: fine, a problem was found, the command line was wrong, v6native has a bug."""


def print_json(document: Any) -> None:
    click.echo(json.dumps(document, indent=2))


def print_json_array(entries: Iterable[Any]) -> None:
    """One JSON array, written while it is read: a hundred thousand sessions never lie in memory."""
    click.echo("[", nl=False)
    separator = "\n"
    for entry in entries:
        click.echo(separator + json.dumps(entry), nl=False)
        separator = ",\n"
    click.echo("\n]")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str] = ()) -> None:
    """A table with a header line; `right` names the columns of numbers."""
    # Loaded here: it takes longer than most verbs that print no table.
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(column, justify="right" if column in right else "left", no_wrap=True)
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))
    out = sys.stdout
    if out.isatty():
        Console(file=out, highlight=False, soft_wrap=True).print(grid)
        return
    # In a pipe: plain text that is never cut to a width, without the padding of the last column.
    text = Console(file=StringIO(), width=1000, color_system=None)
    text.print(grid)
    assert isinstance(text.file, StringIO)
    for line in text.file.getvalue().splitlines():
        click.echo(line.rstrip())


def table_in_steps(columns: Sequence[str], rows: Iterator[Sequence[str]], widths: Sequence[int]) -> int:
    """A long table, printed while it is read, with columns of fixed least width. Returns the number of rows."""
    count = 0
    line = "  ".join(f"{{:<{width}}}" for width in widths)
    click.echo(line.format(*columns).rstrip())
    for row in rows:
        click.echo(line.format(*row).rstrip())
        count += 1
    return count


def plural(count: int, one: str, many: str | None = None) -> str:
    """ "1 session", "2 sessions", "no sessions"."""
    word = one if count == 1 else many or f"{one}s"
    return f"{count or 'no'} {word}"


def duration(seconds: float) -> str:
    """Two largest units: 3d4h, 5m10s, 12s."""
    left = int(seconds)
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{unit}")
    return "".join(parts[:2])


def size(count: int) -> str:
    """Bytes, in binary units."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
