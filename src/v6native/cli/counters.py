# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native counters`: packets by verdict and reason."""

from __future__ import annotations

import click

from v6native.api.documents import to_json
from v6native.cli.app import App, json_option, pass_app
from v6native.cli.output import OK, print_json, table
from v6native.daemon.documents import counters_document


@click.command()
@click.option("--all", "show_all", is_flag=True, help="Those that never happened too.")
@json_option
@pass_app
def counters(app: App, show_all: bool, as_json: bool) -> int:
    """Shows how many packets were translated, passed, answered and dropped, and why."""
    document = app.api.get("/v1/counters") if app.api.answers() else to_json(counters_document(app.node()))
    if as_json:
        print_json(document)
        return OK
    reasons = document["reasons"]
    rows = [(name, packets) for name, packets in document["counters"].items() if show_all or packets]
    if not rows:
        click.echo("No packet has reached a translator yet.")
        return OK
    table(
        ("PACKETS", "VERDICT", "REASON", "MEANING"),
        [(str(packets), reasons[name]["kind"].lower(), name, reasons[name]["text"]) for name, packets in rows],
        right=("PACKETS",),
    )
    return OK
