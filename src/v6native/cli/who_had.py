# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native who-had 192.0.2.1:40123 --at 2026-11-20T18:04`: the client that had this address and port at that time.

It reads the file itself, with the code that answers the API's /v1/who-had: no daemon needs to run, and the answer is there
in a tenth of a second.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, tzinfo
from typing import Any

import click

from v6native.cli.app import App, json_option, pass_app
from v6native.cli.output import OK, PROBLEM
from v6native.log.answer import document
from v6native.log.lookup import look_up
from v6native.log.question import BadQuestion, question, span, transport, zone

ENDS = {
    "given_back": "",
    "reboot": ", at the latest: the machine went down",
    "down": ", when the node was taken down",
    "superseded": ", at the latest: the end was not logged",
    "found_gone": ", at the latest: the end was not logged",
    "switched_off": ", when the log was switched off",
}
# The log's worker gives a sign of life every ten seconds.
SILENT = 60


@click.command("who-had")
@click.argument("where", metavar="ADDRESS:PORT")
@click.option("--at", metavar="TIME", help="When, e.g. 2026-11-20T18:04 or 2026-11-20T18:04:30+01:00; default: now.")
@click.option(
    "--tz", metavar="ZONE", help="The zone of a time that names none, e.g. UTC or Europe/Berlin; default: ours."
)
@click.option(
    "--proto", type=click.Choice(["tcp", "udp", "icmp"]), help="Only this protocol; icmp: PORT is an identifier."
)
@json_option
@pass_app
def who_had(app: App, where: str, at: str | None, tz: str | None, proto: str | None, as_json: bool) -> int:
    """Names who had an address and port of the NAT64; exit status 1 where nobody had."""
    now = datetime.now(UTC)
    try:
        local = zone(tz)
        asked = question(transport(where), (now, now) if at is None else span(at, local), proto, now)
    except BadQuestion as error:
        raise click.UsageError(str(error)) from error
    found = document(look_up(app.paths.log_database, asked, now))
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        _show(found, local, now)
    return OK if found["holders"] else PROBLEM


def _show(found: dict[str, Any], local: tzinfo | None, now: datetime) -> None:
    start, end = _moment(found["from"]), _moment(found["to"])
    proto = f"/{found['proto']}" if found["proto"] is not None else ""
    click.echo(f"{found['address']}:{found['port']}{proto}, {_span(start, end, local)}")
    for holder in found["holders"]:
        _show_holder(holder, local)
    if not found["holders"]:
        click.echo("  nobody")
    if found["cut"]:
        click.echo("  … and more: ask for a shorter time")
    if found["lost"]:
        click.echo(f"  The log misses {found['lost']} events of that time: this may not be all.")
    if found["off"]:
        click.echo("  The log was switched off for a part of that time.")
    since, seen = found["since"], found["seen"]
    if since is not None and start < _moment(since):
        click.echo(f"  The log goes back to {_shown(_moment(since), local)} only.")
    if seen is not None and not found["off"] and (min(end, now) - _moment(seen)).total_seconds() > SILENT:
        click.echo(f"  Nothing was logged since {_shown(_moment(seen), local)}: `v6native doctor` may know why.")


def _show_holder(holder: dict[str, Any], local: tzinfo | None) -> None:
    client = holder["client"].removesuffix("/128")
    names = ", ".join(_called(name["name"], name["tunnel"]) for name in holder["names"])
    click.echo(f"  {names}, {client}" if names else f"  {client}")
    first, last, proto = holder["first_port"], holder["last_port"], holder["proto"]
    ports = f"port {first}" if first == last else f"ports {first}-{last}"
    protocols = "all protocols" if proto == "all" else proto
    own = f", its own port {holder['client_port']}" if holder["client_port"] is not None else ""
    click.echo(f"    {ports}, {protocols}{own}{', a static entry' if holder['static'] else ''}")
    if holder["end"] is None:
        click.echo(f"    from {_shown(_moment(holder['start']), local)} until now")
    else:
        ended = ENDS.get(holder["ended"], "")
        click.echo(
            f"    from {_shown(_moment(holder['start']), local)} to {_shown(_moment(holder['end']), local)}{ended}"
        )


def _called(name: str, tunnel: str | None) -> str:
    return f"{name} (this node)" if tunnel is None else f"{name} (tunnel {tunnel})"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _span(start: datetime, end: datetime, local: tzinfo | None) -> str:
    shown = _shown(start, local)
    # Written without milliseconds, a span that ends just before a full second ends with it.
    if (end - start).total_seconds() >= 1:
        shown = f"{shown} to {_shown(end, local)}"
    utc = f"{start:%Y-%m-%d %H:%M:%S} UTC"
    return shown if shown.startswith(utc) else f"{shown} ({utc})"


def _shown(moment: datetime, local: tzinfo | None) -> str:
    return f"{moment.astimezone(local):%Y-%m-%d %H:%M:%S %Z}"
