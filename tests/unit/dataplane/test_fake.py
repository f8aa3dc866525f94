# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The twin keeps the promises that door.DataPlane makes."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest

from v6native.config.model import PortRange, Proto, Timeouts
from v6native.dataplane.door import BibEntry, DataPlane, Session, TcpState, Translator
from v6native.dataplane.fake import FakeDataPlane
from v6native.desired.dataplane import Attachment, DataPlaneConfig, Nat64Settings, PoolRange, StaticEntry
from v6native.errors import DataPlaneError

PHONE = IPv6Address("2001:db8:1::5")
POOL = IPv4Address("203.0.113.1")
REMOTE = IPv4Address("198.51.100.80")
STATIC = StaticEntry(Proto.TCP, POOL, 80, PHONE, 80)
NAT64 = Nat64Settings(
    pref64=(IPv6Network("2001:db8:64::/96"),),
    pool=(PoolRange(POOL, PortRange(1024, 65535), False),),
    sources=(IPv6Network("2001:db8:1::/64"),),
    static=(STATIC,),
    refused4=(),
    open4=(),
    icmp6_source=IPv6Address("2001:db8:1::1"),
    icmp4_source=POOL,
    timeout=Timeouts(),
    lowest_ipv6_mtu=1280,
    sessions=1024,
)
CONFIG = DataPlaneConfig(NAT64, None, (), "nat64", "clat", "v6n-slow")


def session(port4: int) -> Session:
    return Session(
        Proto.TCP, PHONE, port4, POOL, port4, IPv6Address("2001:db8:64::c633:6450"), REMOTE, 80,
        TcpState.ESTABLISHED, False, 7000.0, 1.0, 10, 20,
    )  # fmt: skip


def test_a_second_configure_changes_nothing() -> None:
    plane: DataPlane = FakeDataPlane()
    assert plane.pending(CONFIG)
    plane.configure(CONFIG)
    assert plane.pending(CONFIG) == ()
    assert plane.pending(replace(CONFIG, nat64=None)) == ("change the configuration of nat64",)
    assert [entry.static for entry in plane.bib()] == [True]


def test_sessions_of_a_source_no_longer_allowed_end() -> None:
    plane = FakeDataPlane()
    plane.configure(CONFIG)
    plane.dynamic = [BibEntry(Proto.TCP, PHONE, 4000, POOL, 4000, False, 1, 1.0)]
    plane.live = [session(4000)]
    plane.configure(replace(CONFIG, nat64=replace(NAT64, pool=())))
    assert list(plane.sessions()), "sessions on a removed pool address drain"
    plane.configure(replace(CONFIG, nat64=replace(NAT64, sources=())))
    assert list(plane.sessions()) == []
    assert plane.totals().bib == 1


def test_sessions_of_a_removed_static_entry_end() -> None:
    plane = FakeDataPlane()
    plane.configure(CONFIG)
    plane.live = [session(80), session(4000)]
    plane.configure(replace(CONFIG, nat64=replace(NAT64, static=())))
    assert [s.port4 for s in plane.sessions()] == [4000]


def test_attachments() -> None:
    plane = FakeDataPlane(interfaces={"nat64-x"})
    plane.attach("nat64-x", "nat64")
    assert plane.attached() == (Attachment("nat64-x", "nat64"),)
    with pytest.raises(DataPlaneError, match="no such interface"):
        plane.attach("eth9", "nat64")
    with pytest.raises(DataPlaneError, match="no BPF program"):
        plane.attach("nat64-x", "unheard_of")
    plane.detach("nat64-x")
    plane.detach("nat64-x")
    assert plane.attached() == ()


def test_counters_of_one_translator_and_of_both() -> None:
    plane = FakeDataPlane()
    plane.counted = {Translator.NAT64: {"TRANSLATED_6TO4": 2}, Translator.SIIT: {"TRANSLATED_6TO4": 3}}
    assert plane.counters()["TRANSLATED_6TO4"] == 5
    assert plane.counters(Translator.SIIT)["TRANSLATED_6TO4"] == 3


def test_a_failure_comes_once_and_changes_nothing() -> None:
    plane = FakeDataPlane(failing={"configure"})
    with pytest.raises(DataPlaneError):
        plane.configure(CONFIG)
    assert plane.config is None
    plane.configure(CONFIG)
    plane.remove()
    assert plane.removed and plane.pending(CONFIG)
