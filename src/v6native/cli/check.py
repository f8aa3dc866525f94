# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native check`: all that is wrong with the file at once, each with its line and what to write instead."""

from __future__ import annotations

from collections.abc import Sequence

import click

from v6native.api.documents import to_json
from v6native.cli.app import App, json_option, pass_app
from v6native.cli.output import OK, PROBLEM, plural, print_json
from v6native.config.problem import ConfigProblem, Severity
from v6native.errors import ConfigError


@click.command()
@click.option("--no-host", is_flag=True, help="Only the files: do not compare them with this machine.")
@json_option
@pass_app
def check(app: App, no_host: bool, as_json: bool) -> int:
    """Reports everything that is wrong with the configuration."""
    try:
        problems: Sequence[ConfigProblem] = app.node().check(with_host=not no_host)
    except ConfigError as error:
        problems = error.problems
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    if as_json:
        print_json({"ok": errors == 0, "problems": to_json(problems)})
    else:
        for problem in problems:
            click.echo(f"{problem}\n    {problem.remedy}")
        click.echo(_summary(app, errors, len(problems) - errors))
    return PROBLEM if errors else OK


def _summary(app: App, errors: int, warnings: int) -> str:
    found = [plural(count, word) for count, word in ((errors, "error"), (warnings, "warning")) if count]
    return f"{app.paths.network_toml}: {' and '.join(found) or 'good'}"
