# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native trace`: refused packets as they come, each with its reason, and the remedy once."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import click

from v6native.api.client import ApiRefused
from v6native.api.documents import to_json
from v6native.cli.app import App, pass_app
from v6native.cli.output import OK, plural
from v6native.explain.refused import DEFAULT_RATE, Limiter, Watch, document, parse

_READ_EVERY = 0.1


@click.command()
@click.option(
    "--rate", type=click.IntRange(1, 10000), default=DEFAULT_RATE, show_default=True, help="At most so many a second."
)
@click.option("--reason", "reasons", multiple=True, metavar="REASON", help="Only with this reason; may be repeated.")
@click.option("--client", metavar="ADDRESS", help="Only from or to this address or prefix, IPv6 or IPv4.")
@click.option("--count", type=click.IntRange(min=1), help="End after so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of text.")
@pass_app
def trace(app: App, rate: int, reasons: tuple[str, ...], client: str | None, count: int | None, as_json: bool) -> int:
    """Shows refused packets live, until Ctrl-C; nothing else is changed or slowed down."""
    words = {"rate": str(rate), "reason": ",".join(reasons), "client": client}
    shown, lost = 0, 0
    told: set[str] = set()
    with closing(_lines(app, {name: text for name, text in words.items() if text})) as lines:
        try:
            for line in lines:
                if "lost" in line:
                    lost = line["lost"]
                    continue
                shown += 1
                click.echo(json.dumps(line) if as_json else _text(line, told))
                if shown == count:
                    break
        except KeyboardInterrupt:
            pass
    if as_json:
        click.echo(json.dumps({"shown": shown, "lost": lost}))
    else:
        kept = f"{lost} were not, too many at once." if lost else "none was lost."
        click.echo(f"{plural(shown, 'refused packet')} shown; {kept}")
    return OK


def _lines(app: App, words: dict[str, str]) -> Generator[dict[str, Any], None, None]:
    """Documents, and now and then what was lost so far."""
    if not app.api.answers():
        yield from _read(app, words)
        return
    for line in app.api.lines("/v1/trace", words):
        if "error" in line:
            raise ApiRefused(line["error"]["code"], line["error"]["text"])
        yield line


def _read(app: App, words: dict[str, str]) -> Generator[dict[str, Any], None, None]:
    """Without a daemon: out of the kernel, of which there is one reader at a time."""
    node = app.node()
    watch: Watch = parse(words, (reason.name for reason in node.reasons()))
    limiter, lost = Limiter(watch.rate), 0
    try:
        while True:
            found = node.refusals(watch.asked_rate)
            lost += found.lost
            yield {"lost": lost + limiter.lost}
            now = datetime.now(UTC)
            for refused in found.seen:
                if watch.wants(refused) and limiter.lets(time.monotonic()):
                    yield to_json(document(refused, now))
            time.sleep(_READ_EVERY)
    finally:
        node.end_refusals()


def _text(line: dict[str, Any], told: set[str]) -> str:
    when = datetime.fromisoformat(line["time"]).astimezone()
    what = line["summary"] or f"{line['length']} bytes that are no sound packet"
    mark = f", mark {line['mark']:#x}" if line["mark"] else ""
    text = f"{when:%H:%M:%S}.{when.microsecond // 1000:03} {line['interface']} {line['reason']} {what}{mark}"
    if line["reason"] in told:
        return text
    told.add(line["reason"])
    return f"{text}\n  {line['text']}" + (f"\n  -> {line['remedy']}" if line["remedy"] else "")
