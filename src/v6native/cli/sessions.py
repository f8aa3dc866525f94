# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native sessions`: the live NAT64 sessions (RFC 6146 §3.2)."""

from __future__ import annotations

from typing import Any

import click

from v6native.cli.app import App, json_option, pass_app
from v6native.cli.listing import filter_options, list_entries
from v6native.cli.output import OK, duration, print_json_array, size, table_in_steps

COLUMNS = ("PROTO", "CLIENT", "POOL", "REMOTE", "STATE", "LEFT", "AGE", "OUT", "IN")
WIDTHS = (5, 41, 21, 21, 19, 6, 6, 10, 10)


@click.command()
@filter_options
@click.option("--remote", metavar="ADDRESS", help="Only sessions to this address or prefix.")
@click.option("--state", metavar="STATE", help="Only TCP sessions in this state, e.g. established.")
@json_option
@pass_app
def sessions(app: App, /, as_json: bool, **filters: str | int | None) -> int:
    """Lists the live sessions."""
    entries = list_entries(app, "sessions", filters)
    if as_json:
        print_json_array(entries)
        return OK
    if table_in_steps(COLUMNS, (_row(entry) for entry in entries), WIDTHS) == 0:
        click.echo("No sessions.")
    return OK


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    return (
        entry["proto"],
        f"[{entry['address6']}]:{entry['port6']}",
        f"{entry['address4']}:{entry['port4']}",
        f"{entry['remote4']}:{entry['remote_port']}" + (" (hairpin)" if entry["hairpin"] else ""),
        entry["state"] or "-",
        duration(entry["seconds_left"]),
        duration(entry["age"]),
        size(entry["bytes_6to4"]),
        size(entry["bytes_4to6"]),
    )
