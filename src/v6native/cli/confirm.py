# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native confirm`: keeps the change that `up --confirm` made. Works without a daemon too: the file decides."""

from __future__ import annotations

import click

from v6native.cli.app import App, json_option, pass_app
from v6native.cli.output import OK, PROBLEM, print_json
from v6native.daemon import confirm as pending_change


@click.command()
@json_option
@pass_app
def confirm(app: App, as_json: bool) -> int:
    """Keeps what `up --confirm` changed."""
    confirmed = app.api.post("/v1/confirm")["confirmed"] if app.api.answers() else pending_change.confirm(app.paths.run)
    if as_json:
        print_json({"confirmed": confirmed})
    else:
        click.echo("Confirmed; the change stays." if confirmed else "Nothing waits for a confirmation.")
    return OK if confirmed else PROBLEM
