# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The NAT64 as it runs in the kernel against the reference translator: sequences of packets, and the tables after each.

The port of a new BIB entry is free; the reference is told the one that the program chose, and checks its parity.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.packets.build import echo6, ip6, tcp6, udp6, wire
from tests.packets.harness import (
    PHONE,
    POOL,
    PREF64,
    SERVER,
    Action,
    Bench,
    Outcome,
    nat64_settings,
)
from tests.properties.oracle import MARKS, assert_same, reference_settings, verdict
from tests.properties.shapes import PORT, Ends, shapes
from v6native.address import embed
from v6native.config.model import Proto, TranslationOptions, Udp0
from v6native.dataplane.door import TcpState
from v6native.desired.dataplane import StaticEntry
from v6native.translate.bib import Binding
from v6native.translate.nat64 import Nat64
from v6native.translate.pool4 import PoolRange
from v6native.translate.reasons import Reason
from v6native.translate.rules import Rules
from v6native.translate.verdict import Answered, Arrival, Dropped, Result, Translated

# The nightly count takes minutes.
pytestmark = [pytest.mark.root, pytest.mark.timeout(1800)]

SECOND = IPv6Network("64:ff9b::/96")
PREFIXES = (PREF64, SECOND)
NUMBERS = {Proto.TCP: 6, Proto.UDP: 17, Proto.ICMP: 1}
FIRST_PORT, LAST_PORT = 1024, 65535
LAPTOP = IPv6Address("2001:db8:64:1::6")
STRANGER = IPv6Address("2001:db8:9::1")
BAD6 = [IPv6Address(a) for a in ("ff02::1", "fe80::1", "::1", "::")] + [embed(PREF64, SERVER)]
INSIDE = [PHONE, PHONE, PHONE, LAPTOP, LAPTOP, STRANGER]
REMOTE = [SERVER, SERVER, IPv4Address("192.0.2.77"), IPv4Address("10.0.0.1")]
BAD4 = [IPv4Address(a) for a in ("127.0.0.1", "0.0.0.0", "224.0.0.9", "240.0.0.1")]
STATIC = {6: 443, 17: 53, 1: 7}
"""Protocol and port of PHONE's static entries, below the pool's ports."""

INSIDE_PORT = st.one_of(st.sampled_from([5000, 5000, 5001, 53, 80]), PORT)
REMOTE_PORT = st.one_of(st.sampled_from([80, 80, 443]), PORT)
# Sums of these come near no lifetime (6, 60, 240, 300, 7440 s): the kernel's clock runs while the test does.
WAITS = st.sampled_from([0.0, 0.0, 0.0, 0.0, 1.3, 70.0, 250.0, 310.0, 7500.0])
# One flow of each protocol, in one of which PHONE and LAPTOP talk to each other through the NAT64.
OPENINGS = [
    tcp6("S", sport=5000),
    udp6(sport=5000, dport=80),
    wire(ip6() / echo6(identifier=5000)),
    udp6(sport=5001, dport=53, src=LAPTOP, dst=embed(PREF64, POOL)),
]
ARRIVALS = st.sampled_from([Arrival.FRESH, Arrival.FRESH, Arrival.FRESH, Arrival.REFRAGMENTED])


COPYING = TranslationOptions(icmp_pool4=IPv4Network("192.0.2.64/27"))
FIXING = TranslationOptions(tos=0x28, traffic_class=0x51, udp_without_checksum=Udp0.DROP)


class Choice:
    """The port that the program gave to a new BIB entry."""

    port = 0

    def __call__(self, choices: int) -> int:
        pool = LAST_PORT - FIRST_PORT + 1
        if choices == pool:
            return max(0, self.port - FIRST_PORT)
        return max(0, self.port - FIRST_PORT) // 2 if choices == pool // 2 else 0


def chosen_port(out: Outcome) -> int:
    """From the IPv4 packet that the program made: the source port, or the identifier."""
    packet = out.packet
    if len(packet) < 28 or packet[0] >> 4 != 4:
        return 0
    at = 24 if packet[9] == 1 else 20
    return int.from_bytes(packet[at : at + 2], "big")


class Pair:
    """The program and the reference, with the same rules and the same clock."""

    def __init__(self, bench: Bench, options: TranslationOptions = COPYING, nat64_interface: str = "lo") -> None:
        bench.reset()
        self.bench, self.now, self.choice = bench, 0.0, Choice()
        entries = [StaticEntry(proto, POOL, STATIC[number], PHONE, STATIC[number]) for proto, number in NUMBERS.items()]
        bench.configure(
            nat64_settings(
                pref64=PREFIXES,
                pool=((POOL, FIRST_PORT, LAST_PORT),),
                static=entries,
                refused4=("10.0.0.0/8",),
                options=options,
            ),
            nat64_interface=nat64_interface,
        )
        rules = Rules(
            pref64=PREFIXES,
            pool=(PoolRange(POOL, FIRST_PORT, LAST_PORT),),
            sources=(IPv6Network("2001:db8:64::/48"),),
            static=tuple(Binding(number, 0, PHONE, port, POOL, port, static=True) for number, port in STATIC.items()),
            refused4=(IPv4Network("10.0.0.0/8"),),
        )
        self.reference = Nat64(rules, reference_settings(options), self.choice)

    def wait(self, seconds: float) -> None:
        if seconds:
            self.now += seconds
            self.bench.advance(seconds)
            self.bench.sweep()
            self.bench.sweep()

    def packet(self, packet: bytes, arrival: Arrival) -> None:
        out = self.bench.nat64(packet, MARKS[arrival])
        self.choice.port = chosen_port(out)
        expected = self.reference.translate(packet, self.now, arrival)
        if out.reason == "HAIRPINNED":
            self._hairpinned(packet, out, expected)
        else:
            assert_same(packet, verdict(out, out.action, out.packet), expected)
        self.assert_same_tables()

    def _hairpinned(self, packet: bytes, first: Outcome, expected: Result) -> None:
        """The program redirects its output into itself: the second pass has the verdict."""
        assert (first.action, first.mark) == (Action.REDIRECT, MARKS[Arrival.HAIRPIN])
        second = self.bench.nat64(first.packet, first.mark)
        live = verdict(second, second.action, second.packet)
        if isinstance(live, Translated):
            live = Translated(live.packet, Reason.HAIRPINNED)
        if isinstance(live, Answered):
            # The answer to our own address comes back in, where the reference translates it at once.
            assert (second.action, second.mark) == (Action.REDIRECT, MARKS[Arrival.HAIRPIN])
            third = self.bench.nat64(second.packet, second.mark)
            told = verdict(third, third.action, third.packet)
            live = Answered(told.packet, live.reason) if isinstance(told, Translated) else Dropped(live.reason)
        assert_same(packet, live, expected)

    def assert_same_tables(self) -> None:
        live = {
            (NUMBERS[s.proto], s.address6, s.port6, s.address4, s.port4, s.remote4, s.remote_port, _name(s.state))
            for s in self.bench.sessions()
        }
        reference = {
            (b.protocol, b.address6, b.port6, b.address4, b.port4, s.remote4, s.remote_port, s.state.name)
            for s in self.reference.tables.sessions
            for b in [s.binding]
        }
        assert live == reference
        assert {(NUMBERS[b.proto], b.address4, b.port4, b.address6, b.port6) for b in self.bench.bib()} == {
            (b.protocol, b.address4, b.port4, b.address6, b.port6) for b in self.reference.tables.bindings
        }


def _name(state: TcpState | None) -> str:
    return "NO_STATE" if state is None else state.name


def outward(pair: Pair) -> st.SearchStrategy[Ends]:
    """From IPv6: to a remote host, or to what the NAT64 itself has bound."""

    def make(source: IPv6Address, port: int, remote: IPv4Address, to: int, pref64: IPv6Network) -> Ends:
        return Ends(source, embed(pref64, remote), port, to, port)

    prefixes = st.sampled_from([PREF64, PREF64, PREF64, SECOND])
    bound = st.sampled_from([b.port4 for b in pair.reference.tables.bindings])
    free = st.builds(make, st.sampled_from(INSIDE), INSIDE_PORT, st.sampled_from(REMOTE), REMOTE_PORT, prefixes)
    hairpin = st.builds(make, st.sampled_from(INSIDE), INSIDE_PORT, st.just(POOL), bound | REMOTE_PORT, prefixes)
    bad = st.builds(lambda a, b, port: Ends(a, b, port, port, port), *[st.sampled_from(BAD6 + INSIDE)] * 2, PORT)
    known = [
        replace(
            make(s.binding.address6, s.binding.port6, s.remote4, s.remote_port, PREFIXES[s.binding.pref64]),
            protocol=s.binding.protocol,
        )
        for s in pair.reference.tables.sessions
    ]
    return st.one_of(free, free, hairpin, *[st.sampled_from(known)] * 3, bad) if known else st.one_of(free, hairpin)


def inward(pair: Pair) -> st.SearchStrategy[Ends]:
    """From IPv4: to a BIB entry, from whom it talks to or from anybody."""

    def make(remote: IPv4Address, port: int, address: IPv4Address, to: int) -> Ends:
        return Ends(remote, address, port, to, to)

    bound = st.sampled_from([b.port4 for b in pair.reference.tables.bindings])
    remotes = st.sampled_from(REMOTE * 4 + BAD4)
    anybody = st.builds(make, remotes, REMOTE_PORT, st.just(POOL), bound)
    nobody = st.builds(make, remotes, REMOTE_PORT, st.sampled_from([POOL, IPv4Address("203.0.113.9")]), PORT)
    known = [
        replace(make(s.remote4, s.remote_port, POOL, s.binding.port4), protocol=s.binding.protocol)
        for s in pair.reference.tables.sessions
    ]
    return st.one_of(anybody, *[st.sampled_from(known)] * 4, nobody) if known else st.one_of(anybody, nobody)


def packets(pair: Pair) -> st.SearchStrategy[bytes]:
    return st.one_of(shapes(outward(pair)), shapes(inward(pair)))


@given(st.data())
def test_sequences(loaded_bench: Bench, data: st.DataObject) -> None:
    pair = Pair(loaded_bench, data.draw(st.sampled_from([COPYING, COPYING, FIXING])))
    for packet in data.draw(st.permutations(OPENINGS))[: data.draw(st.integers(0, len(OPENINGS)))]:
        pair.packet(packet, Arrival.FRESH)
    for _step in range(data.draw(st.integers(1, 8))):
        pair.wait(data.draw(WAITS))
        pair.packet(data.draw(packets(pair)), data.draw(ARRIVALS))


@given(st.binary(min_size=40, max_size=120), st.sampled_from([0x45, 0x46, 0x4F, 0x60, 0x6F, 0x00, 0x55]))
def test_no_bytes_do_harm(loaded_bench: Bench, data: bytes, first: int) -> None:
    """Noise is passed, dropped or answered; which of them, the reference does not know of other versions."""
    packet = bytes([first]) + data[1:]
    loaded_bench.refill()
    out = loaded_bench.nat64(packet)
    verdict(out, out.action, out.packet)
