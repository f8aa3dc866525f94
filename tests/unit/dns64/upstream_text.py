# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Upstream's answers as text, for tests of the rules: what upstream says to each question, and what a client gets."""

from __future__ import annotations

from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from v6native.dns64 import wire
from v6native.dns64.answer import Answer, from_upstream
from v6native.dns64.query import parse_query, respond
from v6native.dns64.rules import Need, Policy, View, decide
from v6native.dns64.settings import Pref64

BORN = 1000


def said(question: str, *lines: str, rcode: str = "NOERROR", born: int = BORN) -> tuple[str, Answer]:
    """What upstream says to "name type", or to "name type +cd" alone: records of the answer section, after "--" of the
    authority section, after another "--" of the additional section."""
    name, kind = question.split()[:2]
    message = dns.message.make_response(dns.message.make_query(name, kind))
    message.set_rcode(dns.rcode.from_text(rcode))
    sections = iter((message.answer, message.authority, message.additional))
    section = next(sections)
    for line in lines:
        if line == "--":
            section = next(sections)
            continue
        owner, ttl, cls, rdtype, rdata = line.split(maxsplit=4)
        section.append(dns.rrset.from_text(owner, int(ttl), cls, rdtype, rdata))
    raw = message.to_wire(max_size=65535)
    return question, from_upstream(raw, wire.parse(raw), born, 86_400, 10_800, 5)


class Client:
    """Asks the rules. `asked` are the upstream questions that were needed, with "+cd" and "+do" where they had these."""

    def __init__(self, pref64: tuple[Pref64, ...], policy: Policy, *known: tuple[str, Answer]) -> None:
        prefixes = tuple(rule.prefix for rule in pref64)
        self.view = View(pref64, prefixes, policy)
        self.known = dict(known)
        self.asked: list[str] = []

    def ask(self, name: str, kind: str, now: int = BORN, **options: Any) -> dns.message.Message:
        query = parse_query(dns.message.make_query(name, kind, **options).to_wire())
        assert query is not None
        for _ in range(10):
            outcome = decide(query, self.view, self._found, now)
            if isinstance(outcome, Answer):
                self.last = outcome
                return dns.message.from_wire(respond(query, outcome, now, 65535))
            text = _text(outcome)
            assert text not in self.asked, "asked twice"
            self.asked.append(text)
        raise AssertionError("the rules never end")

    def _found(self, key: bytes) -> Answer | None:
        text = _text(Need(key))
        plain = text.split("+")[0].strip()
        return self.known.get(text, self.known[plain]) if text in self.asked else None


def _text(need: Need) -> str:
    key = need.key
    name = dns.name.from_wire(bytes(12) + key, 12)[0].to_text(omit_final_dot=True)
    kind = dns.rdatatype.to_text(dns.rdatatype.RdataType(int.from_bytes(key[-5:-3], "big")))
    return f"{name} {kind}" + (" +do" if key[-1] & 1 else "") + (" +cd" if key[-1] & 2 else "")


def lines(message: dns.message.Message, section: str = "answer") -> list[str]:
    """Records as "owner ttl type rdata", one a line."""
    found: list[dns.rrset.RRset] = getattr(message, section)
    return [
        f"{rrset.name} {rrset.ttl} {dns.rdatatype.to_text(rrset.rdtype)} {rdata.to_text()}"
        for rrset in found
        for rdata in rrset
    ]
