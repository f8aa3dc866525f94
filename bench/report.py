# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Results as tables: on the terminal, and as Markdown in docs/performance.md between the marks of each subject."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.runs import Spread
from bench.targets import Result, held

TITLES = {
    "lab": "TCP through the lab's edge1, arrangement pool",
    "shared": "TCP through the lab's edge1, arrangement shared",
    "tcp": "TCP through a gateway",
    "offloads": "TCP through a gateway, offloads off",
    "packets": "Small packets on one core",
    "sessions": "Sessions",
    "cores": "Two cores",
    "expiry": "A million sessions expire at once",
    "dns": "DNS64 on one core",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Sheet:
    """One table."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def plain(result: Result) -> Result:
    """As JSON holds it: what is stored and what was just measured look alike."""

    def other(value: Any) -> Any:
        if isinstance(value, Spread):
            return dataclasses.asdict(value)
        raise TypeError(f"{value!r} is no result")

    back: Result = json.loads(json.dumps(result, default=other))
    return back


def sheets(subject: str, result: Result) -> list[Sheet]:
    made = [Sheet(TITLES[subject], head, rows) for head, rows in _TABLES[subject](result)]
    reached = [
        (
            target.text,
            target.wanted,
            f"{value:,.2f}{target.unit}" if value < 100 else f"{value:,.0f}{target.unit}",
            verdict,
        )
        for target, value in held(subject, result)
        for verdict in ("met" if target.met(value) else "**missed**",)
    ]
    if reached:
        made.append(Sheet("Targets", ("target", "wanted", "measured", ""), reached))
    return made


def show(console: Console, subject: str, result: Result) -> None:
    for sheet in sheets(subject, result):
        table = Table(*sheet.head, title=sheet.title, title_justify="left")
        for cells in sheet.rows:
            table.add_row(*(cell.replace("**", "") for cell in cells))
        console.print(table)


def missed(subject: str, result: Result) -> list[str]:
    return [target.text for target, value in held(subject, result) if not target.met(value)]


def markdown(sheet: Sheet) -> str:
    lines = ["| " + " | ".join(sheet.head) + " |", "|" + "---|" * len(sheet.head)]
    lines += ["| " + " | ".join(cells) + " |" for cells in sheet.rows]
    return "\n".join(lines) + "\n"


def write(page: Path, folder: Path, plots: Callable[[str, Result], dict[str, str]]) -> None:
    """`page` with its tables, and the plots beside the stored results, made anew from these alone."""
    text = page.read_text()
    for file in sorted(folder.glob("*.json")):
        stored = json.loads(file.read_text())
        subject, result = file.stem, stored["result"]
        pictures = plots(subject, result)
        for name, svg in pictures.items():
            (folder / f"{name}.svg").write_text(svg)
        text = _between(text, subject, rendered(subject, stored, pictures, folder.name))
    page.write_text(text)


def rendered(subject: str, stored: Result, pictures: Iterable[str], folder: str) -> str:
    """What stands between the marks of a subject."""
    about = stored["machine"]
    where = (
        f"Measured {about['measured']}, Linux {about['kernel']}, {about['cpus']} × {about['processor']}; "
        f"others used {about['busy_with_others']:.0%} of the CPUs.\n"
    )
    parts = [where, *(f"![{name}]({folder}/{name}.svg)\n" for name in pictures)]
    parts += [markdown(sheet) for sheet in sheets(subject, stored["result"])]
    return "\n".join(parts)


def _between(text: str, subject: str, body: str) -> str:
    begin, end = f"<!-- measured: {subject} -->\n", f"<!-- end: {subject} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"the page has no place for {subject}: {begin.strip()} … {end}")
    return pattern.sub(lambda _: f"{begin}{body}{end}", text)


def _range(spread: Result, form: str) -> str:
    return f"{spread['median']:{form}} ({spread['smallest']:{form}}–{spread['largest']:{form}})"


Tables = Sequence[tuple[Sequence[str], Sequence[Sequence[str]]]]


def _tcp(result: Result) -> Tables:
    rows = [
        (
            row["direction"],
            str(row["streams"]),
            row["path"],
            f"{row['gbit_s']['median']:.1f}",
            _range(row["beside_plain"], ".2f"),
            str(row["rounds"]),
        )
        for row in result["rows"]
    ]
    return [(("direction", "streams", "path", "Gbit/s", "beside plain IPv6 (smallest–largest)", "rounds"), rows)]


def _packets(result: Result) -> Tables:
    rows = [
        (
            row["direction"],
            row["path"],
            _range(row["ns"], ",.0f"),
            f"{row['packets_per_second']:,.0f}",
            _range(row["beside_plain"], ".2f"),
        )
        for row in result["rows"]
    ]
    return [(("direction", "path", "ns a packet", "packets/s", "beside plain IPv6 (smallest–largest)"), rows)]


def _sessions(result: Result) -> Tables:
    new = [(row["path"], _range(row["ns"], ",.0f"), f"{row['per_second']:,.0f}") for row in result["new"]["rows"]]
    live = [
        (
            f"{row['live']:,}",
            row["path"],
            _range(row["ns"], ",.0f"),
            f"{row['packets_per_second']:,.0f}",
            _range(row["beside_fewest"], ".2f"),
        )
        for row in result["live"]
    ]
    memory = result["memory"]
    maps = [
        (name, f"{size:,}", f"{size / memory['sessions']:.1f}") for name, size in memory["maps"].items() if size > 1e6
    ]
    maps.append(("all", f"{memory['bytes']:,}", f"{memory['bytes_a_session']:.1f}"))
    return [
        (("first packets of flows", "ns", "a second"), new),
        (("flows live", "path", "ns a packet", "packets/s", "beside the fewest (smallest–largest)"), live),
        ((f"map, with room for {memory['sessions']:,} sessions", "bytes", "bytes a session"), maps),
    ]


def _cores(result: Result) -> Tables:
    rows = [
        (
            row["path"],
            f"{row['one']['median']:,.0f}",
            f"{row['two']['median']:,.0f}",
            _range(row["two_beside_one"], ".2f"),
        )
        for row in result["rows"]
    ]
    return [(("path", "packets/s, one core", "two cores", "two beside one (smallest–largest)"), rows)]


def _expiry(result: Result) -> Tables:
    rows = [
        ("sessions", f"{result['sessions']:,}"),
        ("seconds until all were collected", str(result["seconds"])),
        ("longest gap before, ms", f"{result['longest_gap_ms_before']:.1f}"),
        ("longest gap meanwhile, ms", f"{result['longest_gap_ms']:.1f}"),
        ("echo replies meanwhile", f"{result['replies']:,}"),
    ]
    return [(("expiry", ""), rows)]


def _dns(result: Result) -> Tables:
    rates = [
        (
            row["what"],
            row["path"],
            _range(row["per_second"], ",.0f"),
            _range(row["beside_unbound"], ".2f"),
            f"{row['server']['median']:.0%}",
        )
        for row in result["rates"]
    ]
    latency = [
        (
            row["path"],
            _range(row["p50_us"], ",.0f"),
            _range(row["p99_us"], ",.0f"),
            _range(row["p99_beside_unbound"], ".2f"),
        )
        for row in result["latency"]
    ]
    memory = [
        (row["path"], f"{row['kept']:,}", f"{row['bytes'] / 2**20:,.0f}", f"{row['bytes'] / row['kept']:,.0f}")
        for row in result["memory"]
    ]
    faults = [
        (row["bad"], *(_range(row[name], ".1f") for name in ("p50_ms", "p99_ms", "best_p99_ms", "more_ms")))
        for row in result["faults"]
    ]
    rate = result["latency"][0]["rate"] if latency else 0
    return [
        (("answers", "server", "a second", "beside unbound (smallest–largest)", "core in use"), rates),
        ((f"at {rate:,} questions a second", "p50, µs", "p99, µs", "p99 beside unbound's"), latency),
        (("memory", "answers known", "MiB", "bytes an answer"), memory),
        (
            ("bad upstreams beside a good one", "p50, ms", "p99, ms", "p99 of the good one, ms", "p99 above it, ms"),
            faults,
        ),
    ]


_TABLES: dict[str, Callable[[Result], Tables]] = {
    "lab": _tcp,
    "shared": _tcp,
    "tcp": _tcp,
    "offloads": _tcp,
    "packets": _packets,
    "sessions": _sessions,
    "cores": _cores,
    "expiry": _expiry,
    "dns": _dns,
}
