# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Extended ICMP errors (RFC 4884) through the translators: RFC 7915 §4.2 and §5.2 keep the length attribute true."""

from __future__ import annotations

import pytest
from scapy.layers.inet import UDP
from scapy.packet import Raw

from tests.packets.build import assert_checksums, icmp4, icmp6, ip4, ip6, server6, wire
from tests.packets.harness import CLIENT4, CLIENT6, SERVER, Bench, siit_settings

ROUTER4 = "198.18.0.2"
MPLS = bytes.fromhex("2000a1b20008010100010140")
"""A structure with one object; nothing in it changes, so its own checksum stays as right as it was."""


@pytest.fixture
def clat(bench: Bench) -> Bench:
    bench.configure(siit=siit_settings())
    return bench


def error4(type_: int, size: int, extensions: bytes, words: int | None = None, code: int = 0) -> bytes:
    """An ICMP error that quotes `size` bytes of a UDP packet to a server, padded to words and to 128 bytes."""
    quote = wire(ip4(src=CLIENT4, dst=SERVER) / UDP(sport=1, dport=2) / Raw(bytes(b % 251 for b in range(1400))))[:size]
    quote = quote.ljust(max(128, -(-size // 4) * 4), b"\0")
    length = len(quote) // 4 if words is None else words
    return wire(ip4(src=ROUTER4, dst=CLIENT4) / icmp4(type_, code, length << 16, quote + extensions))


def error6(type_: int, size: int, extensions: bytes, words: int | None = None) -> bytes:
    quote = wire(ip6(src=server6(), dst=CLIENT6) / UDP(sport=1, dport=2) / Raw(bytes(b % 251 for b in range(1400))))
    quote = quote[:size].ljust(max(128, -(-size // 8) * 8), b"\0")
    length = len(quote) // 8 if words is None else words
    return wire(ip6(src=CLIENT6, dst=server6()) / icmp6(type_, 0, length << 24, quote + extensions))


@pytest.mark.parametrize("type_", [3, 11])
@pytest.mark.parametrize(("size", "quote"), [(28, 152), (128, 152), (129, 152), (133, 160), (200, 224)])
def test_extensions_behind_a_longer_quote(clat: Bench, type_: int, size: int, quote: int) -> None:
    """IPv6's header is 20 bytes longer, its words are of 8 bytes. A router's padding cannot be told from data."""
    out = clat.siit(error4(type_, size, MPLS))
    assert out.reason == "TRANSLATED_4TO6"
    assert_checksums(out.packet)
    message = out.packet[40:]
    assert (message[4] * 8, message[5:8]) == (quote, b"\0\0\0")
    assert message[8 + quote :] == MPLS


@pytest.mark.parametrize("type_", [1, 3])
@pytest.mark.parametrize(("size", "quote"), [(48, 128), (128, 128), (152, 132), (200, 180), (201, 188)])
def test_extensions_behind_a_shorter_quote(clat: Bench, type_: int, size: int, quote: int) -> None:
    """The quote becomes 20 bytes shorter; its padding to words was part of what is quoted."""
    out = clat.siit(error6(type_, size, MPLS))
    assert out.reason == "TRANSLATED_6TO4"
    assert_checksums(out.packet)
    message = out.packet[20:]
    assert (message[5] * 4, message[4], message[6:8]) == (quote, 0, b"\0\0")
    assert message[8 + quote :] == MPLS


def test_a_short_packet_is_padded_anew(clat: Bench) -> None:
    """Its header says where it ends: what follows is padding, up to 128 bytes in both families."""
    quote = wire(ip4(src=CLIENT4, dst=SERVER) / UDP(sport=1, dport=2) / Raw(b"\xffshort"))
    out = clat.siit(wire(ip4(src=ROUTER4, dst=CLIENT4) / icmp4(11, 0, 32 << 16, quote.ljust(128, b"\0") + MPLS)))
    assert_checksums(out.packet)
    message = out.packet[40:]
    assert (message[4], message[8 + 48 : 8 + 54]) == (16, b"\xffshort")
    assert message[8 + 54 :] == bytes(128 - 54) + MPLS
    quote = wire(ip6(src=server6(), dst=CLIENT6) / UDP(sport=1, dport=2) / Raw(b"\xffshort"))
    out = clat.siit(wire(ip6(src=CLIENT6, dst=server6()) / icmp6(3, 0, 16 << 24, quote.ljust(128, b"\0") + MPLS)))
    assert_checksums(out.packet)
    message = out.packet[20:]
    assert (message[5], message[8 + 28 : 8 + 34]) == (32, b"\xffshort")
    assert message[8 + 34 :] == bytes(128 - 34) + MPLS


def test_the_quote_gives_way_to_extensions(clat: Bench) -> None:
    """576 bytes at most (RFC 1812 §4.3.2.3): 28 of headers, 12 of extensions, the rest quoted."""
    out = clat.siit(error6(3, 1160, MPLS))
    assert_checksums(out.packet)
    assert (len(out.packet), out.packet[25] * 4, out.packet[-12:]) == (576, 536, MPLS)
    out = clat.siit(error4(11, 1000, MPLS + bytes(400)))
    assert_checksums(out.packet)
    assert len(out.packet) <= 1280
    assert out.packet[48 + out.packet[44] * 8 :] == MPLS + bytes(400)


def test_extensions_that_do_not_fit_are_cut(clat: Bench) -> None:
    """RFC 7915 §4.2: simply truncated; 128 bytes of the quote stay."""
    long = MPLS + bytes(n % 255 for n in range(1000))
    out = clat.siit(error6(3, 128, long))
    assert_checksums(out.packet)
    assert (len(out.packet), out.packet[25]) == (576, 32)
    assert out.packet[28 + 128 :] == long[:420]
    long += bytes(400)
    out = clat.siit(error4(11, 128, long))
    assert_checksums(out.packet)
    assert (len(out.packet), out.packet[44]) == (1280, 16)
    assert out.packet[48 + 128 :] == long[:1104]


@pytest.mark.parametrize("words", [0, 35, 36, 255])
def test_a_length_that_leaves_no_extensions(clat: Bench, words: int) -> None:
    """All of the body is quote where the length is zero, or at or past the end."""
    out = clat.siit(error4(11, 128, bytes(12), words))
    assert out.reason == "TRANSLATED_4TO6"
    assert_checksums(out.packet)
    assert (out.packet[44:48], len(out.packet)) == (bytes(4), 48 + 140 + 20)


def test_a_message_that_has_no_extensions_in_ipv6_loses_them(clat: Bench) -> None:
    """Parameter Problem and Packet Too Big have no length attribute there (RFC 4884 §4)."""
    for code, type_ in [(2, 4), (4, 2)]:
        out = clat.siit(error4(3, 128, MPLS, code=code))
        assert out.reason == "TRANSLATED_4TO6"
        assert_checksums(out.packet)
        assert (out.packet[40], len(out.packet)) == (type_, 48 + 128 + 20)


def test_a_length_inside_the_quoted_header_is_refused(clat: Bench) -> None:
    """What says that the quote ends before its own header does is not read beyond it."""
    assert clat.siit(error4(11, 128, MPLS, 4)).reason == "QUOTE_TOO_SHORT"
    assert clat.siit(error6(3, 128, MPLS, 4)).reason == "QUOTE_TOO_SHORT"
