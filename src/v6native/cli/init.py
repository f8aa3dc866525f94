# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native init`: writes a first network.toml with every value that it could detect."""

from __future__ import annotations

import click

from v6native.cli.app import App, json_option, pass_app
from v6native.cli.output import OK, print_json
from v6native.errors import V6nativeError


@click.command()
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--print", "only_print", is_flag=True, help="Print the file instead of writing it.")
@json_option
@pass_app
def init(app: App, force: bool, only_print: bool, as_json: bool) -> int:
    """Writes a first network.toml with what this machine has."""
    from v6native.config.init import draft

    path = app.paths.network_toml
    if path.exists() and not (force or only_print):
        raise V6nativeError(f"{path} is there already: edit it, or write over it with `v6native init --force`")
    facts = app.node().host_facts()
    text = draft(facts, app.node_name or facts.hostname)
    if not only_print:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = path.with_suffix(".toml.new")
        fresh.write_text(text)
        fresh.rename(path)
    if as_json:
        print_json({"path": None if only_print else str(path), "text": text})
    elif only_print:
        click.echo(text, nl=False)
    else:
        click.echo(f"Wrote {path}. Read it, then run `v6native check` and `v6native plan`.")
    return OK
