# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`make bench`: v6native beside plain kernel forwarding, TAYGA, the kernel's NAT44, unbound and BIND, over namespaces of its own.

python -m bench                           every part, each within about three minutes, dns within ten
python -m bench --only lab --only shared  some of them
python -m bench --only packets --quick    a short look
python -m bench --save                    and keep the results in docs/performance/, for the page and its plots
python -m bench --page                    no measurement: docs/performance.md and plots anew from the results that are kept
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console

from bench import cores, dns, expiry, labs, machine, packets, plots, report, sessions, tcp
from bench.targets import Result
from v6native.errors import V6nativeError
from v6native.lab.edge import Arrangement

DOCS = Path(__file__).parents[1] / "docs"
PAGE, STORED = DOCS / "performance.md", DOCS / "performance"
ROUNDS, QUICK_ROUNDS = 5, 2
ROUNDS_OF_PACKETS = 3
"""Times as many: a round takes a quarter of a second, and what others do to the machine comes in bursts longer than that."""
Say = Callable[[str], None]


def _lab(say: Say, rounds: int, quick: bool) -> Result:
    return labs.measure(rounds, 1 if quick else 2, say, Arrangement.POOL, quick=quick)


def _shared(say: Say, rounds: int, quick: bool) -> Result:
    return labs.measure(rounds, 1 if quick else 2, say, Arrangement.SHARED, quick=quick)


def _tcp(say: Say, rounds: int, _quick: bool) -> Result:
    return tcp.measure(rounds, say, offloads=True)


def _offloads(say: Say, rounds: int, _quick: bool) -> Result:
    return tcp.measure(rounds, say, offloads=False)


def _packets(say: Say, rounds: int, quick: bool) -> Result:
    return packets.measure(rounds * (1 if quick else ROUNDS_OF_PACKETS), 50_000 if quick else 100_000, say)


def _sessions(say: Say, rounds: int, quick: bool) -> Result:
    return sessions.measure(rounds, 50_000 if quick else 300_000, say, most=100_000 if quick else sessions.MOST)


def _cores(say: Say, rounds: int, quick: bool) -> Result:
    return cores.measure(rounds * (1 if quick else ROUNDS_OF_PACKETS), 100_000 if quick else 300_000, say)


def _expiry(say: Say, _rounds: int, quick: bool) -> Result:
    return expiry.measure(say, 100_000 if quick else sessions.MOST)


def _dns(say: Say, rounds: int, quick: bool) -> Result:
    return dns.measure(rounds, 1.0 if quick else 3.0, say, answers=50_000 if quick else dns.ANSWERS)


PARTS: dict[str, Callable[[Say, int, bool], Result]] = {
    "lab": _lab,
    "shared": _shared,
    "tcp": _tcp,
    "offloads": _offloads,
    "packets": _packets,
    "sessions": _sessions,
    "cores": _cores,
    "expiry": _expiry,
    "dns": _dns,
}


@click.command(help=__doc__.partition("\n")[0])
@click.option("--only", multiple=True, type=click.Choice(list(PARTS)), help="This part; may be given again.")
@click.option("--quick", is_flag=True, help="Few rounds, short ones: figures to look at, not to quote.")
@click.option("--rounds", type=int, help=f"Rounds of each path. Default: {ROUNDS}; {QUICK_ROUNDS} with --quick.")
@click.option("--save", is_flag=True, help="Keep the results in docs/performance/.")
@click.option("--page", is_flag=True, help="Measure nothing; docs/performance.md anew from what is kept.")
@click.option("--json", "as_json", is_flag=True, help="The results as JSON on standard output.")
def main(only: tuple[str, ...], quick: bool, rounds: int | None, save: bool, page: bool, as_json: bool) -> None:
    """Exit status 1 where a target is missed."""
    if page:
        report.write(PAGE, STORED, plots.of)
        return
    console = Console(stderr=as_json)
    results: dict[str, Result] = {}
    missed: list[str] = []
    for part in only or PARTS:
        about = machine.described()
        for why in machine.unfit():
            console.print(f"[yellow]{why}[/yellow]")
        with console.status(part) as status:
            result = PARTS[part](status.update, rounds or (QUICK_ROUNDS if quick else ROUNDS), quick)
        results[part] = {"machine": about, "quick": quick, "result": report.plain(result)}
        report.show(console, part, results[part]["result"])
        missed += report.missed(part, results[part]["result"])
        if save:
            STORED.mkdir(exist_ok=True)
            (STORED / f"{part}.json").write_text(json.dumps(results[part], indent=1, ensure_ascii=False) + "\n")
    if as_json:
        click.echo(json.dumps(results))
    if missed:
        console.print("Missed: " + "; ".join(missed) + ".")
        raise SystemExit(1)


if __name__ == "__main__":
    # As for Ctrl-C: a run that is told to end takes its namespaces away first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        main()
    except V6nativeError as error:
        click.echo(f"bench: {error}", err=True)
        sys.exit(1)
