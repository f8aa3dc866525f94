# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Block lists as clients see them, and lists that change under a running server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dns.message
import dns.rcode
import dns.rdatatype

from tests.integration.dns64.scripted import Running, Upstream, addresses, dns64, eventually, zone
from tests.integration.dns64.test_service import RECORDS
from v6native.config.modeldns import (
    DnsRecord,
    RecordType,
)

MAPPED = ["2001:db8:64:64::c633:6450"]


def names(running: Running) -> int:
    found = running.server.document()["blocked_names"]
    assert isinstance(found, int)
    return found


def test_a_blocked_name_does_not_exist(tmp_path: Path) -> None:
    """Whatever is asked of it, and below it; upstream is not asked. What the operator answers himself is answered."""
    file = tmp_path / "block.txt"
    file.write_text("v4only.example\nprinter.example\n")
    own = (DnsRecord("printer.example", RecordType.AAAA, "2001:db8:1::9"),)
    with Upstream(zone(RECORDS)) as upstream, dns64(upstream, block=(str(file),), local=own) as running:
        eventually(lambda: names(running) == 2, "the list is read")
        for name, kind in (("v4only.example", "AAAA"), ("v4only.example", "A"), ("x.V4ONLY.example", "HTTPS")):
            answer = running.ask(name, kind)
            assert (answer.rcode(), answer.answer) == (dns.rcode.NXDOMAIN, [])
            assert answer.authority[0].rdtype == dns.rdatatype.SOA and answer.authority[0].ttl <= 60
        assert upstream.asked == []
        assert addresses(running.ask("printer.example", "AAAA")) == ["2001:db8:1::9"]
        assert addresses(running.ask("dual.example", "AAAA")) == ["2001:db8:80::80"]
        answers = running.stats.document()["answers"]
        assert isinstance(answers, dict) and answers["udp AAAA blocked nxdomain"] == 1


def test_a_list_that_changes_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "block.txt"
    with Upstream(zone(RECORDS)) as upstream, dns64(upstream, block=(str(file),)) as running:
        assert addresses(running.ask("v4only.example", "AAAA")) == MAPPED, "a list that is not there yet blocks nothing"

        def answered() -> bool:
            return running.ask("v4only.example", "AAAA").rcode() == dns.rcode.NOERROR

        def look() -> None:
            assert running.server._blocklists is not None
            running.server._blocklists.look()

        for text, blocked in (
            ("v4only.example\n", True),
            ("other.example\n", False),
            ("a.example\nv4only.example\n", True),
        ):
            file.write_text(text)
            running.do(look)
            eventually(lambda: not answered() if blocked else answered(), f"{text!r} is read")  # noqa: B023
        settings = replace(running.server.settings, never_block=("v4only.example",))
        running.do(lambda: running.server.reload(settings))
        eventually(lambda: addresses(running.ask("v4only.example", "AAAA")) == MAPPED, "it is never blocked now")
        without = replace(settings, block=(), never_block=())
        running.do(lambda: running.server.reload(without))
        assert names(running) == 0


def test_names_are_answered_while_a_long_list_is_read(tmp_path: Path) -> None:
    file = tmp_path / "block.txt"
    file.write_text("".join(f"host{n}.ads{n % 1000}.example\n" for n in range(200_000)))
    with Upstream(zone(RECORDS)) as upstream, dns64(upstream, block=(str(file),)) as running:
        assert addresses(running.ask("v4only.example", "AAAA")) == MAPPED
        eventually(lambda: names(running) == 200_000, "the list is read")
        assert running.ask("host7.ads7.example", "A").rcode() == dns.rcode.NXDOMAIN
