# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Lists of names that are not answered, in the forms in which people publish them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v6native.dns64.blocklist import Blocked, Reading, read
from v6native.dns64.wire import name_from_text

HOSTS = """\
# a hosts file
127.0.0.1 localhost localhost.localdomain
::1 ip6-localhost
0.0.0.0 ads.example tracker.example # two
:: six.example
fe80::1%lo0 localhost
"""
DOMAINS = "ads.example\n*.wild.example\n.dot.example\nUPPER.Example.\n\n# and a remark\n"
ADBLOCK = """\
[Adblock Plus 2.0]
! a remark
||ads.example^
||loud.example^$important
@@||good.ads.example^
||some.example/path^
##.banner
"""
DNSMASQ = (
    "address=/ads.example/0.0.0.0\naddress=/six.example/::\nlocal=/own.example/\nserver=/other.example/192.0.2.1\n"
)
POLICY = (
    "ads.example CNAME .\n*.ads.example CNAME .\n*.zone.example. 300 IN CNAME .\npass.example CNAME rpz-passthru.\n"
)


def blocked(tmp_path: Path, text: str, *allowed: str) -> Blocked:
    file = tmp_path / "list"
    file.write_text(text)
    return read([file], map(name_from_text, allowed))[0]


def verdicts(found: Blocked, *names: str) -> list[bool]:
    return [found.blocks(name_from_text(name)) for name in names]


def test_a_hosts_file_is_for_its_names_alone(tmp_path: Path) -> None:
    found = blocked(tmp_path, HOSTS)
    assert verdicts(found, "ads.example", "tracker.example", "six.example") == [True] * 3
    assert verdicts(found, "www.ads.example", "example", "localhost", "ip6-localhost") == [False] * 4
    assert len(found) == 4, "localhost.localdomain is one of them"


@pytest.mark.parametrize(
    ("text", "yes", "no"),
    [
        (DOMAINS, ["ads.example", "a.b.ads.example", "x.wild.example", "dot.example", "upper.example"], ["example", "bads.example"]),
        (ADBLOCK, ["ads.example", "bad.ads.example", "loud.example"], ["good.ads.example", "x.good.ads.example", "some.example"]),
        (DNSMASQ, ["x.ads.example", "six.example", "own.example"], ["other.example"]),
        (POLICY, ["ads.example", "x.ads.example", "x.zone.example"], ["pass.example"]),
    ],
    ids=["domains", "adblock", "dnsmasq", "policy"],
)  # fmt: skip
def test_other_forms_are_for_what_is_below_too(tmp_path: Path, text: str, yes: list[str], no: list[str]) -> None:
    found = blocked(tmp_path, text)
    assert verdicts(found, *yes) == [True] * len(yes)
    assert verdicts(found, *no) == [False] * len(no)


def test_the_nearest_domain_decides(tmp_path: Path) -> None:
    found = blocked(tmp_path, "ads.example\nworse.good.ads.example\n0.0.0.0 one.good.ads.example\n", "good.ads.example")
    assert verdicts(found, "good.ads.example", "x.good.ads.example") == [False, False]
    assert verdicts(found, "ads.example", "worse.good.ads.example", "x.worse.good.ads.example") == [True] * 3


def test_what_cannot_be_read_is_told_and_the_rest_holds(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_bytes(b"ads.example\n\xff\xfe what is this\n" + b"x" * 300 + b".example\n")
    bad.mkdir()
    found, told = read([good, bad, tmp_path / "none"], [])
    assert verdicts(found, "ads.example") == [True]
    assert [line.partition(": ")[2] for line in told] == [
        "2 lines have no form that is known",
        "Is a directory",
        "No such file or directory",
    ]


@given(st.text(max_size=60))
def test_no_line_raises(line: str) -> None:
    reading = Reading(set(), set(), set())
    reading.line(line)
    assert reading.unreadable in (0, 1)
