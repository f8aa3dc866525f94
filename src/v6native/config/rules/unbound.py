# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What an unbound as the DNS64 cannot do, and the built-in one can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from v6native.config.filedns import Dns64Table
from v6native.config.modeldns import (
    Upstream,
)
from v6native.config.positions import KeyPath
from v6native.config.problem import ConfigProblem
from v6native.config.rules.draft import Draft

UNKNOWN = (
    "view",
    "exclude_aaaa",
    "exclude_ipv4",
    "never_synthesize",
    "aaaa_failure",
    "block",
    "tls",
    "query_log",
)
"""Keys of the DNS64 that change nothing with unbound's module."""


def check_unbound(draft: Draft) -> Iterator[ConfigProblem]:
    table = draft.file.dns64
    remedy = 'write engine = "builtin", or remove it'
    for word in UNKNOWN:
        if getattr(table, word) != Dns64Table.model_fields[word].default:
            yield draft.error("engine", ("dns64", word), f'the engine "unbound" has no {word}', remedy)
    if len(table.pref64) > 1:
        what = 'the engine "unbound" synthesizes with one prefix only'
        yield draft.error("engine", ("dns64", "pref64"), what, 'write engine = "builtin", or one prefix')
    yield from _asked(draft, ("dns64", "upstream"), table.upstream)
    for i, zone in enumerate(table.zone):
        yield from _asked(draft, ("dns64", "zone", i, "upstream"), zone.upstream)


def _asked(draft: Draft, path: KeyPath, given: Sequence[Upstream | str]) -> Iterator[ConfigProblem]:
    servers = [server for server in given if isinstance(server, Upstream)]
    if any(server.tls is not None and server.tls.path for server in servers):
        what = 'the engine "unbound" does not ask by HTTPS'
        yield draft.error("engine", path, what, 'write "tls://…", or engine = "builtin"')
    if len({server.tls is None for server in servers}) > 1:
        what = 'the engine "unbound" asks either all servers encrypted or none'
        yield draft.error("engine", path, what, 'write "tls://…" for all or for none, or engine = "builtin"')
    if "own" in given and len(given) > 1:
        what = 'the engine "unbound" asks either the authoritative servers ("own") or others'
        yield draft.error("engine", path, what, 'write "own" alone, or without it')
