# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native bib`: the bindings of IPv6 transport addresses to those of pool4 (RFC 6146 §3.1)."""

from __future__ import annotations

from typing import Any

import click

from v6native.cli.app import App, json_option, pass_app
from v6native.cli.listing import filter_options, list_entries
from v6native.cli.output import OK, duration, print_json_array, table_in_steps

COLUMNS = ("PROTO", "CLIENT", "POOL", "KIND", "SESSIONS", "AGE")
WIDTHS = (5, 41, 21, 7, 8, 6)


@click.command()
@filter_options
@json_option
@pass_app
def bib(app: App, /, as_json: bool, **filters: str | int | None) -> int:
    """Lists the bindings, static ones included."""
    entries = list_entries(app, "bib", filters)
    if as_json:
        print_json_array(entries)
        return OK
    if table_in_steps(COLUMNS, (_row(entry) for entry in entries), WIDTHS) == 0:
        click.echo("No bindings.")
    return OK


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    return (
        entry["proto"],
        f"[{entry['address6']}]:{entry['port6']}",
        f"{entry['address4']}:{entry['port4']}",
        "static" if entry["static"] else "dynamic",
        str(entry["sessions"]),
        "-" if entry["static"] else duration(entry["age"]),
    )
