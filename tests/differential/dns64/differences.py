# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Where others answer otherwise, each case by a name that docs/rfc-compliance/dns64-peers.md explains.

Two answers differ in aspects: `rcode`, `answer` (the records, whatever their order and TTL), `ttl` (ours is greater), `aa`, `ad`, and
`soa` (whether the authority section has one). A difference says which peers show it, for what, and which aspects it may explain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from tests.differential.dns64.peers import PREFIX
from tests.differential.dns64.questions import Question

# Caches of others were filled some moments before or after.
_SLACK = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """`records`: "owner type data" of the answer section with their TTLs; of a signature, what it is over."""

    rcode: str
    aa: bool
    ad: bool
    soa: bool
    records: dict[str, int]

    @staticmethod
    def of(message: dns.message.Message) -> Answer:
        records = {}
        for rrset in message.answer:
            kind = dns.rdatatype.to_text(rrset.rdtype)
            for rdata in rrset:
                covers = rrset.rdtype == dns.rdatatype.RRSIG
                text = dns.rdatatype.to_text(rdata.type_covered) if covers else rdata.to_text()
                records[f"{rrset.name} {kind} {text}"] = rrset.ttl
        return Answer(
            dns.rcode.to_text(message.rcode()),
            bool(message.flags & dns.flags.AA),
            bool(message.flags & dns.flags.AD),
            any(rrset.rdtype == dns.rdatatype.SOA for rrset in message.authority),
            records,
        )

    def data(self, kind: str) -> list[str]:
        return [text.split(" ", 2)[2] for text in self.records if text.split()[1] == kind]

    @property
    def synthesized(self) -> bool:
        return any(IPv6Address(address) in PREFIX for address in self.data("AAAA"))

    def has(self, kind: str) -> bool:
        return bool(self.data(kind))


def aspects(ours: Answer, theirs: Answer) -> set[str]:
    """In what they differ."""
    found = {name for name in ("rcode", "aa", "ad", "soa") if getattr(ours, name) != getattr(theirs, name)}
    if ours.records.keys() != theirs.records.keys():
        found.add("answer")
    if any(ttl > theirs.records[text] + _SLACK for text, ttl in ours.records.items() if text in theirs.records):
        found.add("ttl")
    return found


@dataclass(frozen=True, slots=True)
class Difference:
    peers: tuple[str, ...]
    explains: frozenset[str]
    covers: Callable[[Question, Answer, Answer], bool]


def _difference(peers: str, explains: str, covers: Callable[[Question, Answer, Answer], bool]) -> Difference:
    return Difference(tuple(peers.split()), frozenset(explains.split()), covers)


def _is_pointer(question: Question) -> bool:
    return question.name.endswith(".b.9.f.f.4.6.0.0.ip6.arpa") and question.kind == "PTR"


def _mapped(answer: Answer) -> bool:
    return any(IPv6Address(address).ipv4_mapped for address in answer.data("AAAA"))


def _truth(question: Question) -> bool:
    return question.do and question.cd


_WELL_KNOWN = PREFIX[0xC00000AA].reverse_pointer

DIFFERENCES: dict[str, Difference] = {
    "excluded-by-default": _difference(
        "unbound Knot PowerDNS", "answer soa",
        lambda q, ours, theirs: not _truth(q) and _mapped(theirs) and not _mapped(ours),
    ),
    "excluded-too-much": _difference(
        "Knot", "answer", lambda q, ours, theirs: q.name == "low.example" and theirs.synthesized and not ours.synthesized
    ),
    "soa-beside": _difference("Knot", "soa", lambda q, ours, theirs: theirs.synthesized and theirs.soa and not ours.soa),
    "cd-alone": _difference(
        "unbound Knot", "rcode answer soa",
        lambda q, ours, theirs: q.kind == "AAAA" and q.cd and not q.do and not theirs.synthesized
        and theirs.rcode == "NOERROR" and (ours.synthesized or ours.rcode == "SERVFAIL"),
    ),
    "cd-and-do": _difference(
        "BIND PowerDNS", "answer soa ad",
        lambda q, ours, theirs: q.kind == "AAAA" and _truth(q) and not ours.synthesized and theirs.synthesized,
    ),
    "cd-and-do-excluded": _difference(
        "BIND", "answer soa",
        lambda q, ours, theirs: q.kind == "AAAA" and _truth(q) and _mapped(ours) and not _mapped(theirs),
    ),
    "do-signed": _difference(
        "BIND", "answer soa",
        lambda q, ours, theirs: q.do and not q.cd and ours.synthesized and ours.ad and not theirs.has("AAAA") and theirs.ad,
    ),
    "ad": _difference("PowerDNS", "ad", lambda q, ours, theirs: q.do and ours.synthesized and ours.ad and theirs.synthesized),
    "ad-with-cd": _difference("Knot PowerDNS", "ad", lambda q, ours, theirs: _truth(q) and ours.ad),
    "forged-denial": _difference(
        "BIND unbound PowerDNS", "rcode answer soa ad",
        lambda q, ours, theirs: q.name == "denied.signed.example" and not _truth(q)
        and not ours.has("AAAA") and theirs.synthesized,
    ),
    "forged-a": _difference(
        "BIND PowerDNS", "rcode answer",
        lambda q, ours, theirs: q.name == "bad4.signed.example" and not _truth(q)
        and ours.rcode == "SERVFAIL" and theirs.synthesized,
    ),
    "many": _difference(
        "BIND", "rcode answer soa", lambda q, ours, theirs: q.name == "many.example" and theirs.rcode == "SERVFAIL"
    ),
    "any-synthesized": _difference(
        "unbound", "answer", lambda q, ours, theirs: q.kind == "ANY" and theirs.synthesized and not ours.synthesized
    ),
    "any-refused": _difference("Knot", "rcode answer", lambda q, ours, theirs: q.kind == "ANY" and theirs.rcode == "SERVFAIL"),
    "dname-ttl": _difference(
        "unbound", "ttl", lambda q, ours, theirs: q.name.endswith(".old.example") and theirs.has("CNAME")
    ),
    "soa-ttl": _difference("PowerDNS", "ttl", lambda q, ours, theirs: q.kind == "SOA"),
    "ipv4only": _difference(
        "unbound Knot PowerDNS", "aa ttl answer soa",
        lambda q, ours, theirs: q.name == "ipv4only.arpa" and ours.aa and not theirs.aa
        and (not theirs.records or theirs.records.keys() == ours.records.keys()),
    ),
    "pointer-chain": _difference(
        "BIND Knot PowerDNS", "answer aa",
        lambda q, ours, theirs: _is_pointer(q) and ours.has("PTR") and theirs.has("CNAME")
        and set(ours.data("PTR")) == set(theirs.data("PTR")),
    ),
    "pointer-chain-half": _difference(
        "unbound", "answer",
        lambda q, ours, theirs: _is_pointer(q) and ours.has("PTR") and theirs.has("PTR") and theirs.has("CNAME"),
    ),
    "pointer-cd-and-do": _difference(
        "BIND unbound Knot PowerDNS", "rcode answer soa aa",
        lambda q, ours, theirs: _is_pointer(q) and _truth(q) and not ours.records and bool(theirs.records),
    ),
    "pointer-nothing": _difference(
        "BIND unbound Knot PowerDNS", "answer aa",
        lambda q, ours, theirs: _is_pointer(q) and not ours.records and not theirs.has("PTR")
        and ours.rcode == theirs.rcode == "NXDOMAIN",
    ),
    "pointer-well-known": _difference(
        "unbound Knot PowerDNS", "rcode answer soa aa",
        lambda q, ours, theirs: q.name == _WELL_KNOWN and ours.data("PTR") == ["ipv4only.arpa."]
        and theirs.rcode == "NXDOMAIN",
    ),
    "pointer-types": _difference(
        "BIND Knot", "rcode answer aa",
        lambda q, ours, theirs: q.name.endswith(".ip6.arpa") and q.kind == "TXT" and theirs.has("CNAME"),
    ),
}  # fmt: skip


def named(question: Question, peer: str, ours: Answer, theirs: Answer) -> set[str]:
    """The names of what explains how they differ, or some of it."""
    differ = aspects(ours, theirs)
    return {
        name
        for name, difference in DIFFERENCES.items()
        if peer in difference.peers and difference.explains & differ and difference.covers(question, ours, theirs)
    }


def unlisted(question: Question, peer: str, ours: Answer, theirs: Answer) -> str | None:
    """How they differ otherwise than is listed; None where all of it is."""
    names = named(question, peer, ours, theirs)
    left = aspects(ours, theirs).difference(*(DIFFERENCES[name].explains for name in names))
    if not left:
        return None
    what = ", ".join(sorted(left))
    return f"{question}: no row of docs/rfc-compliance/dns64-peers.md covers {what}\n{peer}: {theirs}\nours: {ours}"
