# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Which domains are counted, and the query log, over real sockets."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.integration.dns64.scripted import Running, Upstream, addresses, dns64, eventually, zone

SITES = {
    ("www.shop.co.uk.", "A"): ["www.shop.co.uk. 1000 IN A 198.51.100.80"],
    ("img.shop.co.uk.", "A"): ["img.shop.co.uk. 1000 IN A 198.51.100.81|198.51.100.82"],
    ("v6.example.", "AAAA"): ["v6.example. 1000 IN AAAA 2001:db8:80::80"],
    ("v6.example.", "A"): ["v6.example. 1000 IN A 198.51.100.83"],
}


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(zone(SITES)) as made:
        yield made


def domains(running: Running) -> dict[str, dict[str, Any]]:
    document: dict[str, Any] = {}
    running.do(lambda: document.update(running.server.names.document()))
    return {domain["domain"]: domain for domain in document["domains"]}


def answered(running: Running) -> int:
    """AAAA answers, as the statistics have them."""
    found: dict[str, Any] = {}
    running.do(lambda: found.update(running.server.document()))
    return sum(number for sort, number in found["answers"].items() if " AAAA " in sort)


def test_domains_are_counted_by_what_one_can_register(upstream: Upstream) -> None:
    with dns64(upstream) as running:
        for _ in range(30):
            running.ask("www.shop.co.uk", "AAAA")
        for _ in range(5):
            running.ask("img.shop.co.uk", "AAAA", tcp=True)
            running.ask("v6.example", "AAAA")
        running.ask("nowhere.example", "AAAA")
        running.ask("www.shop.co.uk", "A")
        found = domains(running)
        assert found["shop.co.uk"] == {
            "domain": "shop.co.uk",
            "queries": 35,
            "synthesized": 35,
            "clients": 1,
            "ipv4": ["198.51.100.80", "198.51.100.81", "198.51.100.82"],
        }
        assert (found["v6.example"]["queries"], found["v6.example"]["synthesized"]) == (5, 0)
        assert set(found) == {"shop.co.uk", "v6.example"}, "names without AAAA records are nobody's to nudge"
        assert answered(running) == 41, "what is counted by name is in the statistics, too"
        document = running.server.document()
        # Upstream is asked for each name's first AAAA; the A of www.shop.co.uk is known by then.
        assert document["cache_misses"] == 4 and document["cache_hits"] == 38


def test_switched_off_nothing_is_kept(upstream: Upstream) -> None:
    with dns64(upstream, count_names=False) as running:
        running.ask("www.shop.co.uk", "AAAA")
        assert domains(running) == {}
        running.do(lambda: running.server.reload(replace(running.server.settings, count_names=True)))
        running.ask("www.shop.co.uk", "AAAA")
        assert set(domains(running)) == {"shop.co.uk"}
        running.do(lambda: running.server.reload(replace(running.server.settings, count_names=False)))
        assert domains(running) == {}
        assert answered(running) == 2


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_the_query_log(upstream: Upstream, tmp_path: Path) -> None:
    file = tmp_path / "log" / "queries.json"
    with dns64(upstream, query_log=str(file)) as running:
        for _ in range(3):
            running.ask("www.shop.co.uk", "AAAA")
        running.ask("WWW.shop.co.uk", "HTTPS", tcp=True)
        found = eventually(lambda: len(lines(file)) == 4 and lines(file), "four lines")
        assert {line["client"] for line in found} == {"127.0.0.1"}
        assert [(line["transport"], line["name"], line["type"], line["rcode"], line["origin"]) for line in found] == [
            *(("udp", "www.shop.co.uk", "AAAA", "noerror", "synthesized") for _ in range(3)),
            ("tcp", "www.shop.co.uk", "HTTPS", "noerror", "upstream"),
        ]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, "who asked for what is nobody's business"
        # As logrotate does it.
        file.rename(tmp_path / "old.json")
        running.ask("www.shop.co.uk", "AAAA")
        eventually(lambda: len(lines(file)) == 1, "a new file")
        running.do(lambda: running.server.reload(replace(running.server.settings, query_log="")))
        running.ask("www.shop.co.uk", "AAAA")
        running.ask("www.shop.co.uk", "AAAA")
    assert len(lines(file)) == 1


def test_a_query_log_that_cannot_be_written_stops_nothing(upstream: Upstream, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    with dns64(upstream, query_log=str(tmp_path / "a-file" / "queries.json")) as running:
        assert addresses(running.ask("www.shop.co.uk", "AAAA")) == ["2001:db8:64:64::c633:6450"]
        eventually(lambda: running.event("query-log-lost") == 1, "it is counted")
