# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Results as SVG pictures: bars with their spread, and lines over a logarithmic axis. Text in, text out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from bench.targets import PLAIN, Result

WIDTH, LEFT, RIGHT, TOP, BAR, GAP = 760, 270, 90, 44, 16, 8
OURS, OTHERS, KERNEL = "#1f6f43", "#8a5a2b", "#5b6b7a"
COLOURS = ("#1f6f43", "#5b6b7a", "#8a5a2b", "#7a3b69")


@dataclass(frozen=True, slots=True)
class Bar:
    """`low` and `high` are the spread; `line` is where a target is."""

    label: str
    value: float
    low: float
    high: float
    colour: str


def of(subject: str, result: Result) -> dict[str, str]:
    """The pictures of a subject, by name."""
    if subject == "packets":
        return {
            f"packets-{direction}": bars(
                f"Small packets on one core, {direction}: rate beside plain IPv6 forwarding",
                [_bar(row["path"], row) for row in result["rows"] if row["direction"] == direction],
            )
            for direction in ("up", "down")
        }
    if subject in ("tcp", "offloads"):
        return {subject: _tcp(subject, result)}
    if subject == "sessions":
        return {"sessions-live": _live(result)}
    return {}


def _tcp(subject: str, result: Result) -> str:
    listed = [
        _bar(f"{row['path']}, {row['direction']}, {row['streams']} stream{'s' * (row['streams'] > 1)}", row)
        for row in result["rows"]
        if row["path"] != PLAIN
    ]
    return bars(f"TCP{', offloads off' * (subject == 'offloads')}: rate beside plain IPv6 forwarding", listed)


def _bar(label: str, row: Result) -> Bar:
    beside, path = row["beside_plain"], row["path"]
    colour = OURS if path.startswith("v6native") else KERNEL if path.startswith("plain") else OTHERS
    return Bar(label, beside["median"], beside["smallest"], beside["largest"], colour)


def bars(title: str, listed: Sequence[Bar]) -> str:
    top = max([1.0, *(bar.high for bar in listed)])
    scale = (WIDTH - LEFT - RIGHT) / top
    height = TOP + len(listed) * (BAR + GAP) + 24
    drawn = []
    for number, bar in enumerate(listed):
        y = TOP + number * (BAR + GAP)
        middle = y + BAR / 2
        drawn.append(_text(LEFT - 8, y + BAR - 4, bar.label, "end"))
        drawn.append(f'<rect x="{LEFT}" y="{y}" width="{bar.value * scale:.1f}" height="{BAR}" fill="{bar.colour}"/>')
        low, high = LEFT + bar.low * scale, LEFT + bar.high * scale
        drawn.append(_line(low, middle, high, middle, "#111"))
        drawn += [_line(x, y + 3, x, y + BAR - 3, "#111") for x in (low, high)]
        drawn.append(_text(max(high, LEFT + bar.value * scale) + 6, y + BAR - 4, f"{bar.value:.2f}", "start"))
    one = LEFT + scale
    drawn.append(_line(one, TOP - 6, one, height - 18, "#999", dashed=True))
    drawn.append(_text(one, height - 6, "1.00", "middle"))
    return _svg(title, height, drawn)


def _live(result: Result) -> str:
    series: dict[str, list[tuple[float, float]]] = {}
    for row in result["live"]:
        series.setdefault(row["path"], []).append((row["live"], row["packets_per_second"]))
    return lines("Packets a second on one core, by flows live", series)


def lines(title: str, series: dict[str, list[tuple[float, float]]]) -> str:
    """x is logarithmic, y begins at 0."""
    height, bottom = 320, 320 - 40
    xs = sorted({x for points in series.values() for x, _ in points})
    top = max(y for points in series.values() for _, y in points) * 1.05
    first, last = math.log10(xs[0]), math.log10(xs[-1])

    def at(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - first) / (last - first or 1)
        return 90 + across * (WIDTH - 320), bottom - y / top * (bottom - TOP)

    drawn = [_line(*at(xs[0], 0), *at(xs[-1], 0), "#999")]
    drawn += [_text(at(x, 0)[0], bottom + 18, f"{x:,.0f}", "middle") for x in xs]
    for part in range(1, 5):
        y = top * part / 4
        drawn.append(_line(*at(xs[0], y), *at(xs[-1], y), "#ddd"))
        drawn.append(_text(82, at(xs[0], y)[1] + 4, f"{y / 1e3:,.0f} k", "end"))
    for (name, points), colour in zip(series.items(), COLOURS, strict=False):
        placed = [at(x, y) for x, y in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in placed]
        drawn.append(_text(placed[-1][0] + 10, placed[-1][1] + 4, name, "start", colour))
    return _svg(title, height, drawn)


def _text(x: float, y: float, words: str, anchor: str, colour: str = "#111") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, *, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dashes}/>'


def _svg(title: str, height: float, drawn: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'font-family="sans-serif" font-size="12">\n'
        "<!-- SPDX-FileCopyrightText: 2026 The v6native authors -->\n"
        "<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
        f"<title>{escape(title)}</title>\n"
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="#fff"/>\n'
        f'<text x="12" y="22" font-size="14" font-weight="bold" fill="#111">{escape(title)}</text>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )
