# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The NAT64 as it runs in the kernel against the reference translator: sequences of packets, the tables after each, and
that nothing is left of them a long time later. Every arrangement has its turn.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.packets.build import echo4, echo6, ip4, ip6, tcp4, tcp6, udp4, udp6, wire
from tests.packets.harness import PHONE, POOL, PREF64, SERVER, Bench
from tests.properties.anew import anew
from tests.properties.arrangements import ARRANGEMENTS, DEVICE, DEVICE_CLAT, LAPTOP, OTHER, POOL2, PREFIXES, SECOND
from tests.properties.conftest import COUNT
from tests.properties.oracle import verdict
from tests.properties.pair import Pair
from tests.properties.shapes import PORT, Ends, shapes
from v6native.address import embed
from v6native.translate.verdict import Arrival

# The nightly count takes minutes.
pytestmark = [pytest.mark.root, pytest.mark.timeout(3600)]

STRANGER = IPv6Address("2001:db8:9::1")
BAD6 = [IPv6Address(a) for a in ("ff02::1", "fe80::1", "::1", "::")] + [embed(PREF64, SERVER)]
INSIDE = [PHONE, PHONE, PHONE, LAPTOP, LAPTOP, OTHER, OTHER, DEVICE, DEVICE_CLAT, STRANGER]
REMOTE = [SERVER, SERVER, IPv4Address("192.0.2.77"), IPv4Address("10.0.0.1")]
KNOCKING = [SERVER, *(IPv4Address(a) for a in ("192.0.2.77", "192.0.2.78", "10.0.0.1"))]
BAD4 = [IPv4Address(a) for a in ("127.0.0.1", "0.0.0.0", "224.0.0.9", "240.0.0.1")]

INSIDE_PORT = st.one_of(st.sampled_from([5000, 5000, 5001, 53, 80]), PORT)
REMOTE_PORT = st.one_of(st.sampled_from([80, 80, 443]), PORT)
# Even, and sums of these come near no lifetime (arrangements.TIMES, the hold-down of 120 s, 30 s of fragments).
WAITS = st.sampled_from([0, 0, 0, 0, 4, 70, 250, 310, 7500])
# One flow of each protocol, in one of which PHONE and LAPTOP talk to each other through the NAT64.
OPENINGS = [
    tcp6("S", sport=5000),
    udp6(sport=5000, dport=80),
    wire(ip6() / echo6(identifier=5000)),
    udp6(sport=5001, dport=53, src=LAPTOP, dst=embed(PREF64, POOL)),
]
ARRIVALS = st.sampled_from([Arrival.FRESH, Arrival.FRESH, Arrival.FRESH, Arrival.REFRAGMENTED])
MARKED = st.sampled_from([0, 0, 0x10, 0x1F, 0x20])
"""Bits that are the operator's."""
STEPS = st.sampled_from(["packet"] * 6 + ["rush", "knock"])
SEQUENCES = {"emulated": 3, "fast": 20, "nightly": 700}[COUNT]
"""Of each arrangement."""
LEAST = {"emulated": 0, "fast": 1500, "nightly": 75_000}[COUNT]
COMPARED = "packets through the NAT64, compared with the reference translator"


def outward(pair: Pair) -> st.SearchStrategy[Ends]:
    """From IPv6: to a remote host, or to what the NAT64 itself has bound."""

    def make(source: IPv6Address, port: int, remote: IPv4Address, to: int, pref64: IPv6Network) -> Ends:
        return Ends(source, embed(pref64, remote), port, to, port)

    def turn(source: IPv6Address, port: int, pref64: IPv6Network, bound: tuple[IPv4Address, int]) -> Ends:
        return make(source, port, bound[0], bound[1], pref64)

    inside = st.sampled_from(INSIDE)
    prefixes = st.sampled_from([PREF64, PREF64, PREF64, SECOND])
    free = st.builds(make, inside, INSIDE_PORT, st.sampled_from(REMOTE), REMOTE_PORT, prefixes)
    hairpin = st.builds(turn, inside, INSIDE_PORT, prefixes, bound_ports(pair))
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

    def make(remote: IPv4Address, port: int, to: tuple[IPv4Address, int]) -> Ends:
        return Ends(remote, to[0], port, to[1], to[1])

    remotes = st.sampled_from(REMOTE * 4 + BAD4)
    anybody = st.builds(make, remotes, REMOTE_PORT, bound_ports(pair))
    pool = st.sampled_from([POOL, POOL2, IPv4Address("203.0.113.9")])
    nobody = st.builds(make, remotes, REMOTE_PORT, st.tuples(pool, PORT))
    known = [
        replace(make(s.remote4, s.remote_port, (s.binding.address4, s.binding.port4)), protocol=s.binding.protocol)
        for s in pair.reference.tables.sessions
    ]
    return st.one_of(anybody, *[st.sampled_from(known)] * 4, nobody) if known else st.one_of(anybody, nobody)


def bound_ports(pair: Pair) -> st.SearchStrategy[tuple[IPv4Address, int]]:
    bound = [(b.address4, b.port4) for b in pair.reference.tables.bindings]
    return st.sampled_from(bound) | st.tuples(st.just(POOL), REMOTE_PORT)


def packets(pair: Pair) -> st.SearchStrategy[bytes]:
    return st.one_of(shapes(outward(pair)), shapes(inward(pair)))


@st.composite
def rushes(draw: st.DrawFn) -> list[bytes]:
    """One host opens flow after flow: what meets limits, and the end of a block."""
    host, first = draw(st.sampled_from(INSIDE)), draw(st.sampled_from([5000, 5001, 6000]))
    kinds, spread = draw(st.sampled_from(["t", "u", "i", "tu", "tui"])), draw(st.booleans())
    made = []
    for n in range(draw(st.integers(1, 24))):
        port, to = (first + n // len(kinds), 80) if spread else (first, 80 + n)
        kind = kinds[n % len(kinds)]
        if kind == "i":
            made.append(wire(ip6(src=host) / echo6(identifier=port)))
        else:
            made.append(tcp6("S", port, to, src=host) if kind == "t" else udp6(port, to, b"", src=host))
    return made


def knocks(draw: st.DrawFn, pair: Pair) -> list[bytes]:
    """One remote host tries ports of the pool, mostly those that are somebody's."""
    remote, flags = draw(st.sampled_from(KNOCKING)), draw(st.sampled_from(["S", "S", "A", "R"]))
    port, made = draw(REMOTE_PORT), []
    for bound in sorted(pair.reference.tables.bindings, key=lambda b: (b.address4, b.port4))[:16]:
        match bound.protocol:
            case 6:
                made.append(tcp4(bound.port4, flags, port, src=remote, dst=bound.address4))
            case 17:
                made.append(udp4(bound.port4, port, b"", src=remote, dst=bound.address4))
            case _:
                made.append(wire(ip4(remote, bound.address4) / echo4(identifier=bound.port4)))
    return [*made, tcp4(draw(PORT), flags, port, src=remote)]


@pytest.mark.parametrize("name", ARRANGEMENTS)
@anew
@settings(max_examples=SEQUENCES)
@given(data=st.data())
def test_sequences(loaded_bench: Bench, tally: Counter[str], name: str, data: st.DataObject) -> None:
    pair = Pair(loaded_bench, ARRANGEMENTS[name])
    for packet in data.draw(st.permutations(OPENINGS))[: data.draw(st.integers(0, len(OPENINGS)))]:
        pair.packet(packet)
    for _step in range(data.draw(st.integers(1, 8))):
        pair.wait(data.draw(WAITS))
        match data.draw(STEPS):
            case "rush":
                several = data.draw(rushes())
            case "knock":
                several = data.draw(st.composite(knocks)(pair))
            case _:
                several = [data.draw(packets(pair))]
        arrival, mark = data.draw(ARRIVALS) if len(several) == 1 else Arrival.FRESH, data.draw(MARKED)
        for packet in several:
            pair.packet(packet, arrival, mark)
    pair.end()
    tally[COMPARED] += pair.packets


def test_as_many_packets_as_promised(tally: Counter[str]) -> None:
    """By all sequences above together; they must have run."""
    assert tally[COMPARED] >= LEAST


@given(st.binary(min_size=40, max_size=120), st.sampled_from([0x45, 0x46, 0x4F, 0x60, 0x6F, 0x00, 0x55]))
def test_no_bytes_do_harm(loaded_bench: Bench, data: bytes, first: int) -> None:
    """Noise is passed, dropped or answered; which of them, the reference does not know of other versions."""
    packet = bytes([first]) + data[1:]
    loaded_bench.refill()
    out = loaded_bench.nat64(packet)
    verdict(out, out.action, out.packet)
