# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native plan`: what `up` or `reload` would change, without changing it."""

from __future__ import annotations

from typing import Any

import click

from v6native.api.documents import to_json
from v6native.cli.app import App, json_option, pass_app
from v6native.cli.output import OK, plural, print_json


@click.command()
@json_option
@pass_app
def plan(app: App, as_json: bool) -> int:
    """Shows what `up` or `reload` would change."""
    if app.api.answers():
        document = app.api.get("/v1/plan")
    else:
        node = app.node()
        document = {"changes": to_json(node.preview(node.load()))}
    if as_json:
        print_json(document)
    else:
        print_changes(document["changes"], "Nothing would change.", "would be made")
    return OK


def print_changes(changes: list[dict[str, Any]], nothing: str, verb: str) -> None:
    """One line a change, and a last line with their number."""
    for change in changes:
        click.echo(f"  {change['text']}")
    click.echo(f"{plural(len(changes), 'change').capitalize()} {verb}." if changes else nothing)
