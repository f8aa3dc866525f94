# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native dns top --ipv4-only`: what keeps this network on IPv4, and so whom to ask for IPv6."""

from __future__ import annotations

from typing import Any

import click

from v6native.cli.app import App, json_option, pass_app
from v6native.cli.output import OK, PROBLEM, duration, print_json, size, table
from v6native.daemon.told import top_domains
from v6native.daemon.workers import dns64_top

COLUMNS = ("DOMAIN", "QUERIES", "IPV4-ONLY", "CLIENTS", "SESSIONS", "BYTES")


@click.group()
def dns() -> None:
    """What the DNS64 has seen."""


@dns.command()
@click.option("--ipv4-only", is_flag=True, help="Only domains whose AAAA records were synthesized.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="At most so many.")
@json_option
@pass_app
def top(app: App, ipv4_only: bool, limit: int, as_json: bool) -> int:
    """Domains by AAAA queries; clients are counted, not named, and bytes are those of live sessions."""
    found = _from_daemon(app) or top_domains(dns64_top(app.paths), app.node().sessions())
    domains = [domain for domain in found["domains"] if domain["synthesized"] or not ipv4_only]
    domains.sort(key=lambda domain: (-domain["synthesized" if ipv4_only else "queries"], domain["domain"]))
    found = found | {"domains": domains[:limit]}
    if as_json:
        print_json(found)
    elif not found["answers"]:
        click.echo("The DNS64 does not run here, or does not answer.")
    elif not found["enabled"]:
        click.echo("Nothing is counted: dns64.count_names is false.")
    else:
        _show(found)
    return OK if found["answers"] else PROBLEM


def _from_daemon(app: App) -> dict[str, Any] | None:
    return app.api.get("/v1/dns/top") if app.api.answers() else None


def _show(found: dict[str, Any]) -> None:
    if found["domains"]:
        table(COLUMNS, [_row(domain) for domain in found["domains"]], right=COLUMNS[1:])
    click.echo(f"AAAA queries of the last {duration(found['seconds'])}.")
    if found["skipped"]:
        click.echo(f"{found['skipped']} queries were not looked at: too many names at once.")


def _row(domain: dict[str, Any]) -> tuple[str, ...]:
    return (
        domain["domain"],
        str(domain["queries"]),
        str(domain["synthesized"]),
        str(domain["clients"]),
        str(domain["sessions"]),
        size(domain["bytes"]),
    )
