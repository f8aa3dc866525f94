# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native doctor`: what is wrong with this node and its host, and what to do about it."""

from __future__ import annotations

from typing import Any

import click

from v6native.api.documents import to_json
from v6native.cli.app import App, json_option, pass_app
from v6native.cli.output import OK, PROBLEM, print_json
from v6native.daemon.documents import doctor_document


def _look(app: App) -> Any:
    node = app.node()
    return to_json(doctor_document(node, node.load(), ()))


@click.command()
@json_option
@pass_app
def doctor(app: App, as_json: bool) -> int:
    """Looks for what is wrong; exit status 1 where it finds an error or a warning."""
    document = app.api.get("/v1/doctor") if app.api.answers() else _look(app)
    findings = document["findings"]
    if as_json:
        print_json(document)
    elif not findings:
        click.echo(f"Nothing found by {document['checks']} checks.")
    else:
        for finding in findings:
            click.echo(
                f"{finding['severity'].upper():8}{finding['code']}\n  {finding['text']}\n  -> {finding['remedy']}"
            )
    return PROBLEM if any(f["severity"] != "info" for f in findings) else OK
