# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native lab`: a whole network on this machine, in namespaces; nothing of the host changes."""

from __future__ import annotations

import json
import time

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from v6native.errors import LabError
from v6native.lab import lab as labs
from v6native.lab.edge import Arrangement, answers
from v6native.lab.estate import Estate
from v6native.lab.play import Outcome, fitting, play_all
from v6native.lab.scenarios import SCENARIOS
from v6native.lab.scenarios.trial import GROUPS, Scenario

name_option = click.option("--name", default="lab", show_default=True, help="Which lab; several run side by side.")
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")


@click.group()
def lab() -> None:
    """A whole network on this machine, to try and to test; nothing of the host changes."""


@lab.command()
@name_option
@json_option
@click.option("--arrangement", type=click.Choice([a.value for a in Arrangement]), default="shared", show_default=True)
@click.option("--bare", is_flag=True, help="Without v6native on edge1: plain IPv6 routing.")
def up(name: str, as_json: bool, arrangement: str, bare: bool) -> None:
    """Build the lab, or leave it be where it stands."""
    console = Console(stderr=True)
    began = time.monotonic()
    with console.status("building the lab") as status:
        say = status.update if console.is_terminal else console.print
        built = labs.up(Estate(name), Arrangement(arrangement), bare=bare, say=say)
    seconds = round(time.monotonic() - began, 1)
    if as_json:
        click.echo(json.dumps({"name": name, "nodes": sorted(built.nodes), "seconds": seconds}))
    else:
        click.echo(f"lab {name} stands after {seconds} s: {', '.join(built.nodes)}")


@lab.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@name_option
@click.argument("node")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(name: str, node: str, command: tuple[str, ...]) -> None:
    """Run COMMAND on NODE: `v6native lab exec phone -- curl http://v4only.example/`."""
    # Parsing ends with NODE, so that options of COMMAND are its own; the customary `--` is left to us.
    argv = command[1:] if command[0] == "--" else command
    if not argv:
        raise click.UsageError("Missing argument 'COMMAND...'.")
    labs.node(Estate(name), node).become(argv)


@lab.command()
@name_option
@json_option
def status(name: str, as_json: bool) -> None:
    """What stands; exit status 1 where something is missing."""
    estate = Estate(name)
    facts = {
        "name": name,
        "nodes": {node: found.pid for node, found in estate.nodes().items()},
        "processes": len(estate.processes()),
        **estate.settings(),
    }
    try:
        standing = labs.find(estate)
    except LabError as missing:
        facts |= {"stands": False, "why": str(missing)}
    else:
        facts |= {"stands": True, "v6native": answers(standing["edge1"])}
    if as_json:
        click.echo(json.dumps(facts))
    else:
        _show(facts)
    if not facts["stands"]:
        raise SystemExit(1)


def _show(facts: dict[str, object]) -> None:
    table = Table(show_header=False, box=None)
    for key, value in facts.items():
        text = ", ".join(f"{node} ({pid})" for node, pid in value.items()) if isinstance(value, dict) else str(value)
        table.add_row(key, text)
    Console().print(table)


@lab.command()
@name_option
@json_option
def down(name: str, as_json: bool) -> None:
    """Take the lab away; nothing of it is left, also after a crash."""
    labs.down(Estate(name))
    click.echo(json.dumps({"name": name, "stands": False}) if as_json else f"lab {name} is gone")


@lab.command("test")
@name_option
@json_option
@click.option("--group", "groups", multiple=True, type=click.IntRange(1, 6), help="Only this group; may be repeated.")
@click.option("--only", "keys", multiple=True, metavar="KEY", help="Only this scenario; may be repeated.")
@click.option("--size", default=1024, show_default=True, help="MiB of each download and upload.")
@click.option("--list", "listed", is_flag=True, help="Show the scenarios and end.")
def test(name: str, as_json: bool, groups: tuple[int, ...], keys: tuple[str, ...], size: int, listed: bool) -> None:
    """Run the main job with real programs and tell what works; exit status 1 where something does not."""
    if listed:
        for scenario in SCENARIOS:
            click.echo(f"{scenario.group}  {scenario.key:32} {scenario.title}")
        return
    standing = labs.find(Estate(name))
    scenarios = fitting(standing, groups, keys)
    console = Console(stderr=as_json, highlight=False, soft_wrap=True, emoji=False)
    began = time.monotonic()
    with console.status("") as status:
        seen: set[int] = set()

        def begin(scenario: Scenario) -> None:
            if scenario.group not in seen:
                seen.add(scenario.group)
                console.print(f"\n[bold]{scenario.group}. {GROUPS[scenario.group]}[/]")
            if console.is_terminal:
                status.update(scenario.title)
            else:
                console.print(f"  ...    {escape(scenario.title)}")

        def done(outcome: Outcome) -> None:
            mark = "[green]works[/]" if outcome.ok else "[bold red]FAILS[/]"
            console.print(
                f"  {mark}  {outcome.scenario.title:52} {escape(outcome.seen)}  [dim]{outcome.seconds:.1f} s[/]"
            )
            if outcome.evidence:
                console.print(f"         evidence: {outcome.evidence}")

        outcomes = play_all(standing, scenarios, size, done, begin)
    failed = [outcome for outcome in outcomes if not outcome.ok]
    if as_json:
        click.echo(json.dumps({"name": name, "failed": len(failed), "scenarios": [_as_json(o) for o in outcomes]}))
    console.print(f"\n{len(outcomes) - len(failed)} passed, {len(failed)} failed")
    console.print(f"in {time.monotonic() - began:.0f} s, lab {name}, arrangement {standing.arrangement}")
    if failed:
        raise SystemExit(1)


def _as_json(outcome: Outcome) -> dict[str, object]:
    scenario = outcome.scenario
    facts: dict[str, object] = {"key": scenario.key, "group": scenario.group, "title": scenario.title, "ok": outcome.ok}
    facts |= {"seen": outcome.seen, "seconds": round(outcome.seconds, 2)}
    return facts | {"evidence": str(outcome.evidence) if outcome.evidence else None}
