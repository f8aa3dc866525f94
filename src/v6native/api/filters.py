# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Which sessions and BIB entries a reader wants: parsed once, then asked of every entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from v6native.config.model import Proto
from v6native.dataplane.door import BibEntry, Session

NAMES = ("proto", "client", "pool", "remote", "port", "state", "limit")


class BadFilter(ValueError):
    """A filter that is not known or not readable; the message says which and what it may be."""


@dataclass(frozen=True, slots=True)
class Filter:
    """None: not asked for. `client` is an IPv6 address or prefix, `pool` and `remote` IPv4, or IPv6 for `remote`.

    `port` is any of the entry's ports.
    """

    proto: Proto | None = None
    client: IPv6Network | None = None
    pool: IPv4Network | None = None
    remote: IPv4Network | IPv6Network | None = None
    port: int | None = None
    state: str | None = None
    limit: int | None = None

    def wants_session(self, session: Session) -> bool:
        if self.remote is not None:
            remote = session.remote4 if isinstance(self.remote, IPv4Network) else session.remote6
            if remote not in self.remote:
                return False
        if self.state is not None and (session.state is None or _plain(session.state.value) != self.state):
            return False
        if self.port is not None and self.port not in (session.port6, session.port4, session.remote_port):
            return False
        return self._wants_binding(session)

    def wants_bib(self, entry: BibEntry) -> bool:
        return (self.port is None or self.port in (entry.port6, entry.port4)) and self._wants_binding(entry)

    def _wants_binding(self, entry: Session | BibEntry) -> bool:
        return (
            (self.proto is None or entry.proto == self.proto)
            and (self.client is None or entry.address6 in self.client)
            and (self.pool is None or entry.address4 in self.pool)
        )


def parse(query: Mapping[str, str], sessions: bool) -> Filter:
    """The filter that a query string asks for; BadFilter. `sessions`: remote and state make sense."""
    allowed = NAMES if sessions else tuple(name for name in NAMES if name not in ("remote", "state"))
    for name in query:
        if name not in allowed:
            raise BadFilter(f"there is no filter {name!r} here; known are {', '.join(allowed)}")
    client = _network(query, "client")
    pool = _network(query, "pool")
    if isinstance(client, IPv4Network):
        raise BadFilter(f"client={query['client']}: an IPv6 address or prefix is wanted")
    if isinstance(pool, IPv6Network):
        raise BadFilter(f"pool={query['pool']}: an IPv4 address or prefix is wanted")
    state = query.get("state")
    return Filter(
        _proto(query),
        client,
        pool,
        _network(query, "remote"),
        _number(query, "port", 65535),
        _plain(state) if state is not None else None,
        _number(query, "limit", 2**31),
    )


def _plain(state: str) -> str:
    """RFC 6146 writes "V4 FIN + V6 FIN RCV"; a command line would rather write v4-fin-v6-fin-rcv."""
    return "-".join(state.lower().replace("+", " ").replace("-", " ").replace("_", " ").split())


def _proto(query: Mapping[str, str]) -> Proto | None:
    text = query.get("proto")
    try:
        return None if text is None else Proto(text.lower())
    except ValueError as error:
        raise BadFilter(f"proto={text}: tcp, udp or icmp is wanted") from error


def _network(query: Mapping[str, str], name: str) -> IPv4Network | IPv6Network | None:
    text = query.get(name)
    try:
        return None if text is None else ip_network(text, strict=False)
    except ValueError as error:
        raise BadFilter(f"{name}={text}: this is neither an address nor a prefix") from error


def _number(query: Mapping[str, str], name: str, largest: int) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not text.isdecimal() or int(text) > largest:
        raise BadFilter(f"{name}={text}: a number from 0 to {largest} is wanted")
    return int(text)
