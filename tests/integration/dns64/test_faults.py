# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A worker of its own under load, with one good upstream among bad ones: every question is answered, and none wrongly.

How quickly is measured in bench/, for a test machine may be busy.
"""

from __future__ import annotations

import random
import select
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import dns.message
import dns.rcode
import pytest

from tests.integration.dns64.scripted import (
    DEADLINE,
    LOOPBACK,
    PREF64,
    Script,
    Upstream,
    addresses,
    eventually,
    packed,
    reply,
    settings_for,
)
from tests.integration.dns64.test_process import Worker, worker
from v6native.address import embed
from v6native.dns64.settings import Limits, Timing, UpstreamServer

QUESTIONS = 300
UNDER_WAY = 30
LIE = "192.0.2.66"


def address_of(name: str) -> IPv4Address:
    """Each name has its own, so that an answer to another question is seen."""
    return IPv4Address(0xC6120000 | zlib.crc32(name.lower().rstrip(".").encode()) & 0x1FFFF)


def truth(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
    question = query.question[0]
    name = question.name.to_text()
    records = [f"{name} 1000 IN A {address_of(name)}"] if question.rdtype == 1 else []
    return [(0.005, packed(reply(query, *records, soa="example."), query, tcp))]


def dead(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
    return []


def slow(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
    return [(0.3, out) for _, out in truth(query, tcp)]


def lie(query: dns.message.QueryMessage) -> dns.message.Message:
    return reply(query, f"{query.question[0].name} 1000 IN A {LIE}", f"{query.question[0].name} 1000 IN AAAA ::bad")


def wrong_id(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
    message = lie(query)
    message.id ^= 0x0101
    return [(0, message.to_wire())]


def wrong_question(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
    other = dns.message.make_query(f"other.{query.question[0].name}", query.question[0].rdtype, id=query.id)
    assert isinstance(other, dns.message.QueryMessage)
    return [(0, lie(other).to_wire())]


def garbage(query: dns.message.QueryMessage, tcp: bool) -> list[tuple[float, bytes]]:
    """Its octets begin as an answer should, or not at all."""
    out = lie(query).to_wire()
    return [(0, random.choice([random.randbytes(60), out[:-7], out[:12] + b"\xc0\x0c" + out[12:], b"", out[:2]]))]


class Spoofing(Upstream):
    """Answers with lies that would be right, from a port that was not asked."""

    def __init__(self) -> None:
        self._elsewhere = socket.socket(type=socket.SOCK_DGRAM)
        super().__init__(lambda query, tcp: [(0, lie(query).to_wire())])

    def __exit__(self, *arguments: object) -> None:
        super().__exit__(*arguments)
        self._elsewhere.close()

    def _send(self, out: bytes, peer: tuple[str, int]) -> None:
        self._elsewhere.sendto(out, peer)


def closed() -> UpstreamServer:
    with Upstream(dead) as gone:
        return gone.server


BAD: dict[str, Callable[[], Upstream]] = {
    "dead": lambda: Upstream(dead),
    "slow": lambda: Upstream(slow),
    "wrong id": lambda: Upstream(wrong_id),
    "wrong question": lambda: Upstream(wrong_question),
    "spoofed port": Spoofing,
    "garbage": lambda: Upstream(garbage),
}
TIMING = Timing(query=3.0, hedge=0.1, parallel_a=0.2, failure=1)


@contextmanager
def behind(*bad: str, folder: Path, extra: tuple[UpstreamServer, ...] = ()) -> Iterator[tuple[Worker, int, Upstream]]:
    """A worker that asks bad ones first, and one that is good; its port, and the good one."""
    with ExitStack() as stack:
        upstreams = [stack.enter_context(BAD[name]()) for name in bad]
        good = stack.enter_context(Upstream(truth))
        servers = (*extra, *(upstream.server for upstream in (*upstreams, good)))
        limits = Limits(client_per_second=0)
        settings = replace(settings_for(good), upstreams=servers, timing=TIMING, limits=limits)
        (folder / "dns64.json").write_text(settings.to_json())
        yield stack.enter_context(worker(folder)), settings.listen[0].port, good


def ask_all(port: int, names: list[tuple[str, str]]) -> dict[tuple[str, str], dns.message.Message]:
    """Asks each question once, some at a time; the answers."""
    waiting = list(reversed(names))
    under_way: dict[int, tuple[str, str]] = {}
    found: dict[tuple[str, str], dns.message.Message] = {}
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.connect((LOOPBACK, port))
        while waiting or under_way:
            while waiting and len(under_way) < UNDER_WAY:
                question = waiting.pop()
                query = dns.message.make_query(*question, id=len(found) + len(under_way))
                under_way[query.id] = question
                client.send(query.to_wire())
            assert select.select([client], [], [], DEADLINE)[0], f"no answer to {list(under_way.values())}"
            answer = dns.message.from_wire(client.recv(4096))
            found[under_way.pop(answer.id)] = answer
    return found


def check(found: dict[tuple[str, str], dns.message.Message]) -> None:
    for (name, kind), answer in found.items():
        v4 = address_of(name)
        wanted = str(v4) if kind == "A" else str(IPv6Address(embed(PREF64, v4)))
        assert addresses(answer, kind) == [wanted], f"{name} {kind}: {answer}"


def questions(word: str, count: int = QUESTIONS) -> list[tuple[str, str]]:
    return [(f"{word}{number}.example", "A" if number % 3 else "AAAA") for number in range(count)]


@pytest.mark.parametrize("bad", BAD, ids=lambda name: name.replace(" ", "-"))
def test_answers_keep_coming_and_none_is_wrong(bad: str, tmp_path: Path) -> None:
    with behind(bad, folder=tmp_path) as (made, port, good):
        asked = questions("n")
        check(ask_all(port, asked))
        before = len(good.asked)
        # What is kept is no lie either.
        check(ask_all(port, asked))
        assert len(good.asked) == before
        assert made.stats()["internal_errors"] == 0


def test_all_bad_ones_at_once(tmp_path: Path) -> None:
    with behind(*BAD, folder=tmp_path, extra=(closed(),)) as (made, port, _):
        check(ask_all(port, questions("n")))
        document = made.stats()
        assert document["internal_errors"] == 0 and document["pending"] == 0
        assert sum(document["upstream_silent"].values()) >= 4, "they are known for what they are"


def test_they_become_bad_and_good_again_under_load(tmp_path: Path) -> None:
    with behind("slow", folder=tmp_path) as (made, port, good):
        scripts: tuple[Script, ...] = (dead, garbage, wrong_id, truth)
        ended = threading.Event()
        results: list[dict[tuple[str, str], dns.message.Message]] = []

        def load() -> None:
            rounds = 0
            while not ended.is_set() or not rounds:
                results.append(ask_all(port, questions(f"r{rounds}-", 60)))
                rounds += 1

        loading = threading.Thread(target=load)
        loading.start()
        try:
            for script in scripts:
                good.script = script
                asked = len(results)
                eventually(lambda asked=asked: len(results) > asked, "answers come")  # type: ignore[misc]
        finally:
            ended.set()
            loading.join(3 * DEADLINE)
        for found in results:
            check(found)
        assert made.stats()["internal_errors"] == 0
