# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""dns64.json: what is written reads the same, and what is wrong is said, all of it."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

import pytest

from v6native.config.modeldns import (
    AaaaFailure,
    DnsRecord,
    RecordType,
)
from v6native.dns64.settings import (
    Dns64Settings,
    Limits,
    Listen,
    Pref64,
    Timing,
    UpstreamServer,
    View,
)
from v6native.errors import Dns64SettingsError

SMALLEST = Dns64Settings(
    listen=(Listen(IPv6Address("2001:db8:64:1::1")),),
    upstreams=(UpstreamServer(IPv4Address("192.0.2.53")),),
    pref64=(Pref64(IPv6Network("64:ff9b::/96")),),
    allow=(IPv6Network("2001:db8:64::/48"),),
)
FULL = replace(
    SMALLEST,
    listen=(*SMALLEST.listen, Listen(IPv4Address("192.0.2.1"), 5353), Listen(IPv6Address("fe80::1%br0"))),
    upstreams=(UpstreamServer(IPv6Address("::1"), 5335, trust_ad=False), *SMALLEST.upstreams),
    pref64=(Pref64(IPv6Network("2001:db8:64:64::/96"), (IPv4Network("10.0.0.0/8"),)),),
    views=(View((IPv4Network("100.64.0.0/10"),), ()),),
    exclude_aaaa=(),
    exclude_ipv4=(IPv4Network("192.168.0.0/16"),),
    open_ipv4=(IPv4Network("198.51.100.0/24"),),
    never_synthesize=("corp.example",),
    aaaa_failure=AaaaFailure.FAIL,
    local=(DnsRecord("a.example", RecordType.A, "192.0.2.7"), DnsRecord("b.example", RecordType.PTR, "c.example", 5)),
    timing=Timing(query=1.5),
    limits=Limits(cache_entries=5),
)


@pytest.mark.parametrize("settings", [SMALLEST, FULL], ids=["smallest", "full"])
def test_what_is_written_reads_the_same(settings: Dns64Settings) -> None:
    assert Dns64Settings.from_json(settings.to_json()) == settings


def test_defaults_need_not_be_written() -> None:
    text = json.dumps(
        {
            "listen": [{"address": "2001:db8:64:1::1"}],
            "upstreams": [{"address": "192.0.2.53"}],
            "pref64": [{"prefix": "64:ff9b::/96"}],
            "allow": ["2001:db8:64::/48"],
        }
    )
    assert Dns64Settings.from_json(text) == SMALLEST


def test_only_a_server_on_loopback_is_believed_by_default() -> None:
    assert UpstreamServer(IPv6Address("::1")).authentic and UpstreamServer(IPv4Address("127.0.0.1")).authentic
    assert not UpstreamServer(IPv4Address("192.0.2.53")).authentic
    assert UpstreamServer(IPv4Address("192.0.2.53"), trust_ad=True).authentic


def changed(**changes: Any) -> str:
    return json.dumps(json.loads(SMALLEST.to_json()) | changes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "not JSON"),
        ("[]", "the document: an object is wanted"),
        (changed(alow=[]), "alow: unknown key"),
        (changed(listen=[{"address": "2001:db8::1", "prot": 53}]), "listen[0].prot: unknown key"),
        (changed(listen=[{"port": 53}]), "listen[0].address: is missing"),
        (changed(listen="2001:db8::1"), "listen: a list is wanted"),
        (changed(listen=[{"address": "2001:db8::g"}]), "IPv4Address or IPv6Address is wanted"),
        (changed(listen=[{"address": "2001:db8::1", "port": True}]), "listen[0].port: a whole number is wanted"),
        (changed(listen=[{"address": "2001:db8::1", "port": "53"}]), "listen[0].port: a whole number is wanted"),
        (changed(listen=[{"address": "2001:db8::1", "port": 65536}]), "port 65536 is not one of 1 to 65535"),
        (changed(listen=[{"address": "::"}]), "means every address"),
        (changed(listen=[]), "listen: is empty"),
        (changed(upstreams=[]), "upstreams: is empty"),
        (changed(allow=[]), "allow: is empty"),
        (changed(allow=["2001:db8::1/48"]), "allow[0]"),
        (changed(upstreams=[{"address": "2001:db8:64:1::1"}]), "is this DNS64 itself"),
        (changed(pref64=[{"prefix": "2001:db8::/60"}]), "has length 60"),
        (changed(views=[{"sources": [], "pref64": [{"prefix": "2001:db8::/60"}]}]), "has length 60"),
        (changed(aaaa_failure="drop"), 'one of "synthesize", "fail" is wanted'),
        (changed(never_synthesize=["a..b"]), "is no domain name"),
        (changed(local=[{"name": "a", "type": "MX", "value": "b"}]), "local[0].type"),
        (changed(local=[{"name": "a", "type": "A", "value": "2001:db8::1"}]), "is no IPv4 address"),
        (changed(local=[{"name": "a", "type": "AAAA", "value": "x"}]), "is no IP address"),
        (changed(local=[{"name": "a", "type": "PTR", "value": "x..y"}]), "is no domain name"),
        (changed(local=[{"name": "a", "type": "A", "value": "192.0.2.1", "ttl": -1}]), "ttl -1"),
        (changed(timing={"query": 0}), "timing.query: 0.0 is not above zero"),
        (changed(limits={"pending": -1}), "limits.pending: -1 is not above zero"),
    ],
)
def test_a_mistake_is_named(text: str, expected: str) -> None:
    with pytest.raises(Dns64SettingsError) as error:
        Dns64Settings.from_json(text)
    assert expected in str(error.value)


def test_all_mistakes_come_at_once() -> None:
    with pytest.raises(Dns64SettingsError) as error:
        Dns64Settings.from_json(changed(listen=[{}, {"address": 1}], alow=[], allow=5))
    assert len(str(error.value).splitlines()) == 4
