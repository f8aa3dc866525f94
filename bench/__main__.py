# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`make bench`: TCP from phone to internet through edge1, translated beside plain IPv6 forwarding, by iperf3.

Absolute figures drift by tens of percent on a shared machine; a pair is measured back to back, in alternating order, and
the ratio of each pair is what counts: the median of five, with the smallest and the largest.
"""

from __future__ import annotations

import json
import secrets
import statistics
import sys
import time
from dataclasses import dataclass

import click
from rich.console import Console
from rich.table import Table

from v6native.errors import V6nativeError
from v6native.lab import lab as labs
from v6native.lab import topology as t
from v6native.lab.edge import Arrangement
from v6native.lab.estate import Estate
from v6native.lab.scenarios.trial import Trial

GOAL = 0.9
"""What one stream must reach of plain forwarding."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Gbit/s, measured back to back."""

    plain: float
    translated: float

    @property
    def ratio(self) -> float:
        return self.translated / self.plain


def measure(lab: labs.Lab, target: str, streams: int, seconds: int, *, reverse: bool) -> float:
    """Gbit/s received."""
    argv = ["iperf3", "-6", "-c", target, "-J", "-t", str(seconds), "-O", "1", "-P", str(streams)]
    done = lab["phone"].run(*argv, *(["-R"] if reverse else []), timeout=seconds + 30)
    return float(json.loads(done.out)["end"]["sum_received"]["bits_per_second"]) / 1e9


def pairs(lab: labs.Lab, streams: int, count: int, seconds: int, *, reverse: bool) -> list[Pair]:
    targets = {"plain": str(t.SERVER6), "translated": str(Trial(lab, 0).through(t.SERVER4))}
    measured = []
    for turn in range(count):
        order = sorted(targets, reverse=turn % 2 == 1)
        speeds = {kind: measure(lab, targets[kind], streams, seconds, reverse=reverse) for kind in order}
        measured.append(Pair(speeds["plain"], speeds["translated"]))
    return measured


def report(measured: list[Pair]) -> dict[str, float]:
    ratios = [pair.ratio for pair in measured]
    return {
        "plain_gbit_s": statistics.median(pair.plain for pair in measured),
        "translated_gbit_s": statistics.median(pair.translated for pair in measured),
        "ratio": statistics.median(ratios),
        "smallest": min(ratios),
        "largest": max(ratios),
    }


@click.command()
@click.option("--pairs", "count", default=5, show_default=True, help="Paired runs of each kind.")
@click.option("--seconds", default=4, show_default=True, help="Length of a run.")
@click.option("--arrangement", type=click.Choice([a.value for a in Arrangement]), default="shared", show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(count: int, seconds: int, arrangement: str, as_json: bool) -> None:
    """Exit status 1 where one stream stays below the goal."""
    console = Console(stderr=as_json)
    estate = Estate(f"bench{secrets.token_hex(2)}")
    results: dict[str, dict[str, float]] = {}
    try:
        with console.status("building the lab") as status:
            began = time.monotonic()
            lab = labs.up(estate, Arrangement(arrangement), say=status.update)
            stood = time.monotonic() - began
            for streams in (1, 4):
                for reverse in (False, True):
                    name = f"{streams} stream{'s' if streams > 1 else ''}, {'download' if reverse else 'upload'}"
                    status.update(f"{name}: {count} pairs of {seconds} s")
                    results[name] = report(pairs(lab, streams, count, seconds, reverse=reverse))
    finally:
        labs.down(estate)
    if as_json:
        click.echo(json.dumps(results))
    table = Table("TCP through edge1", "plain IPv6", "translated", "ratio", "spread")
    for name, result in results.items():
        speeds = (f"{result['plain_gbit_s']:.1f} Gbit/s", f"{result['translated_gbit_s']:.1f} Gbit/s")
        table.add_row(name, *speeds, f"{result['ratio']:.2f}", f"{result['smallest']:.2f}–{result['largest']:.2f}")
    console.print(table)
    console.print(f"`lab up` took {stood:.1f} s; it is to take under 15.")
    console.print(f"Medians of {count} paired runs, arrangement {arrangement}. The goal is {GOAL} with one stream.")
    if any(result["ratio"] < GOAL for name, result in results.items() if name.startswith("1 ")):
        raise SystemExit(1)


if __name__ == "__main__":
    try:
        main()
    except V6nativeError as error:
        click.echo(f"bench: {error}", err=True)
        sys.exit(1)
