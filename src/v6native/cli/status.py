# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native status`: how the node is, on one screen."""

from __future__ import annotations

from typing import Any

import click

from v6native.cli.app import App, json_option, pass_app
from v6native.cli.output import OK, PROBLEM, duration, plural, print_json, size, table
from v6native.errors import DaemonUnreachable


@click.command()
@json_option
@pass_app
def status(app: App, as_json: bool) -> int:
    """Shows how the node is; exit status 1 where something is wrong."""
    if not app.api.answers():
        return _without_daemon(app, as_json)
    document = app.api.get("/v1/status")
    if as_json:
        print_json(document)
    else:
        _show(document)
    return OK if document["ok"] else PROBLEM


def _without_daemon(app: App, as_json: bool) -> int:
    in_place = app.node().in_place()
    if as_json:
        print_json({"ok": False, "daemon": None, "in_place": in_place})
        return PROBLEM
    raise DaemonUnreachable(
        "no daemon runs, but the data plane is in place and translates; run `v6native up` to take it over"
        if in_place
        else "this node is down: no daemon runs, and there is no data plane; run `v6native up`"
    )


def _show(document: dict[str, Any]) -> None:
    node, daemon = document["node"], document["daemon"]
    click.echo(f"{node['node']}: up for {duration(daemon['uptime_seconds'])}, v6native {daemon['version']}")
    click.echo(f"  pref64    {', '.join(node['pref64'])}")
    for gateway in document["gateways"]:
        if not gateway["healthy"]:
            click.echo(f"  DOWN      {gateway['pref64']}: {gateway['why']}")
    click.echo(f"  pool4     {', '.join(_pool(entry) for entry in node['pool4']) or 'none'}")
    click.echo(f"  sources   {', '.join(node['sources']) or 'none: nobody is translated'}")
    _fast_path(document["fast_path"])
    use = node["sessions"]
    click.echo(f"  sessions  {use['used']} of {use['size']}; {plural(node['bib'], 'binding')}")
    click.echo(f"  clients   {node['clients']}, with {plural(node['port_blocks'], 'port block')}")
    if daemon["reload"] is not None and daemon["reload"]["error"] is not None:
        click.echo(f"  RELOAD FAILED at {daemon['reload']['at']}: {daemon['reload']['error']}")
    if daemon["trouble"] is not None:
        click.echo(f"  REPAIR FAILED: {daemon['trouble']}")
    if document["confirm"]["seconds_left"] is not None:
        click.echo(f"  CONFIRM within {document['confirm']['seconds_left']:.0f} s, or this is undone: v6native confirm")
    click.echo()
    table(
        ("INTERFACE", "ROLE", "MTU", "ADDRESSES"),
        [(i["name"], i["role"], _mtu(i), ", ".join(i["addresses"]) or "-") for i in node["interfaces"]],
        right=("MTU",),
    )
    click.echo()
    table(
        ("WORKER", "STATE", "SINCE", "RESTARTS"),
        [_worker(worker) for worker in document["workers"]],
        right=("SINCE", "RESTARTS"),
    )
    for tunnel in node["tunnels"]:
        click.echo()
        _tunnel(tunnel)
    click.echo()
    _findings(document["findings"])


def _pool(entry: dict[str, Any]) -> str:
    shared = " (shared with the node)" if entry["shared"] else ""
    return f"{entry['address']}:{entry['first_port']}-{entry['last_port']}{shared}"


def _fast_path(pairs: list[dict[str, Any]]) -> None:
    """Pairs by what keeps them off, which is mostly the same for all."""
    if not pairs:
        click.echo("  fast path off: nat64.fast_path, or no NAT64")
        return
    states: dict[tuple[str, ...], list[str]] = {}
    for pair in pairs:
        states.setdefault(tuple(pair["reasons"]), []).append(f"{pair['ingress']} → {pair['egress']}")
    for reasons, named in states.items():
        click.echo(f"  fast path {'off' if reasons else 'on'}: {', '.join(named)}")
        for reason in reasons:
            click.echo(f"            {reason}")


def _mtu(interface: dict[str, Any]) -> str:
    return str(interface["mtu"]) if interface["present"] else "MISSING"


def _worker(worker: dict[str, Any]) -> tuple[str, str, str, str]:
    if worker["pid"] is None:
        return (worker["name"], "DOWN", "-", str(worker["restarts"]))
    return (worker["name"], f"running, pid {worker['pid']}", duration(worker["seconds"]), str(worker["restarts"]))


def _tunnel(tunnel: dict[str, Any]) -> None:
    state = "" if tunnel["present"] else "  MISSING"
    click.echo(f"tunnel {tunnel['name']} on {tunnel['interface']}, port {tunnel['listen']}{state}")
    rows = []
    for peer in tunnel["peers"]:
        seen = peer["last_handshake_seconds"]
        addresses = ", ".join(a for a in (peer["address6"], peer["address4"]) if a)
        rows.append(
            (
                peer["client"],
                addresses,
                "never" if seen is None else f"{duration(seen)} ago",
                size(peer["received_bytes"]),
                size(peer["sent_bytes"]),
            )
        )
    table(("CLIENT", "ADDRESSES", "HANDSHAKE", "RECEIVED", "SENT"), rows, right=("HANDSHAKE", "RECEIVED", "SENT"))


def _findings(findings: dict[str, int]) -> None:
    found = [plural(count, severity) for severity, count in findings.items() if count]
    click.echo(f"{' and '.join(found)}: see `v6native doctor`" if found else "The doctor finds nothing.")
