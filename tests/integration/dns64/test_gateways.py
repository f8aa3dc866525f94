# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Names are answered with the prefixes whose gateways work, as health.json tells."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv6Network
from pathlib import Path

import pytest

from tests.integration.dns64.scripted import PREF64, Running, Upstream, addresses, eventually, settings_for, zone
from tests.integration.dns64.test_service import RECORDS
from v6native.dns64 import gateways
from v6native.dns64.settings import Pref64
from v6native.health.gateway import Gateway
from v6native.health.report import render

OTHER = IPv6Network("2001:db8:65:64::/96")
FIRST, SECOND = "2001:db8:64:64::c633:6450", "2001:db8:65:64::c633:6450"


@pytest.fixture
def health(tmp_path: Path) -> Path:
    return tmp_path / "health.json"


@pytest.fixture
def running(health: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(gateways, "LOOK_SECONDS", 0.05)
    with Upstream(zone(RECORDS)) as upstream:
        made = Running(settings_for(upstream, pref64=(Pref64(PREF64), Pref64(OTHER))), health)
        try:
            yield made
        finally:
            made.close()


def tell(health: Path, first: bool, second: bool) -> None:
    health.write_text(render((Gateway(PREF64, first, "x"), Gateway(OTHER, second, "x"))))


def asked(running: Running) -> list[str]:
    return sorted(addresses(running.ask("v4only.example", "AAAA")))


def test_a_prefix_that_is_down_is_not_answered(running: Running, health: Path) -> None:
    assert asked(running) == [FIRST, SECOND], "before anybody looked"
    tell(health, False, True)
    eventually(lambda: asked(running) == [SECOND], "the second only")
    assert addresses(running.ask("ipv4only.arpa", "AAAA")) == ["2001:db8:65:64::c000:aa", "2001:db8:65:64::c000:ab"]
    tell(health, False, False)
    eventually(lambda: asked(running) == [FIRST, SECOND], "where none works all are answered")
    tell(health, True, False)
    eventually(lambda: asked(running) == [FIRST], "the first only")
    assert running.server.document()["gateways_down"] == [str(OTHER)]
    limits = replace(running.server.settings.limits, client_per_second=0)
    running.do(lambda: running.server.reload(replace(running.server.settings, limits=limits)))
    assert asked(running) == [FIRST], "a reload forgets nothing"


def test_an_old_or_broken_file_says_nothing(running: Running, health: Path) -> None:
    for text in ("{", "[]", '{"pref64": 5}', '{"pref64": {"x": {"healthy": false}}}', '{"pref64": {"::/96": []}}'):
        tell(health, False, True)
        eventually(lambda: asked(running) == [SECOND], "the second only")
        health.write_text(text)
        eventually(lambda: asked(running) == [FIRST, SECOND], text)
    tell(health, False, True)
    os.utime(health, (1, 1))
    running.do(running.server._gateways.look)  # type: ignore[union-attr]
    assert asked(running) == [FIRST, SECOND], "nobody has looked for long"
