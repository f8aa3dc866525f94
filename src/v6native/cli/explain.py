# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native explain`: what becomes of a packet, step by step, and why. Nothing is sent, and no table is changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from v6native.api.documents import to_json
from v6native.cli.app import App, json_option, pass_app
from v6native.cli.output import OK, PROBLEM, print_json
from v6native.explain.pcap import packet
from v6native.explain.question import ICMP_KINDS
from v6native.explain.summary import hexdump

# Where the packet goes on as it should.
_FINE = ("translated", "untranslated", "local", "slow")


@click.command()
@click.option("--from", "source", metavar="ADDRESS", help="The packet's source, IPv6 or IPv4.")
@click.option("--to", "destination", metavar="ADDRESS", help="Its destination: 64:ff9b::198.51.100.80, or IPv4.")
@click.option("--proto", type=click.Choice(["tcp", "udp", "icmp"]), help="Its protocol; default: tcp.")
@click.option("--sport", metavar="PORT", help="Its source port, or its identifier; default: 50000.")
@click.option("--dport", metavar="PORT", help="Its destination port.")
@click.option("--size", metavar="BYTES", help="The size of the IP packet; default: no data.")
@click.option("--flags", metavar="LETTERS", help="TCP's flags, of FSRPAU; default: S.")
@click.option("--icmp", type=click.Choice(ICMP_KINDS), help="An ICMP echo, or the reply to one.")
@click.option("--mark", metavar="MARK", help="The firewall mark that it has when it is routed.")
@click.option("--iif", metavar="INTERFACE", help="Where it comes in; default: where the route to its source leads.")
@click.option("--pcap", type=click.Path(path_type=Path, dir_okay=False), help="A packet of this capture instead.")
@click.option("--number", type=click.IntRange(min=1), help="Which one of it; default: its first IP packet.")
@json_option
@pass_app
def explain(app: App, /, as_json: bool, pcap: Path | None, number: int | None, **words: str | None) -> int:
    """Tells what becomes of a packet, without sending it; exit status 1 where it is refused."""
    question = {_WORDS.get(word, word): value for word, value in words.items() if value is not None}
    note = None
    if pcap is not None:
        question["packet"], note = _captured(pcap, number)
    elif number is not None:
        raise click.UsageError("--number is of a capture: name it with --pcap")
    document = app.api.post("/v1/explain", question) if app.api.answers() else _look(app, question)
    if as_json:
        print_json(document)
    else:
        if note:
            click.echo(note)
        _print(document)
    return OK if document["verdict"] in _FINE else PROBLEM


_WORDS = {"source": "from", "destination": "to"}


def _captured(file: Path, number: int | None) -> tuple[str, str | None]:
    """The packet's bytes, and what is to be said of them."""
    try:
        found = packet(file.read_bytes(), number)
    except OSError as why:
        raise click.UsageError(f"--pcap: {file}: {why.strerror}") from why
    assert found.ip is not None
    if not found.cut:
        return found.ip.hex(), None
    note = f"Packet {found.number} of {file} was cut when it was captured: {found.cut} bytes at its end count as zeros."
    return (found.ip + bytes(found.cut)).hex(), note


def _look(app: App, question: dict[str, str]) -> Any:
    node = app.node()
    return to_json(node.explain(node.load(), question))


def _print(document: dict[str, Any]) -> None:
    for step in document["steps"]:
        mark = " " if step["ok"] else "!"
        click.echo(f"{mark} {step['key']:<12} {step['text']}")
    click.echo()
    click.echo(f"{document['verdict'].upper()}: {document['text']}")
    if document["remedy"]:
        click.echo(f"  -> {document['remedy']}")
    if document["packet"]:
        click.echo(f"\n{document['summary']}\n{hexdump(bytes.fromhex(document['packet']))}")
