# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What somebody outside, or a careless host inside, may send to hurt the others: it fails, and stays countable."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.packet import Raw

from tests.packets.build import icmp4, icmp6, ip4, ip6, server6, tcp6, udp4, udp6, wire
from tests.packets.harness import NODE4, PHONE, POOL, PREF64, SERVER, Action, Bench, nat64_settings
from v6native.address import NON_GLOBAL_IPV4
from v6native.config.model import Proto
from v6native.desired.dataplane import StaticEntry

OTHER = "2001:db8:64:1::6"
HAIRPIN, FRAG, THEIR_MARK = 0x18000000, 0x80000000, 0x00000042
BEHIND = StaticEntry(Proto.UDP, POOL, 80, PHONE, 8080)


def test_a_flood_from_outside_leaves_sessions_to_those_inside(bench: Bench) -> None:
    """Endpoint-independent filtering lets anybody open sessions to a bound port: a part of the table stays ours."""
    bench.configure(nat64_settings(sessions=16))
    port = IP(bench.nat64(udp6()).packet)[UDP].sport
    flood = [bench.nat64(udp4(dport=port, src="198.18.7.7", sport=n)).reason for n in range(1, 41)]
    assert set(flood) == {"TRANSLATED_4TO6", "TABLE_FULL"}
    assert [bench.nat64(udp6(dport=n)).reason for n in (60, 61, 62)] == ["TRANSLATED_6TO4"] * 3


def test_an_error_from_outside_goes_to_the_source_of_what_it_quotes(bench: Bench) -> None:
    """RFC 792: it does; one that claims otherwise was made up, and would pass filters made for its destination."""
    bench.configure(nat64_settings(pool=((POOL, 1024, 65535), ("203.0.113.2", 1024, 65535))))
    sent = bench.nat64(udp6()).packet
    pool = IP(sent).src
    other = "203.0.113.2" if pool == str(POOL) else str(POOL)
    assert bench.nat64(wire(ip4(dst=pool) / icmp4(3, 4, 600, sent))).reason == "TRANSLATED_4TO6"
    assert bench.nat64(wire(ip4(dst=other) / icmp4(3, 4, 600, sent))).reason == "NO_SESSION_ERROR"


def test_an_error_from_inside_goes_to_the_source_of_what_it_quotes(bench: Bench) -> None:
    bench.configure(nat64_settings())
    port = IP(bench.nat64(udp6()).packet)[UDP].sport
    got = bench.nat64(udp4(dport=port)).packet
    elsewhere = server6(server=SERVER + 1)
    assert bench.nat64(wire(ip6() / icmp6(1, 4, 0, got))).reason == "TRANSLATED_6TO4"
    assert bench.nat64(wire(ip6(dst=elsewhere) / icmp6(1, 4, 0, got))).reason == "NO_SESSION_ERROR"


@pytest.mark.parametrize("theirs", [0, THEIR_MARK])
def test_hairpinned_answers_come_back_whatever_marks_the_operator_uses(bench: Bench, theirs: int) -> None:
    bench.configure(nat64_settings(static=(BEHIND,)))
    there = f"2001:db8:64:64::{POOL}"
    first = bench.nat64(udp6(src=OTHER, dst=there, sport=3000, dport=80), mark=theirs)
    assert first.mark == HAIRPIN | theirs
    arrived = IPv6(bench.nat64(first.packet, mark=first.mark).packet)
    answer = bench.nat64(udp6(src=PHONE, dst=arrived.src, sport=8080, dport=arrived[UDP].sport), mark=theirs)
    assert (answer.action, answer.reason) == (Action.REDIRECT, "HAIRPINNED")


def test_hairpinned_fragments_open_a_session_that_hairpins(bench: Bench) -> None:
    """The kernel fragments them anew between the two passes; of the marks only FRAG is left then."""
    bench.configure(nat64_settings(static=(BEHIND,)))
    there = f"2001:db8:64:64::{POOL}"
    datagram = udp6(src=OTHER, dst=there, sport=3000, dport=80, data=bytes(2000))
    first = bench.nat64(_fragment6(datagram, 0, 1000, there), mark=0)
    again = bench.nat64(first.packet, mark=first.mark)
    assert (again.reason, again.mark) == ("REFRAGMENT", FRAG)
    arrived = IPv6(bench.nat64(again.packet, mark=again.mark).packet)
    assert arrived.dst == str(PHONE)
    answer = bench.nat64(udp6(src=PHONE, dst=arrived.src, sport=8080, dport=arrived[UDP].sport))
    assert (answer.action, answer.reason) == (Action.REDIRECT, "HAIRPINNED")


def test_every_fragment_of_a_datagram_is_hairpinned(bench: Bench) -> None:
    """Of a shared address too, where the port says whose it is and only the first fragment has one."""
    entry = StaticEntry(Proto.UDP, NODE4, 80, PHONE, 8080)
    bench.configure(nat64_settings(pool=((NODE4, 40000, 59999),), shared=True, static=(entry,)))
    there = f"2001:db8:64:64::{NODE4}"
    datagram = udp6(src=OTHER, dst=there, sport=3000, dport=80, data=bytes(2000))
    for start, end in ((0, 1000), (1000, 2000), (2000, 2008)):
        assert bench.nat64(_fragment6(datagram, start, end, there)).reason == "HAIRPINNED"


def test_a_fragment_follows_only_the_host_that_sent_the_first(bench: Bench) -> None:
    bench.configure(nat64_settings())
    datagram = udp6(data=bytes(2000))
    assert bench.nat64(_fragment6(datagram, 0, 1000)).reason == "TRANSLATED_6TO4"
    assert bench.nat64(_fragment6(datagram, 1000, 2000, src=OTHER)).reason == "FRAGMENT_NO_FIRST"
    assert bench.nat64(_fragment6(datagram, 1000, 2000)).reason == "TRANSLATED_6TO4"


def test_a_reset_from_outside_ends_no_session_at_once(bench: Bench) -> None:
    """RFC 6146 §3.5.2.2: a forged RST costs the idle connection four minutes' notice, and the next segment heals it."""
    bench.configure(nat64_settings())
    port = IP(bench.nat64(tcp6("S")).packet)[TCP].sport
    for flags in ("SA", "R"):
        assert bench.nat64(wire(ip4() / TCP(sport=80, dport=port, flags=flags))).reason == "TRANSLATED_4TO6"
    assert bench.nat64(tcp6("A")).reason == "TRANSLATED_6TO4"
    bench.advance(3600)
    assert bench.nat64(tcp6("A")).reason == "TRANSLATED_6TO4"
    assert len(bench.sessions()) == 1


@pytest.mark.parametrize(
    "destination",
    [
        "127.0.0.1",
        "169.254.169.254",
        "192.0.0.1",
        "192.0.0.2",
        "192.0.0.8",
        "100.64.0.1",
        "10.0.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "240.0.0.1",
        "224.0.0.1",
    ],
)
def test_the_nodes_inside_is_closed_through_the_pref64(bench: Bench, destination: str) -> None:
    refused4 = [str(network) for network, _ in NON_GLOBAL_IPV4]
    bench.configure(nat64_settings(refused4=refused4))
    assert bench.nat64(udp6(dst=f"2001:db8:64:64::{destination}")).reason == "DESTINATION_REFUSED"
    assert not bench.sessions() and not bench.bib()


def test_a_forged_private_source_opens_no_way_back(bench: Bench) -> None:
    """The answer to a session is not judged again, so who may open one is: static entries are the operator's word."""
    refused4 = ("10.0.0.0/8", "192.168.0.0/16")
    bench.configure(nat64_settings(static=(BEHIND,), refused4=refused4, open4=("192.168.7.0/24",)))
    port = IP(bench.nat64(udp6()).packet)[UDP].sport
    out = bench.nat64(udp4(dport=port, src="10.0.0.5", sport=161))
    assert (out.action, out.reason) == (Action.SHOT, "BAD_SOURCE")
    assert bench.nat64(udp6(dst="2001:db8:64:64::10.0.0.5", dport=161)).reason == "DESTINATION_REFUSED"
    assert bench.nat64(udp4(dport=port, src="192.168.7.1")).reason == "TRANSLATED_4TO6"
    assert bench.nat64(udp4(dport=80, src="10.0.0.5")).reason == "TRANSLATED_4TO6"


def _fragment6(datagram: bytes, start: int, end: int, dst: str | None = None, src: str | None = None) -> bytes:
    """Bytes of the datagram's payload as one IPv6 fragment."""
    whole = IPv6(datagram)
    payload = datagram[40:]
    header = IPv6ExtHdrFragment(nh=17, offset=start // 8, m=int(end < len(payload)), id=77)
    outer = IPv6(src=src or whole.src, dst=dst or whole.dst, hlim=63)
    return bytes(outer / header / Raw(payload[start:end]))


def test_spoofed_pool_source_meets_no_loop(bench: Bench) -> None:
    """From outside, with the pool's own address as source: what comes back goes round here, not to the sender."""
    bench.configure(nat64_settings(static=(BEHIND,)))
    arrived = IPv6(bench.nat64(udp4(src=POOL, dst=POOL, sport=5555, dport=80)).packet)
    assert IPv6Address(arrived.src) in PREF64
    answer = bench.nat64(udp6(src=PHONE, dst=arrived.src, sport=8080, dport=5555))
    assert answer.reason == "HAIRPINNED"
    assert bench.nat64(answer.packet, mark=answer.mark).reason == "NO_BIB_UDP"
