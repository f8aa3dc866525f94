# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""DNS64: no resolver that asks itself, and records that are what they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from pydantic_core import PydanticCustomError

from v6native.config.filedns import DnsTlsTable
from v6native.config.modeldns import (
    DnsEngine,
    RecordType,
    Upstream,
)
from v6native.config.positions import KeyPath
from v6native.config.problem import ConfigProblem
from v6native.config.rules.draft import Draft
from v6native.config.rules.unbound import check_unbound
from v6native.config.values import domain

PORT = 53
PATHS = {
    "authorities": "/etc/v6native/tls/our-ca.pem",
    "trust_anchor": "/usr/share/dns/root.key",
    "query_log": "/var/log/v6native/queries.json",
}
"""Keys that are files, and one like each."""


def check(draft: Draft) -> Iterator[ConfigProblem]:
    table = draft.file.dns64
    if not table.enabled:
        return
    yield from _listen(draft)
    ours = own_listeners(draft)
    yield from _records(draft)
    yield from _zones(draft, ours)
    yield from _pref64(draft, ("dns64", "pref64"), table.pref64)
    for i, file in enumerate(table.block):
        if not file.startswith("/"):
            what = f'"{file}" is no path from the root'
            yield draft.error("path", ("dns64", "block", i), what, 'write one like "/etc/v6native/block.txt"')
    for word, example in PATHS.items():
        if (file := getattr(table, word)) and not file.startswith("/"):
            yield draft.error(
                "path", ("dns64", word), f'"{file}" is no path from the root', f'write one like "{example}"'
            )
    if table.engine is DnsEngine.UNBOUND:
        yield from check_unbound(draft)
    if table.tls is not None:
        yield from _tls(draft, table.tls)
    for i, view in enumerate(table.view):
        yield from _pref64(draft, ("dns64", "view", i, "pref64"), view.pref64)
        for j, source in enumerate(view.source):
            if any(source in other.source for other in table.view[:i]) or source in view.source[:j]:
                where: KeyPath = ("dns64", "view", i, "source", j)
                yield draft.error("duplicate", where, f"{source} is given twice", "remove one of the two")
    for i, given in enumerate(table.upstream):
        path: KeyPath = ("dns64", "upstream", i)
        if given == "system" and len(table.upstream) > 1:
            what = '"system" stands alone: it means the resolvers of /etc/resolv.conf and no others'
            yield draft.error("upstream", path, what, "remove it, or remove the others")
        if given in table.upstream[:i]:
            yield draft.error("duplicate", path, f"{_word(given)} is given twice", "remove one of the two")
        if isinstance(given, Upstream) and (given.address.is_unspecified or given.address.is_multicast):
            what = f"{given.address} is not a resolver's address"
            yield draft.error("upstream", path, what, "write the address of a resolver")
        for address in _addresses(given, table.tls):
            if problem := ours.get(address):
                what = f"{_word(given)} is our own listener ({problem}): DNS64 would ask itself, forever"
                remedy = 'write the resolver behind us, or "address#port" of one that listens on another port'
                yield draft.error("loop", path, what, remedy)
                break


def own_listeners(draft: Draft) -> dict[IPv4Address | IPv6Address, str]:
    """The addresses on which nodes answer, as far as the file alone tells, and where it says so."""
    config = draft.config
    if config.dns64.listen:
        return {a: draft.line(("dns64", "listen", i)) for i, a in enumerate(config.dns64.listen)}
    found: dict[IPv4Address | IPv6Address, str] = {}
    for tunnel in config.tunnels:
        where = f"the node's address in the tunnel {tunnel.name}"
        found[tunnel.prefix.network_address + 1] = where
        if tunnel.clat4:
            found[tunnel.clat4.network_address + 1] = where
    return found


def _listen(draft: Draft) -> Iterator[ConfigProblem]:
    listen = draft.config.dns64.listen
    for i, address in enumerate(listen):
        path: KeyPath = ("dns64", "listen", i)
        if address.is_multicast:
            yield draft.error("listen", path, f"{address} is multicast", "write an address of the node")
        if address in listen[:i]:
            yield draft.error("duplicate", path, f"{address} is given twice", "remove one of the two")
        if address.is_unspecified:
            what = f"{address} answers everybody who can reach the node, from the internet too"
            yield draft.warning("open", path, what, "write the addresses that your clients use, or remove the key")


def _records(draft: Draft) -> Iterator[ConfigProblem]:
    versions = {RecordType.A: 4, RecordType.AAAA: 6}
    for i, record in enumerate(draft.file.dns64.record):
        path: KeyPath = ("dns64", "record", i, "value")
        wanted = versions.get(record.type)
        try:
            if wanted is None:
                domain(record.value)
            elif ip_address(record.value).version != wanted:
                raise ValueError
        except (ValueError, PydanticCustomError):
            what = f'"{record.value}" is no {f"IPv{wanted} address" if wanted else "domain name"}, which {record.type} asks for'
            yield draft.error("record", path, what, "write one, or another `type`")


def _tls(draft: Draft, tls: DnsTlsTable) -> Iterator[ConfigProblem]:
    for word in ("certificate", "key"):
        if not getattr(tls, word).startswith("/"):
            what = f'"{getattr(tls, word)}" is no path from the root'
            yield draft.error("path", ("dns64", "tls", word), what, 'write one like "/etc/v6native/tls/key.pem"')
    for word, port in (("dot", tls.dot), ("doh", tls.doh)):
        if port == PORT:
            what = f"port {PORT} is that of plain DNS"
            yield draft.error("port", ("dns64", "tls", word), what, "write another port, or 0")
    if tls.dot == tls.doh:
        what = "DNS over TLS and over HTTPS have the same port" if tls.dot else "both ports are 0: nothing is encrypted"
        yield draft.error("port", ("dns64", "tls", "doh"), what, "write two ports, or remove the table")


def _pref64(draft: Draft, path: KeyPath, given: Sequence[IPv6Network]) -> Iterator[ConfigProblem]:
    ours = draft.config.network.pref64
    for i, prefix in enumerate(given):
        if prefix not in ours:
            what = f"{prefix} is none of network.pref64: nobody would translate what is made with it"
            yield draft.error("pref64", (*path, i), what, f"write one of {', '.join(map(str, ours))}, or add it there")
        if prefix in given[:i]:
            yield draft.error("duplicate", (*path, i), f"{prefix} is given twice", "remove one of the two")


def _zones(draft: Draft, ours: dict[IPv4Address | IPv6Address, str]) -> Iterator[ConfigProblem]:
    names = [zone.name for zone in draft.file.dns64.zone]
    for i, zone in enumerate(draft.file.dns64.zone):
        if zone.name in names[:i]:
            where: KeyPath = ("dns64", "zone", i, "name")
            yield draft.error("duplicate", where, f"{zone.name} is given twice", "write all its resolvers into one")
        for j, server in enumerate(zone.upstream):
            path: KeyPath = ("dns64", "zone", i, "upstream", j)
            for address in _addresses(server, draft.file.dns64.tls):
                if problem := ours.get(address):
                    what = f"{_word(server)} is our own listener ({problem}): DNS64 would ask itself, forever"
                    yield draft.error("loop", path, what, "write the resolver that knows this domain")


def _addresses(given: Upstream | str, tls: DnsTlsTable | None) -> Iterator[IPv4Address | IPv6Address]:
    """Those of an upstream that are asked on a port on which we answer."""
    if given == "unbound":
        yield from (IPv6Address("::1"), IPv4Address("127.0.0.1"))
    elif isinstance(given, Upstream):
        ports = (PORT,) if given.tls is None else (tls.dot, tls.doh) if tls is not None else ()
        if given.port in ports:
            yield given.address


def _word(given: Upstream | str) -> str:
    return f'"{given}"' if isinstance(given, str) else str(given)
