# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What `sessions` and `bib` share: their filters, and where the entries come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

import click

from v6native.api.documents import to_json
from v6native.api.filters import BadFilter, parse
from v6native.cli.app import App

F = TypeVar("F", bound=Callable[..., Any])


def filter_options(command: F) -> F:
    """Adds the filters that both lists know."""
    for option in (
        click.option("--limit", type=click.IntRange(min=1), help="At most so many."),
        click.option("--port", type=click.IntRange(0, 65535), help="Only entries with this port or identifier."),
        click.option("--pool", metavar="IPV4", help="Only entries on this pool4 address or prefix."),
        click.option("--client", metavar="IPV6", help="Only entries of this client's address or prefix."),
        click.option("--proto", type=click.Choice(["tcp", "udp", "icmp"]), help="Only this protocol."),
    ):
        command = option(command)
    return command


def list_entries(app: App, kind: str, filters: Mapping[str, str | int | None]) -> Iterator[dict[str, Any]]:
    """The entries as documents: from the daemon, or from the kernel itself while none runs."""
    query = {name: str(value) for name, value in filters.items() if value is not None}
    try:
        wanted = parse(query, sessions=kind == "sessions")
    except BadFilter as error:
        raise click.UsageError(str(error)) from error
    if app.api.answers():
        return app.api.lines(f"/v1/{kind}", query)
    node = app.node()
    if kind == "sessions":
        return (to_json(s) for s in islice(filter(wanted.wants_session, node.sessions()), wanted.limit))
    return (to_json(e) for e in islice(filter(wanted.wants_bib, node.bib()), wanted.limit))
