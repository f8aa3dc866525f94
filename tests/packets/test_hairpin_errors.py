# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""ICMP errors about hairpinned packets (RFC 6146 §3.8): the other host's, a router's, and those that we make ourselves."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6

from tests.packets.build import assert_checksums, icmp6, ip6, udp4, udp6, wire
from tests.packets.harness import (
    NODE4,
    PHONE,
    POOL,
    PREF64,
    Action,
    Bench,
    Outcome,
    nat64_settings,
)
from v6native.address import embed
from v6native.config.model import Proto
from v6native.desired.dataplane import StaticEntry

OTHER, ROUTER = "2001:db8:64:1::6", "2001:db8:64:ff::1"
THERE = str(embed(PREF64, POOL))
HAIRPIN, FRAG = 0x18000000, 0x80000000
BEHIND = StaticEntry(Proto.UDP, POOL, 80, PHONE, 8080)


def through(bench: Bench, packet: bytes) -> Outcome:
    """All the passes that redirects lead to; the last one's outcome."""
    out = bench.nat64(packet)
    for _pass in range(3):
        if out.action is not Action.REDIRECT:
            return out
        assert out.mark == HAIRPIN
        out = bench.nat64(out.packet, mark=out.mark)
    raise AssertionError(f"it goes round and round: {out.counted}")


@pytest.mark.parametrize("source", [str(PHONE), ROUTER])
@pytest.mark.parametrize(("type_", "code"), [(1, 4), (3, 0), (2, 0)])
def test_from_behind(bench: Bench, source: str, type_: int, code: int) -> None:
    bench.configure(nat64_settings(static=(BEHIND,)))
    arrived = through(bench, udp6(src=OTHER, dst=THERE, sport=3000, dport=80)).packet
    error = icmp6(type_, code, 1400 if type_ == 2 else 0, arrived)
    told = through(bench, wire(ip6(src=source, dst=IPv6(arrived).src) / error))
    assert (told.action, told.reason) == (Action.OK, "TRANSLATED_4TO6")
    about(told.packet, type_, code, 80)
    assert IPv6(told.packet).src == THERE, "of the NAT64's IPv4 side, whoever it was"


def about(error: bytes, type_: int, code: int, dport: int) -> None:
    """An error to OTHER about what it sent."""
    quoted = IPv6(error[48:])
    assert (IPv6(error).dst, error[40], error[41]) == (OTHER, type_, code)
    assert (quoted.src, quoted.dst, quoted[UDP].sport, quoted[UDP].dport) == (OTHER, THERE, 3000, dport)
    assert_checksums(error)


def test_of_our_own(bench: Bench) -> None:
    """Nobody is behind that port of the pool: who sent there is told, though it is behind the NAT64 too."""
    bench.configure(nat64_settings(static=(BEHIND,)))
    first = bench.nat64(udp6(src=OTHER, dst=THERE, sport=3000, dport=81))
    second = bench.nat64(first.packet, mark=first.mark)
    assert (first.reason, second.reason) == ("HAIRPINNED", "NO_BIB_UDP")
    assert (second.action, second.mark) == (Action.REDIRECT, HAIRPIN)
    told = bench.nat64(second.packet, mark=second.mark)
    assert (told.action, told.reason) == (Action.OK, "TRANSLATED_4TO6")
    about(told.packet, 1, 4, 81)
    assert IPv6Address(IPv6(told.packet).src) == embed(PREF64, NODE4)


def test_of_our_own_after_the_kernel_fragmented_it(bench: Bench) -> None:
    """The mark of the second pass is gone then, the addresses tell."""
    bench.configure(nat64_settings(static=(BEHIND,), sessions=16))
    first = bench.nat64(udp6(src=OTHER, dst=THERE, sport=3000, dport=80))
    for port in range(1, 12):
        bench.nat64(udp4(dport=80, src="198.51.100.9", sport=port))
    refused = bench.nat64(first.packet, mark=FRAG)
    assert (refused.reason, refused.action, refused.mark) == ("TABLE_FULL", Action.REDIRECT, HAIRPIN)
    assert bench.nat64(refused.packet, mark=refused.mark).reason == "TRANSLATED_4TO6"


def test_a_stranger_with_our_address_gets_nothing_turned_round(bench: Bench) -> None:
    bench.configure(nat64_settings(static=(BEHIND,)))
    out = bench.nat64(udp4(src=POOL, dst=POOL, sport=5555, dport=81))
    assert out.reason == "NO_BIB_UDP"
    assert bench.nat64(out.packet, mark=out.mark).reason in ("LOOP", "NO_SESSION_ERROR")
