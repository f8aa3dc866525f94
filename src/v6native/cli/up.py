# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native up`: runs the node in the foreground, until Ctrl-C; the data plane stays when it ends."""

from __future__ import annotations

import click

from v6native.cli.app import App, pass_app
from v6native.cli.output import OK


@click.command()
@click.option(
    "--confirm",
    "confirm_seconds",
    type=click.IntRange(5, 86400),
    metavar="SECONDS",
    help="Undo everything unless `v6native confirm` comes within so many seconds, whatever happens.",
)
@click.option("--json", "as_json", is_flag=True, help="The log as one JSON object a line.")
@pass_app
def up(app: App, confirm_seconds: int | None, as_json: bool) -> int:
    """Brings the node up and keeps it up."""
    # Late: asyncio, HTTP and the logs are for the daemon only.
    from v6native.daemon.up import Wish, bring_up

    bring_up(app.node(), app.paths, Wish(app.node_name, confirm_seconds, as_json))
    return OK
