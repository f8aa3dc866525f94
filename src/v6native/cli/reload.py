# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native reload`: the running daemon loads the file anew; on any error it keeps what runs."""

from __future__ import annotations

import click

from v6native.cli.app import App, json_option, pass_app
from v6native.cli.output import OK, PROBLEM, print_json
from v6native.cli.plan import print_changes


@click.command()
@json_option
@pass_app
def reload(app: App, as_json: bool) -> int:
    """Makes the running daemon take over the changed file, without dropping a session."""
    document = app.api.post("/v1/reload")
    if as_json:
        print_json(document)
    elif document["error"] is None:
        print_changes(document["changes"], "Reloaded; nothing had to change.", "made")
    else:
        click.echo(f"v6native: reload failed, the old configuration runs on:\n{document['error']}", err=True)
    return OK if document["error"] is None else PROBLEM
