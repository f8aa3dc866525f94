# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The bench itself: a packet goes in and comes out, one counter moves, the clock and the tables obey."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from tests.packets.harness import (
    CLIENT4,
    CLIENT6,
    PHONE,
    POOL,
    PREF64,
    SERVER,
    Action,
    Bench,
    nat64_settings,
    siit_settings,
)
from v6native.address import embed
from v6native.dataplane.abi import MARK_CLAT_OUT, MARK_NAT64_OUT
from v6native.packet import UDP, IPv4Packet, IPv6Packet, UdpHeader, checksum, parse_ipv4, parse_ipv6, pseudo_header


def udp6(data: bytes = b"hello", source_port: int = 5000) -> bytes:
    destination = embed(PREF64, SERVER)
    header = UdpHeader(source_port, 53, 8 + len(data)).to_bytes()
    check = checksum(pseudo_header(PHONE, destination, UDP, 8 + len(data)) + header + data)
    header = UdpHeader(source_port, 53, 8 + len(data), check).to_bytes()
    return IPv6Packet(PHONE, destination, UDP, header + data).to_bytes()


def udp4(port: int, data: bytes = b"world") -> bytes:
    header = UdpHeader(53, port, 8 + len(data)).to_bytes()
    check = checksum(pseudo_header(SERVER, POOL, UDP, 8 + len(data)) + header + data)
    return IPv4Packet(SERVER, POOL, UDP, UdpHeader(53, port, 8 + len(data), check).to_bytes() + data).to_bytes()


def test_a_datagram_and_its_answer(bench: Bench) -> None:
    bench.configure(nat64_settings())
    out = bench.nat64(udp6())
    assert (out.reason, out.action, out.mark) == ("TRANSLATED_6TO4", Action.OK, MARK_NAT64_OUT)
    sent = parse_ipv4(out.packet)
    assert (sent.source, sent.destination, sent.payload[8:]) == (POOL, SERVER, b"hello")
    (session,) = bench.sessions()
    assert (session.address6, session.port6, session.remote4, session.remote_port) == (PHONE, 5000, SERVER, 53)
    assert session.remote6 == embed(PREF64, SERVER) and session.state is None
    assert 298 < session.seconds_left <= 300
    (entry,) = bench.bib()
    assert (entry.address4, entry.port4, entry.sessions, entry.static) == (POOL, session.port4, 1, False)
    back = bench.nat64(udp4(entry.port4))
    assert back.reason == "TRANSLATED_4TO6"
    assert (parse_ipv6(back.packet).source, parse_ipv6(back.packet).destination) == (embed(PREF64, SERVER), PHONE)


def test_the_clock_obeys(bench: Bench) -> None:
    bench.configure(nat64_settings())
    bench.nat64(udp6())
    bench.advance(299)
    assert len(bench.sessions()) == 1
    bench.advance(2)
    assert bench.sessions() == []
    bench.sweep()
    assert bench.bib() == [] and bench.plane.totals().sessions == 0


def test_reset_leaves_nothing(bench: Bench) -> None:
    bench.configure(nat64_settings())
    for port in range(5000, 5020):
        bench.nat64(udp6(source_port=port))
    assert len(bench.sessions()) == 20
    bench.reset()
    assert (bench.sessions(), bench.bib(), bench.plane.totals().sessions) == ([], [], 0)
    assert bench.nat64(udp6()).reason == "NOT_PREF64"
    bench.configure(nat64_settings())
    bench.nat64(udp6())
    assert len(bench.sessions()) == 1


def test_the_clat(bench: Bench) -> None:
    bench.configure(siit=siit_settings())
    header = UdpHeader(5000, 53, 13, 1).to_bytes()
    out = bench.siit(IPv4Packet(CLIENT4, SERVER, UDP, header + b"hello").to_bytes())
    assert (out.reason, out.mark) == ("TRANSLATED_4TO6", MARK_CLAT_OUT)
    sent = parse_ipv6(out.packet)
    assert (sent.source, sent.destination) == (CLIENT6, embed(PREF64, SERVER))


def test_two_verdicts_would_be_seen(bench: Bench) -> None:
    bench.configure(nat64_settings(sources=["2001:db8:ffff::/48"]))
    assert bench.nat64(udp6()).reason == "SOURCE_NOT_ALLOWED"
    bench.configure(nat64_settings())
    out = bench.nat64(udp6())
    out.counted["LOOP"] = 1
    with pytest.raises(AssertionError, match="one verdict"):
        _ = out.reason
    assert IPv4Address(out.packet[12:16]) == POOL
