# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The CLAT as it runs in the kernel against the reference translator, packet by packet (RFC 7915, RFC 7757, RFC 6791)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.packets.harness import (
    CLIENT4,
    CLIENT6,
    PHONE,
    PREF64,
    SERVER,
    Action,
    Bench,
    Outcome,
    siit_settings,
)
from tests.properties.conftest import COUNT
from tests.properties.oracle import MARKS, assert_same, reference_settings, verdict
from tests.properties.shapes import PORT, Address, Ends, shapes
from v6native.address import embed
from v6native.config.model import TranslationOptions, Udp0
from v6native.translate.destinations import Destinations
from v6native.translate.reasons import Reason
from v6native.translate.siit import AddressMap, Eam, Siit
from v6native.translate.verdict import Arrival, Result, Settings, Translated

# The nightly count takes minutes.
pytestmark = [pytest.mark.root, pytest.mark.timeout(1800)]

# The lab's; one that keeps bits behind the suffix; one inside another; one that ends within a byte.
EAM = (
    ("100.64.0.0/16", "2001:db8:64:a:64::6440:0/112"),
    ("198.18.5.0/24", "2001:db8:5::/64"),
    ("198.18.5.16/28", "2001:db8:5:1:2:3:4:50/124"),
    ("10.9.0.0/21", "2001:db8:6:7800::/53"),
)
BEHIND4 = [CLIENT4, IPv4Address("100.64.255.9"), IPv4Address("198.18.5.3"), IPv4Address("198.18.5.17")]
BEHIND4 += [IPv4Address("10.9.7.255"), IPv4Address("10.9.1.2")]
BEYOND4 = [SERVER, IPv4Address("192.0.2.77"), IPv4Address("10.0.0.1"), IPv4Address("10.8.0.1")]
# 10.0.0.1 is closed, 10.8.0.1 open; of the mapped ones, all of which are open, some are in closed ranges.
REFUSED, OPEN = ("10.0.0.0/8", "198.18.0.0/15"), ("10.8.0.0/16",)
BAD4 = [IPv4Address(a) for a in ("127.0.0.1", "0.0.0.0", "224.0.0.9", "240.0.0.1", "255.255.255.255")]
BEHIND6 = [CLIENT6, IPv6Address("2001:db8:64:a:64::6440:ff09"), IPv6Address("2001:db8:5:0:300::")]
BEHIND6 += [
    IPv6Address("2001:db8:5:0:3f0:9:9:9"),
    IPv6Address("2001:db8:5:1:2:3:4:5e"),
    IPv6Address("2001:db8:6:7f55::1"),
]
# Two of them are behind the translator themselves.
BEYOND6 = [embed(PREF64, address) for address in (*BEYOND4, BEHIND4[2], BEHIND4[3])]
BAD6 = [IPv6Address(a) for a in ("ff02::1", "fe80::1", "::1", "::", "2001:db8:2::fe")] + [PHONE]


def pairs(behind: list[Address], beyond: list[Address], bad: list[Address]) -> st.SearchStrategy[Ends]:
    """One end behind the translator in most pairs, either way round."""

    def make(a: Address, b: Address, turned: bool, port: int, to: int) -> Ends:
        source, destination = (b, a) if turned else (a, b)
        return Ends(source, destination, port, to, port)

    anywhere = st.sampled_from(behind + beyond + bad)
    others = st.one_of(st.sampled_from(beyond), st.sampled_from(beyond), anywhere)
    known = st.one_of(*[st.sampled_from(behind)] * 4, anywhere)
    return st.builds(make, known, others, st.booleans(), PORT, PORT)


ENDS4 = pairs([*BEHIND4], [*BEYOND4], [*BAD4])
ENDS6 = pairs([*BEHIND6], [*BEYOND6], [*BAD6])
LEAST = {"emulated": 0, "fast": 500, "nightly": 25_000}[COUNT]
COMPARED = "packets through the CLAT, compared with the reference translator"
ARRIVALS = st.sampled_from([Arrival.FRESH, Arrival.FRESH, Arrival.FRESH, Arrival.REFRAGMENTED, Arrival.REASSEMBLED])


COPYING = TranslationOptions(icmp_pool4=IPv4Network("192.0.2.64/27"))
FIXING = TranslationOptions(tos=0x28, traffic_class=0x51, udp_without_checksum=Udp0.DROP)


@dataclass(frozen=True, slots=True)
class Clat:
    """The program and the reference, told the same."""

    bench: Bench
    settings: Settings


@pytest.fixture(scope="module", params=[COPYING, FIXING], ids=["copying", "fixing"])
def clat(loaded_bench: Bench, request: pytest.FixtureRequest) -> Iterator[Clat]:
    loaded_bench.reset()
    loaded_bench.configure(siit=siit_settings(eam=EAM, options=request.param, refused4=REFUSED, open4=OPEN))
    yield Clat(loaded_bench, reference_settings(request.param))


def is_fragment(packet: bytes) -> bool:
    return packet[0] >> 4 == 6 or int.from_bytes(packet[6:8], "big") & 0x3FFF != 0


def check(clat: Clat, packets: list[tuple[bytes, Arrival]]) -> None:
    rows = tuple(Eam(IPv4Network(v4), IPv6Network(v6)) for v4, v6 in EAM)
    closed = Destinations(tuple(map(IPv4Network, REFUSED)), tuple(map(IPv4Network, OPEN)))
    reference = Siit(AddressMap(rows, PREF64), clat.settings, closed)
    clat.bench.forget_fragments()
    clat.bench.refill()
    for packet, arrival in packets:
        # The slow path gives back whole packets only, and the kernel fragments no IPv6.
        arrival = Arrival.FRESH if is_fragment(packet) and arrival is Arrival.REASSEMBLED else arrival
        out = clat.bench.siit(packet, MARKS[arrival])
        assert_same(packet, hairpinned(clat.bench, out), reference.translate(packet, 0.0, arrival))


def hairpinned(bench: Bench, out: Outcome) -> Result:
    """The verdict; what is redirected into the program itself has that of its second pass."""
    if out.reason != "HAIRPINNED":
        return verdict(out, out.action, out.packet)
    assert (out.action, out.mark) == (Action.REDIRECT, MARKS[Arrival.HAIRPIN])
    second = bench.siit(out.packet, out.mark)
    live = verdict(second, second.action, second.packet)
    return Translated(live.packet, Reason.HAIRPINNED) if isinstance(live, Translated) else live


@given(packets=st.lists(st.tuples(shapes(ENDS4), ARRIVALS), min_size=1, max_size=10))
def test_from_ipv4(clat: Clat, tally: Counter[str], packets: list[tuple[bytes, Arrival]]) -> None:
    check(clat, packets)
    tally[COMPARED] += len(packets)


@given(packets=st.lists(st.tuples(shapes(ENDS6), ARRIVALS), min_size=1, max_size=10))
def test_from_ipv6(clat: Clat, tally: Counter[str], packets: list[tuple[bytes, Arrival]]) -> None:
    check(clat, packets)
    tally[COMPARED] += len(packets)


def test_as_many_packets_as_promised(tally: Counter[str]) -> None:
    """By the two above together; they must have run."""
    assert tally[COMPARED] >= LEAST


@given(st.binary(min_size=40, max_size=120), st.sampled_from([0x45, 0x46, 0x4F, 0x60, 0x6F, 0x00, 0x55]))
def test_no_bytes_do_harm(clat: Clat, data: bytes, first: int) -> None:
    """Noise is passed, dropped or answered; which of them, the reference does not know of other versions."""
    packet = bytes([first]) + data[1:]
    clat.bench.refill()
    out = clat.bench.siit(packet)
    verdict(out, out.action, out.packet)
