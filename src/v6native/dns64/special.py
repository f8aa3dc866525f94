# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Names that are answered here: ipv4only.arpa (RFC 7050, RFC 8880 §7.1), resolver.arpa (RFC 9462), the operator's own."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Network, ip_address

from v6native.address import embed
from v6native.config.modeldns import (
    DnsRecord,
    RecordType,
)
from v6native.dns64 import wire
from v6native.dns64.answer import Answer, build
from v6native.dns64.query import Query
from v6native.dns64.settings import Tls
from v6native.dns64.wire import Record

IPV4ONLY = b"\x08ipv4only\x04arpa\0"
WELL_KNOWN = (IPv4Address("192.0.0.170"), IPv4Address("192.0.0.171"))
# Short, for a network may change its pref64, and clients ask anew only then (RFC 7050 §3).
TTL = 600

_TYPES = {RecordType.A: wire.A, RecordType.AAAA: wire.AAAA, RecordType.PTR: wire.PTR}
_CLASS_IN = wire.IN.to_bytes(2, "big")
_NOBODY = b"\x06nobody\x07invalid\0"


def ipv4only(query: Query, prefixes: Iterable[IPv6Network], now: int) -> Answer | None:
    """The answer for ipv4only.arpa and what is below it; None for names that only look alike, and for DS, which is
    asked for upstream (RFC 8880 §7.1, item 4). The non-global rule does not concern these two addresses."""
    if IPV4ONLY not in wire.suffixes(query.name) or query.type == wire.DS:
        return None
    question = query.name + query.question[-4:]
    if query.name != IPV4ONLY:
        return negative(question, wire.NXDOMAIN, IPV4ONLY, now, TTL)
    rdatas: list[bytes] = []
    if query.type == wire.A:
        rdatas = [v4.packed for v4 in WELL_KNOWN]
    elif query.type == wire.AAAA:
        rdatas = [embed(prefix, v4).packed for prefix in prefixes for v4 in WELL_KNOWN]
    if not rdatas:
        return negative(question, wire.NOERROR, IPV4ONLY, now, TTL)
    records = [Record(query.name, query.type, wire.IN, TTL, rdata) for rdata in rdatas]
    return build(question, wire.NOERROR, (records,), now, TTL, "local", wire.AA)


def negative(question: bytes, rcode: int, zone: bytes, now: int, ttl: int, origin: str = "local") -> Answer:
    """A negative answer with the SOA of a zone that exists only here, so that clients keep it for `ttl` (RFC 2308)."""
    numbers = b"".join(number.to_bytes(4, "big") for number in (1, 3600, 1200, 604_800, ttl))
    soa = Record(zone, wire.SOA, wire.IN, ttl, zone + _NOBODY + numbers)
    answer = build(question, rcode, ((), (soa,)), now, ttl, origin, wire.AA)
    answer.soa_ttl = ttl
    return answer


RESOLVER_ARPA = b"\x08resolver\x04arpa\0"
DOH_PATH = "/dns-query"
DISCOVERY = b"\x04_dns" + RESOLVER_ARPA
_ALPN, _PORT, _DOHPATH = 1, 3, 7
_DDR_TTL = 300


def designated(query: Query, tls: Tls | None, now: int) -> Answer | None:
    """The answer for resolver.arpa and what is below it, which is never asked for elsewhere: where this resolver is spoken
    to over TLS and HTTPS (RFC 9462 §4, §6.4, RFC 9461). None for other names."""
    if RESOLVER_ARPA not in wire.suffixes(query.name):
        return None
    question = query.name + query.question[-4:]
    if query.name not in (RESOLVER_ARPA, DISCOVERY):
        return negative(question, wire.NXDOMAIN, RESOLVER_ARPA, now, _DDR_TTL)
    rdatas = _services(tls) if tls and query.name == DISCOVERY and query.type in (wire.SVCB, wire.ANY) else []
    if not rdatas:
        return negative(question, wire.NOERROR, RESOLVER_ARPA, now, _DDR_TTL)
    records = [Record(query.name, wire.SVCB, wire.IN, _DDR_TTL, rdata) for rdata in rdatas]
    return build(question, wire.NOERROR, (records,), now, _DDR_TTL, "local", wire.AA)


def _services(tls: Tls) -> list[bytes]:
    """One SVCB record (RFC 9460 §2.2) for each protocol and port, HTTPS first."""
    target = wire.name_from_text(tls.name)
    found = []
    offers = [(b"h2", port, DOH_PATH.encode() + b"{?dns}") for port in sorted({listen.port for listen in tls.doh})]
    offers += [(b"dot", port, b"") for port in sorted({listen.port for listen in tls.dot})]
    for priority, (alpn, port, path) in enumerate(offers, 1):
        values = {_ALPN: bytes([len(alpn)]) + alpn, _PORT: port.to_bytes(2, "big")} | ({_DOHPATH: path} if path else {})
        parameters = b"".join(
            key.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value for key, value in values.items()
        )
        found.append(priority.to_bytes(2, "big") + target + parameters)
    return found


class LocalRecords:
    """The operator's records. A name that is in here exists with these records only; what is below it does not matter."""

    def __init__(self, records: Iterable[DnsRecord]) -> None:
        self.names: dict[bytes, list[Record]] = {}
        for record in records:
            name = wire.name_from_text(record.name)
            is_name = record.type is RecordType.PTR
            rdata = wire.name_from_text(record.value) if is_name else ip_address(record.value).packed
            made = Record(name, _TYPES[record.type], wire.IN, record.ttl, rdata)
            self.names.setdefault(name, []).append(made)

    def find(self, question: bytes, now: int) -> Answer | None:
        """The answer to a question (name in lower case, type, class); None for names that are not in here."""
        name = question[:-4]
        records = self.names.get(name)
        if records is None or question[-2:] != _CLASS_IN:
            return None
        kind = int.from_bytes(question[-4:-2], "big")
        wanted = [record for record in records if kind in (record.type, wire.ANY)]
        if not wanted:
            return negative(question, wire.NOERROR, name, now, min(record.ttl for record in records))
        return build(question, wire.NOERROR, (wanted,), now, 0, "local", wire.AA)
