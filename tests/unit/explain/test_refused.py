# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What a watcher wants of the refused packets, and the line that it gets."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_network

import pytest

from tests.packets.build import tcp4, udp6
from v6native.dataplane.door import Reason, Refused, Translator
from v6native.explain.refused import FILTERED_RATE, BadWatch, Limiter, Watch, document, parse

REASONS = ("SOURCE_NOT_ALLOWED", "NO_BIB_TCP", "TRANSLATED_6TO4", "ANSWER_SENT")
STRANGER = Reason("SOURCE_NOT_ALLOWED", "ANSWERED", "the source may not use this translator")
SCAN = Reason("NO_BIB_TCP", "ANSWERED", "TCP to a port without a BIB entry")


def refused(packet: bytes, reason: Reason = STRANGER, length: int = 0) -> Refused:
    return Refused(Translator.NAT64, reason, 1.5, "nat64-x", 5, length or len(packet), packet)


def test_words() -> None:
    assert parse({}, REASONS) == Watch(100)
    watch = parse({"rate": "7", "reason": "no_bib_tcp, SOURCE_NOT_ALLOWED", "client": "2001:db8::5/64"}, REASONS)
    assert watch == Watch(7, frozenset({"NO_BIB_TCP", "SOURCE_NOT_ALLOWED"}), ip_network("2001:db8::/64"))


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ({"rate": "0"}, "rate 0: packets a second, from 1"),
        ({"rate": "fast"}, "rate fast"),
        (
            {"reason": "TRANSLATED_6TO4"},
            "reason TRANSLATED_6TO4: that is no refusal; they are NO_BIB_TCP, SOURCE_NOT_ALLOWED",
        ),
        ({"client": "phone"}, "client phone"),
        ({"reasons": "X"}, "there is no reasons: a watch has rate, reason, client"),
    ],
)
def test_what_is_wrong_is_told(words: dict[str, str], what: str) -> None:
    with pytest.raises(BadWatch) as told:
        parse(words, REASONS)
    assert what in str(told.value)


def test_what_is_wanted() -> None:
    packet = refused(udp6(src="2001:db8:9::1"))
    for client, wanted in (("2001:db8:9::/64", True), ("2001:db8:8::/64", False), ("198.51.100.80", False)):
        assert Watch(client=ip_network(client)).wants(packet) is wanted
    assert Watch(client=ip_network("203.0.113.1")).wants(refused(tcp4(5), SCAN)), "its destination"
    assert not Watch(reasons=frozenset({"NO_BIB_TCP"})).wants(packet)
    assert not Watch(client=ip_network("::/0")).wants(refused(b"\x60 broken"))


def test_who_wants_few_asks_for_many() -> None:
    assert Watch(10).asked_rate == 10
    assert Watch(10, frozenset({"NO_BIB_TCP"})).asked_rate == FILTERED_RATE


def test_a_document() -> None:
    packet = udp6(sport=5, src="2001:db8:9::1")
    told = document(refused(packet[:60], length=len(packet)), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert (told.time, told.translator, told.interface) == ("2026-01-02T03:04:03.500+00:00", "nat64", "nat64-x")
    assert (told.reason, told.remedy and "nat64.sources" in told.remedy) == ("SOURCE_NOT_ALLOWED", True)
    assert (told.source, told.protocol, told.source_port, told.destination_port) == ("2001:db8:9::1", "UDP", 5, 53)
    assert (told.length, len(told.packet), told.mark) == (96, 120, 5)
    broken = document(refused(b"\x60 broken"), datetime.now(UTC))
    assert (broken.source, broken.summary, broken.packet) == (None, None, b"\x60 broken".hex())


def test_a_limiter_counts_what_it_holds_back() -> None:
    limiter = Limiter(2)
    assert [limiter.lets(now) for now in (7.0, 7.1, 7.2, 7.9, 8.0)] == [True, True, False, False, True]
    assert limiter.lost == 2
