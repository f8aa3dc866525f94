# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The words of a question and the packet that they make; what is wrong is told by its word."""

from __future__ import annotations

from ipaddress import IPv6Network
from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, IPv6

from tests.packets.build import assert_checksums
from v6native.explain.question import BadPacket, Question, parse

PREF64 = (IPv6Network("64:ff9b::/96"), IPv6Network("2001:db8:64:64::/64"))
HOST, SERVER = "2001:db8::5", "198.51.100.80"


def ask(**words: Any) -> Question:
    return parse({"from" if word == "source" else word: value for word, value in words.items()}, PREF64)


def test_the_readmes_question() -> None:
    packet = ask(source=HOST, to="64:ff9b::198.51.100.80", proto="tcp", dport="443").packet
    assert_checksums(packet)
    told = IPv6(packet)
    assert (told.src, told.dst, told.hlim) == (HOST, "64:ff9b::c633:6450", 64)
    assert (told[TCP].sport, told[TCP].dport, str(told[TCP].flags)) == (50000, 443, "S")


def test_behind_a_shorter_pref64_an_ipv4_address_has_its_place() -> None:
    """RFC 6052 §2.2: not in the last 32 bits, where the text alone would put it."""
    assert (
        IPv6(ask(source=HOST, to="2001:db8:64:64::198.51.100.80", dport=1).packet).dst
        == "2001:db8:64:64:c6:3364:5000:0"
    )
    assert IPv6(ask(source=HOST, to="2001:db8:7::198.51.100.80", dport=1).packet).dst == "2001:db8:7::c633:6450"


def test_a_host_with_ipv6_asks_for_an_ipv4_address_by_the_first_pref64() -> None:
    assert IPv6(ask(source=HOST, to=SERVER, dport=1).packet).dst == "64:ff9b::c633:6450"


def test_other_packets() -> None:
    udp = ask(source=SERVER, to="192.0.2.1", proto="udp", sport=53, dport="0x9c40", size=1400, mark="0x10", iif="eth0")
    assert (udp.interface, udp.mark, len(udp.packet)) == ("eth0", 16, 1400)
    told = IP(udp.packet)
    assert (told[UDP].sport, told[UDP].dport, str(told.flags)) == (53, 40000, "DF")
    echo = IP(ask(source="100.64.0.2", to=SERVER, icmp="echo", sport=7).packet)
    assert (echo[ICMP].type, echo[ICMP].id) == (8, 7)
    assert IPv6(ask(source=HOST, to="64:ff9b::1", proto="icmp", icmp="reply").packet)[ICMPv6EchoReply].id == 50000
    flags = IP(ask(source=SERVER, to="192.0.2.1", dport=1, flags="sa").packet)
    assert str(flags[TCP].flags) == "SA"
    for packet in (udp.packet, bytes(echo), bytes(flags)):
        assert_checksums(packet)


def test_a_captured_packet_is_taken_as_it_is() -> None:
    packet = bytes(IP(src=SERVER, dst="192.0.2.1") / UDP())
    assert ask(packet=packet.hex(), mark=5) == Question(packet, None, 5)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ({"to": SERVER}, "from is missing"),
        ({"source": HOST}, "to is missing"),
        ({"source": "host", "to": SERVER, "dport": 1}, "from host: this is no IPv4 or IPv6 address"),
        ({"source": SERVER, "to": HOST, "dport": 1}, "no packet has an IPv4 source and an IPv6 destination"),
        ({"source": HOST, "to": SERVER}, "dport is missing"),
        ({"source": HOST, "to": SERVER, "dport": 65536}, "dport 65536: a number from 0 to 65535"),
        ({"source": HOST, "to": SERVER, "dport": "web"}, "dport web: this is no number"),
        ({"source": HOST, "to": SERVER, "dport": True}, "dport True"),
        ({"source": HOST, "to": SERVER, "proto": "gre"}, "proto gre: one of tcp, udp, icmp"),
        ({"source": HOST, "to": SERVER, "dport": 1, "flags": "X"}, "flags X: letters of FSRPAU"),
        ({"source": HOST, "to": SERVER, "dport": 1, "proto": "udp", "flags": "S"}, "only TCP has flags"),
        ({"source": HOST, "to": SERVER, "proto": "tcp", "icmp": "echo"}, "not of proto tcp"),
        ({"source": HOST, "to": SERVER, "icmp": "ping"}, "icmp ping: one of echo, reply"),
        ({"source": HOST, "to": SERVER, "icmp": "echo", "dport": 1}, "ICMP has no ports"),
        ({"source": HOST, "to": SERVER, "dport": 1, "size": 59}, "the headers alone have 60 bytes"),
        ({"source": HOST, "to": SERVER, "dport": 1, "mark": "0x100000000"}, "mark 0x100000000"),
        ({"packet": "45", "to": SERVER}, "a captured packet says to itself"),
        ({"packet": "zz"}, "hexadecimal digits"),
        ({"packet": "4500"}, "no IP packet with a whole header"),
        ({"source": HOST, "too": SERVER}, "there is no too: a question has from, to,"),
    ],
)
def test_what_is_wrong_is_told(words: dict[str, Any], what: str) -> None:
    with pytest.raises(BadPacket) as told:
        ask(**words)
    assert what in str(told.value)


def test_without_a_pref64_there_is_no_way_to_ipv4() -> None:
    with pytest.raises(BadPacket, match="there is no pref64"):
        parse({"from": HOST, "to": SERVER, "dport": 1}, ())
