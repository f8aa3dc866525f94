# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The same questions to BIND, unbound, Knot Resolver, PowerDNS Recursor and us: the same answers, but for what is listed."""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import dns.flags
import dns.message
import dns.query
import pytest

from tests.conventions.test_docs import rows
from tests.conventions.tree import ROOT
from tests.differential.dns64.differences import DIFFERENCES, Answer, aspects, named, unlisted
from tests.differential.dns64.peers import ADDRESSES, COMMANDS, OURS, PEERS, Anchor, all_of_them
from tests.differential.dns64.questions import QUESTIONS, SIGNED, Question, zones
from tests.integration.dns64.scripted import DEADLINE
from tests.integration.dns64.zones import sign
from tests.system.dataplane.bpffs import private_netns

pytestmark = pytest.mark.root

TABLE = ROOT / "docs/rfc-compliance/dns64-peers.md"
# MINIMUM of every zone, and what holds where no SOA came: with excluded addresses (RFC 6147 §5.1.7).
MINIMUM, NO_SOA = 60, 600


def ask(name: str, question: Question) -> Answer:
    """By UDP, and where the answer is cut by TCP."""
    query = dns.message.make_query(question.name, question.kind, use_edns=0, payload=1232, want_dnssec=question.do)
    query.flags |= dns.flags.CD if question.cd else 0
    message, _ = dns.query.udp_with_fallback(query, ADDRESSES[name], DEADLINE)
    assert message.flags & dns.flags.RA and message.flags & dns.flags.CD == query.flags & dns.flags.CD
    return Answer.of(message)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Question, dict[str, Answer]]]:
    """What each said to each question, one after the other: what they keep differs as little as can be."""
    folder = tmp_path_factory.mktemp("peers")
    signed, anchor = sign(folder / "signed", "signed.example.", SIGNED)
    with private_netns(*COMMANDS), all_of_them(folder, zones(signed), Anchor.of(anchor)):
        yield {question: {name: ask(name, question) for name in ADDRESSES} for question in QUESTIONS}


def test_every_difference_is_listed(answers: dict[Question, dict[str, Answer]]) -> None:
    found = [
        what
        for question, by_name in answers.items()
        for peer in PEERS
        if (what := unlisted(question, peer, by_name[OURS], by_name[peer])) is not None
    ]
    assert not found, "\n\n".join([f"{len(found)} differences are not listed", *found[:10]])


@pytest.mark.parametrize("name", DIFFERENCES)
def test_what_is_listed_still_differs(answers: dict[Question, dict[str, Answer]], name: str) -> None:
    shown = {
        peer
        for question, by_name in answers.items()
        for peer in PEERS
        if name in named(question, peer, by_name[OURS], by_name[peer])
    }
    assert shown == set(DIFFERENCES[name].peers)


def test_our_answers_do_not_depend_on_what_was_asked_before(
    answers: dict[Question, dict[str, Answer]], rng: random.Random
) -> None:
    for _ in range(20 if os.environ.get("V6NATIVE_COUNT") == "nightly" else 1):
        for question in rng.sample(QUESTIONS, len(QUESTIONS)):
            again = ask(OURS, question)
            assert aspects(answers[question][OURS], again) <= {"ttl"}, question


def test_nothing_synthesized_outlives_the_absence_of_the_real_one(answers: dict[Question, dict[str, Answer]]) -> None:
    synthesized = 0
    for question, by_name in answers.items():
        if by_name[OURS].synthesized and question.name != "ipv4only.arpa":
            ttls = [ttl for text, ttl in by_name[OURS].records.items() if text.split()[1] == "AAAA"]
            assert max(ttls) <= (NO_SOA if "mapped" in question.name else MINIMUM), question
            synthesized += 1
    assert synthesized > 30


def test_the_questions_tell_something(answers: dict[Question, dict[str, Answer]]) -> None:
    """Most answers are alike, and they are of all sorts."""
    alike: dict[str, int] = defaultdict(int)
    for by_name in answers.values():
        for peer in PEERS:
            alike[peer] += not aspects(by_name[OURS], by_name[peer])
    assert min(alike.values()) > 0.6 * len(QUESTIONS), dict(alike)
    assert {by_name[OURS].rcode for by_name in answers.values()} == {"NOERROR", "NXDOMAIN", "SERVFAIL"}


def test_the_table_tells_of_each() -> None:
    told = {row[0].strip("`"): tuple(row[3].split(": ")[0].split(", ")) for row in rows(TABLE, 4)}
    assert told == {name: difference.peers for name, difference in DIFFERENCES.items()}


A = Answer("NOERROR", False, False, False, {"a.example. AAAA 64:ff9b:1::1": 60})


@pytest.mark.parametrize(
    ("change", "aspect"),
    [
        ({"rcode": "SERVFAIL"}, "rcode"),
        ({"aa": True}, "aa"),
        ({"ad": True}, "ad"),
        ({"soa": True}, "soa"),
        ({"records": {}}, "answer"),
        ({"records": {"a.example. AAAA 64:ff9b:1::1": 10}}, "ttl"),
    ],
)
def test_what_is_not_listed_is_seen(change: dict[str, object], aspect: str) -> None:
    other = replace(A, **change)  # type: ignore[arg-type]
    assert aspects(A, other) == {aspect}
    question = Question("a.example", "AAAA")
    assert f"covers {aspect}\n" in (unlisted(question, "BIND", A, other) or "")
    assert unlisted(question, "BIND", A, A) is None
