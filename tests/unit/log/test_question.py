# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What an operator writes, and which span of time that is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from zoneinfo import ZoneInfo

import pytest

from v6native.log.question import BadQuestion, parse, span, transport, zone

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own time zone."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-11-20T18:04", "2026-11-20T17:04:00", "2026-11-20T17:04:59.999"),
        ("2026-11-20 18:04", "2026-11-20T17:04:00", "2026-11-20T17:04:59.999"),
        ("2026-07-20T18:04", "2026-07-20T16:04:00", "2026-07-20T16:04:59.999"),
        ("2026-11-20T18:04:30", "2026-11-20T17:04:30", "2026-11-20T17:04:30.999"),
        ("2026-11-20T18:04:30.25", "2026-11-20T17:04:30.250", "2026-11-20T17:04:30.250"),
        ("2026-11-20T18:04Z", "2026-11-20T18:04:00", "2026-11-20T18:04:59.999"),
        ("2026-11-20 18:04 UTC", "2026-11-20T18:04:00", "2026-11-20T18:04:59.999"),
        ("2026-11-20T18:04:30-0500", "2026-11-20T23:04:30", "2026-11-20T23:04:30.999"),
        ("2026-11-20T18:04+05:30", "2026-11-20T12:34:00", "2026-11-20T12:34:59.999"),
        ("2026-11-20", "2026-11-19T23:00:00", "2026-11-20T22:59:59.999"),
        # A day of 23 hours, and an hour that clocks show twice.
        ("2026-03-29", "2026-03-28T23:00:00", "2026-03-29T21:59:59.999"),
        ("2026-10-25T02:30", "2026-10-25T00:30:00", "2026-10-25T01:30:59.999"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30:00", "2026-10-25T01:30:59.999"),
    ],
)
def test_as_exact_as_it_is_written(text: str, start: str, end: str) -> None:
    expected = tuple(datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in (start, end))
    assert span(text, BERLIN) == expected


def test_without_a_zone_it_is_the_machines(in_tokyo: None) -> None:
    assert span("2026-11-20T18:04", zone(None))[0] == datetime(2026, 11, 20, 9, 4, tzinfo=UTC)
    assert span("2026-11-20T18:04Z", zone(None))[0] == datetime(2026, 11, 20, 18, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("yesterday", "write one like 2026-11-20T18:04"),
        ("18:04", "write one like 2026-11-20T18:04"),
        ("2026-11-20T18", "write one like 2026-11-20T18:04"),
        ("2026-11-20T18:04.5", "write one like 2026-11-20T18:04"),
        ("2026-13-20T18:04", "month must be in 1..12"),
        ("2026-11-20T25:04", "hour must be in 0..23"),
        ("2026-11-20T18:04+99:00", "2026-11-20T18:04"),
        ("2026-03-29T02:30", "set forward"),
    ],
)
def test_what_is_no_time(text: str, says: str) -> None:
    with pytest.raises(BadQuestion, match=says.replace(".", r"\.").replace("+", r"\+")):
        span(text, BERLIN)


def test_zones() -> None:
    assert (zone(None), zone("utc"), zone("Europe/Berlin")) == (None, UTC, BERLIN)
    for name in ("Mars/Olympus", "", "../etc/passwd", "/etc/passwd"):
        with pytest.raises(BadQuestion, match="no time zone"):
            zone(name)


def test_transport_addresses() -> None:
    assert transport("192.0.2.1:40123") == (IPv4Address("192.0.2.1"), 40123)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("192.0.2.1", "192.0.2.1:40123"),
        ("[2001:db8::1]:80", "is IPv6"),
        ("2001:db8::1", "is IPv6"),
        ("192.0.2.1:http", "no port"),
        ("192.0.2.1:70000", "no port"),
        ("192.0.2.1:-1", "no port"),
        ("192.0.2:80", "no IPv4 address"),
        ("example.net:80", "no IPv4 address"),
    ],
)
def test_what_is_no_transport_address(text: str, says: str) -> None:
    with pytest.raises(BadQuestion, match=says):
        transport(text)


def test_a_query() -> None:
    query = {"address": "192.0.2.1", "port": "80"}
    asked = parse(query, NOW)
    assert (asked.address, asked.port, asked.start, asked.end, asked.proto) == (
        IPv4Address("192.0.2.1"), 80, NOW, NOW, None,
    )  # fmt: skip
    asked = parse({**query, "at": "2026-11-20T18:04", "proto": "udp"}, NOW)
    assert asked.end - asked.start == timedelta(milliseconds=59999)
    assert (asked.start, asked.proto) == (datetime(2026, 11, 20, 18, 4, tzinfo=UTC), "udp")
    asked = parse({**query, "from": "2026-11-01", "to": "2026-11-02T06:00:00+01:00"}, NOW)
    assert asked.start == datetime(2026, 11, 1, tzinfo=UTC)
    assert asked.end == datetime(2026, 11, 2, 5, 0, 0, 999000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"port": "80"}, "address and port are wanted"),
        ({"address": "192.0.2.1"}, "address and port are wanted"),
        ({"address": "192.0.2.1", "port": "80", "when": "now"}, "there is no 'when' here"),
        ({"address": "192.0.2.1", "port": "80", "proto": "sctp"}, "tcp, udp, icmp is wanted"),
        ({"address": "192.0.2.1", "port": "80", "proto": "all"}, "tcp, udp, icmp is wanted"),
        ({"address": "192.0.2.1", "port": "80", "at": "2027-01-01"}, "yet to come"),
        ({"address": "192.0.2.1", "port": "80", "at": "2026-01-01", "to": "2026-01-02"}, "either"),
        ({"address": "192.0.2.1", "port": "80", "from": "2026-01-03", "to": "2026-01-02"}, "ends before it begins"),
    ],
)
def test_what_is_no_query(query: dict[str, str], says: str) -> None:
    with pytest.raises(BadQuestion, match=says):
        parse(query, NOW)
