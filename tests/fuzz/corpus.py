# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Where fuzzing starts from: cases that reach each branch of the rules, made by dnspython."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from tests.fuzz.case import Case, told
from tests.fuzz.target import AGES, VIEWS

_SOA = "example. 300 IN SOA ns.example. root.example. 1 7200 900 86400 60"
_MANY = [f"www.example. 1000 IN A 198.51.100.{number}" for number in range(1, 60)]
_REVERSE = "0.5.4.6.3.3.6.c.0.0.0.0.0.0.0.0.0.0.0.0.4.6.0.0.4.6.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
_NO_AAAA = ("--", _SOA)
# Names, types, options of the query; what upstream says to AAAA, and to A: records, after "--" of the next section.
_TALKS: tuple[tuple[tuple[str, str, dict[str, Any]], tuple[str, ...], tuple[str, ...]], ...] = (
    (("www.example", "AAAA", {}), _NO_AAAA, ("www.example. 1000 IN A 198.51.100.80",)),
    (("www.example", "AAAA", {"use_edns": 0, "payload": 1400}), _NO_AAAA, tuple(_MANY)),
    (("www.example", "AAAA", {"want_dnssec": True}), _NO_AAAA, ("www.example. 1000 IN A 8.8.8.8",)),
    (("www.example", "AAAA", {"want_dnssec": True, "flags": dns.flags.RD | dns.flags.CD}), _NO_AAAA, ()),
    (("www.example", "AAAA", {}), ("www.example. 5 IN AAAA 2001:db8::1", "www.example. 9 IN AAAA ::ffff:1.2.3.4"), ()),
    (("www.example", "AAAA", {}), ("www.example. 5 IN AAAA ::ffff:1.2.3.4",), ("www.example. 5 IN A 192.0.2.1",)),
    (
        ("www.example", "AAAA", {}),
        ("www.example. 50 IN CNAME web.example.", "--", _SOA),
        ("www.example. 50 IN CNAME web.example.", "web.example. 70 IN A 192.0.2.1", "web.example. 70 IN A 10.0.0.1"),
    ),
    (
        ("www.old.example", "AAAA", {}),
        ("old.example. 50 IN DNAME new.example.", "www.old.example. 50 IN CNAME www.new.example.", "--", _SOA),
        ("old.example. 50 IN DNAME new.example.", "www.new.example. 70 IN A 198.51.100.200"),
    ),
    (("www.never.example", "AAAA", {}), _NO_AAAA, ("www.never.example. 50 IN A 192.0.2.1",)),
    (("ads.blocked", "AAAA", {}), _NO_AAAA, ()),
    (("ipv4only.arpa", "AAAA", {}), (), ()),
    (("_dns.resolver.arpa", "SVCB", {}), (), ()),
    ((_REVERSE, "PTR", {}), (), ()),
    (("www.example", "MX", {}), (), ("--", "--", "mail.example. 60 IN A 192.0.2.1")),
    (("www.example", "A", {"use_edns": 1}), (), ()),
    (("www.example", "ANY", {}), ("www.example. 5 IN AAAA 2001:db8::1",), ()),
    (("www.example", "HTTPS", {}), (), ("--", "example. 60 IN NS ns.example.")),
)


def cases() -> Iterator[bytes]:
    """Each talk under each view, at each age."""
    for (name, kind, options), aaaa, a in _TALKS:
        query = dns.message.make_query(name, kind, id=0x1234, **options)
        answers = [told(_answer(name, kind, query, lines)) for kind, lines in (("AAAA", aaaa), ("A", a))]
        for choice in range(len(VIEWS) * len(AGES)):
            yield Case(choice, query.to_wire(), *answers).packed()
    failed = dns.message.make_response(dns.message.make_query("www.example", "AAAA"))
    for rcode in (dns.rcode.SERVFAIL, dns.rcode.NXDOMAIN, dns.rcode.REFUSED):
        failed.set_rcode(rcode)
        answered = _answer("www.example", "A", None, ("www.example. 60 IN A 192.0.2.1",))
        asked = dns.message.make_query("www.example", "AAAA", id=1).to_wire()
        for choice in range(len(VIEWS)):
            yield Case(choice, asked, told(failed.to_wire()), told(answered)).packed()


def _answer(name: str, kind: str, query: dns.message.Message | None, lines: tuple[str, ...]) -> bytes:
    """With OPT where the query has it."""
    message = dns.message.make_response(dns.message.make_query(name, kind))
    if query is not None and query.edns == 0:
        message.use_edns(0, payload=1232)
    sections = iter((message.answer, message.authority, message.additional))
    section = next(sections)
    for line in lines:
        if line == "--":
            section = next(sections)
            continue
        owner, ttl, cls, rdtype, rdata = line.split(maxsplit=4)
        section.append(dns.rrset.from_text(owner, int(ttl), cls, rdtype, rdata))
    return message.to_wire(max_size=65535)


def write(folder: Path) -> int:
    """One file a case; how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for count, case in enumerate(cases(), 1):
        (folder / f"seed-{count:03}").write_bytes(case)
    return count
