# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native down`: leaves the host as it was found, with or without a running daemon."""

from __future__ import annotations

from typing import Any

import click

from v6native.api.documents import to_json
from v6native.cli.app import App, json_option, pass_app
from v6native.cli.output import OK, print_json
from v6native.cli.plan import print_changes
from v6native.daemon.down import take_down


@click.command()
@json_option
@pass_app
def down(app: App, as_json: bool) -> int:
    """Removes the data plane, the workers and the tunnels, and restores what `up` had changed."""
    document = app.api.post("/v1/down") if app.api.answers() else _without_daemon(app)
    if as_json:
        print_json(document)
    else:
        print_changes(document["changes"], "Nothing of v6native is on this host.", "undone")
    return OK


def _without_daemon(app: App) -> Any:
    return {"changes": to_json(take_down(app.node(), app.paths, _quiet))}


def _quiet(_line: str) -> None:
    """The changes are printed together, at the end."""
