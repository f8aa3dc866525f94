# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""ICMP errors, each row of RFC 7915 §4.2 and §5.2, written down here a second time from the text."""

from __future__ import annotations

import struct

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6TimeExceeded, IPv6, IPv6ExtHdrFragment
from scapy.packet import Packet, Raw

from tests.unit.translate.world import (
    LAPTOP4,
    LAPTOP6,
    NODE4,
    ROUTER4,
    ROUTER4_IN_6,
    SERVER4,
    SERVER6,
    SETTINGS,
    make_siit,
    refused,
    translated,
)
from v6native.packet import ICMPV6, IcmpHeader, checksum, parse_ipv4, parse_ipv6, pseudo_header
from v6native.translate.rfc7915.tables import mtu_4to6, mtu_6to4
from v6native.translate.verdict import Settings

QUOTE4 = IP(src=SERVER4, dst=LAPTOP4, ttl=3, id=9) / UDP(sport=53, dport=4444) / b"data"
QUOTE6 = IPv6(src=LAPTOP6, dst=SERVER6, hlim=3) / UDP(sport=4444, dport=53) / b"data"


def error4(icmp_type: int, code: int, rest: int = 0, quote: Packet | bytes = QUOTE4, source: str = LAPTOP4) -> bytes:
    body = IcmpHeader(icmp_type, code, 0, rest).to_bytes() + bytes(quote)
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    return bytes(IP(src=source, dst=SERVER4, proto=1) / Raw(body))


def error6(icmp_type: int, code: int, rest: int = 0, quote: Packet | bytes = QUOTE6, source: str = SERVER6) -> bytes:
    packet = parse_ipv6(bytes(IPv6(src=source, dst=LAPTOP6, nh=58)))
    body = IcmpHeader(icmp_type, code, 0, rest).to_bytes() + bytes(quote)
    check = checksum(pseudo_header(packet.source, packet.destination, ICMPV6, len(body)) + body)
    body = body[:2] + struct.pack("!H", check) + body[4:]
    return bytes(IPv6(src=source, dst=LAPTOP6, nh=58) / Raw(body))


def icmp6(data: bytes) -> tuple[int, int, int]:
    return struct.unpack_from("!BBxxI", translated(make_siit().translate(data)), 40)


def icmp4(data: bytes) -> tuple[int, int, int]:
    return struct.unpack_from("!BBxxI", translated(make_siit().translate(data)), 20)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, (1, 0, 0)),
        (1, (1, 0, 0)),
        (2, (4, 1, 6)),
        (3, (1, 4, 0)),
        (5, (1, 0, 0)),
        (6, (1, 0, 0)),
        (7, (1, 0, 0)),
        (8, (1, 0, 0)),
        (9, (1, 1, 0)),
        (10, (1, 1, 0)),
        (11, (1, 0, 0)),
        (12, (1, 0, 0)),
        (13, (1, 1, 0)),
        (15, (1, 1, 0)),
    ],
)
def test_4to6_unreachable(code: int, expected: tuple[int, int, int]) -> None:
    assert icmp6(error4(3, code)) == expected


@pytest.mark.parametrize("code", [0, 1])
def test_4to6_time_exceeded(code: int) -> None:
    assert icmp6(error4(11, code)) == (3, code, 0)


FIGURE_3 = {0: 0, 1: 1, 2: 4, 3: 4, 8: 7, 9: 6, 12: 8, 13: 8, 14: 8, 15: 8, 16: 24, 17: 24, 18: 24, 19: 24}


@pytest.mark.parametrize("code", [0, 2])
@pytest.mark.parametrize("pointer", range(22))
def test_4to6_parameter_problem(pointer: int, code: int) -> None:
    data = error4(12, code, pointer << 24)
    if pointer in FIGURE_3:
        assert icmp6(data) == (4, 0, FIGURE_3[pointer])
    else:
        assert refused(make_siit().translate(data)) == "UNKNOWN_ICMP"


@pytest.mark.parametrize(("icmp_type", "code"), [(3, 14), (3, 16), (3, 255), (4, 0), (5, 0), (5, 1), (12, 1), (12, 3)])
def test_4to6_dropped(icmp_type: int, code: int) -> None:
    assert refused(make_siit().translate(error4(icmp_type, code))) == "UNKNOWN_ICMP"


@pytest.mark.parametrize(("code", "new_code"), [(0, 1), (1, 10), (2, 1), (3, 1), (4, 3)])
def test_6to4_unreachable(code: int, new_code: int) -> None:
    assert icmp4(error6(1, code)) == (3, new_code, 0)


@pytest.mark.parametrize("code", [0, 1])
def test_6to4_time_exceeded(code: int) -> None:
    assert icmp4(error6(3, code)) == (11, code, 0)


FIGURE_6 = {0: 0, 1: 1, 4: 2, 5: 2, 6: 9, 7: 8} | dict.fromkeys(range(8, 24), 12) | dict.fromkeys(range(24, 40), 16)


@pytest.mark.parametrize("pointer", [*range(42), 1 << 24])
def test_6to4_parameter_problem(pointer: int) -> None:
    data = error6(4, 0, pointer)
    if pointer in FIGURE_6:
        assert icmp4(data) == (12, 0, FIGURE_6[pointer] << 24)
    else:
        assert refused(make_siit().translate(data)) == "UNKNOWN_ICMP"


def test_6to4_unknown_next_header() -> None:
    assert icmp4(error6(4, 1, 40)) == (3, 2, 0)


@pytest.mark.parametrize(("icmp_type", "code"), [(1, 5), (1, 6), (1, 7), (4, 2), (5, 0), (100, 0), (127, 0)])
def test_6to4_dropped(icmp_type: int, code: int) -> None:
    assert refused(make_siit().translate(error6(icmp_type, code))) == "UNKNOWN_ICMP"


@pytest.mark.parametrize(
    ("mtu4", "mtu6"), [(1400, 1420), (1260, 1280), (576, 1280), (68, 1280), (65535, 65535), (9000, 9020)]
)
def test_4to6_fragmentation_needed(mtu4: int, mtu6: int) -> None:
    assert icmp6(error4(3, 4, mtu4)) == (2, 0, mtu6)


@pytest.mark.parametrize(
    ("total", "mtu6"),
    [
        (65535, 32020),
        (32001, 32020),
        (32000, 17934),
        (9000, 8186),
        (4353, 4372),
        (2002, 1512),
        (1500, 1512),
        (1492, 1280),
        (1300, 1280),
        (100, 1280),
    ],
)
def test_a_router_older_than_rfc1191(total: int, mtu6: int) -> None:
    assert mtu_4to6(0, total, 65535, 65535) == mtu6
    quote = IP(src=SERVER4, dst=LAPTOP4, len=total) / UDP()
    assert icmp6(error4(3, 4, 0, quote)) == (2, 0, mtu6)


def test_next_hop_mtus_count() -> None:
    assert mtu_4to6(1500, 1500, 1400, 65535) == 1400
    assert mtu_4to6(1500, 1500, 65535, 1300) == 1320
    assert mtu_4to6(1500, 1500, 65535, 1000) == 1280
    assert mtu_6to4(1500, False, 65535, 1400) == 1400
    assert mtu_6to4(1500, False, 1400, 65535) == 1380
    settings = Settings(SETTINGS.icmp6_source, SETTINGS.icmp4_source, next_hop_mtu6=1400)
    data = translated(make_siit(settings).translate(error4(3, 4, 1500)))
    assert struct.unpack_from("!I", data, 44) == (1400,)


@pytest.mark.parametrize(("mtu6", "mtu4"), [(1500, 1480), (1280, 1260), (1000, 980), (0, 68), (1 << 31, 65515)])
def test_6to4_too_big(mtu6: int, mtu4: int) -> None:
    assert icmp4(error6(2, 0, mtu6)) == (3, 4, mtu4)


def test_6to4_too_big_about_a_fragment() -> None:
    quote = IPv6(src=LAPTOP6, dst=SERVER6) / IPv6ExtHdrFragment(id=7, m=1) / UDP(sport=1, dport=2) / (b"x" * 8)
    assert icmp4(error6(2, 0, 1500, quote)) == (3, 4, 1472)


def test_4to6_quote_and_outer_header() -> None:
    out = IPv6(translated(make_siit().translate(error4(11, 0, source=LAPTOP4))))
    assert (out.src, out.dst, out.hlim) == (LAPTOP6, SERVER6, 65)
    inner = parse_ipv6(bytes(out)[48:])
    assert (str(inner.source), str(inner.destination), inner.hop_limit) == (SERVER6, LAPTOP6, 3)
    assert (inner.protocol, inner.announced, inner.fragment) == (17, 12, None)
    pseudo = pseudo_header(inner.source, inner.destination, 17, 12)
    assert checksum(pseudo + inner.payload) == 0


def test_6to4_quote_and_outer_header() -> None:
    out = IP(translated(make_siit().translate(error6(3, 0))))
    assert (out.src, out.dst, out.ttl) == (SERVER4, LAPTOP4, 65)
    inner = parse_ipv4(bytes(out)[28:])
    assert (str(inner.source), str(inner.destination), inner.ttl) == (LAPTOP4, SERVER4, 3)
    pseudo = pseudo_header(inner.source, inner.destination, 17, 12)
    assert checksum(pseudo + inner.payload) == 0


@pytest.mark.parametrize("icmp_type", [8, 0])
def test_4to6_quoted_echo(icmp_type: int) -> None:
    quote = IP(src=SERVER4, dst=LAPTOP4) / ICMP(type=icmp_type, id=5, seq=6) / b"ping"
    out = translated(make_siit().translate(error4(11, 0, 0, quote)))
    inner = parse_ipv6(out[48:])
    assert (inner.protocol, inner.payload[0]) == (58, 128 if icmp_type == 8 else 129)
    assert checksum(pseudo_header(inner.source, inner.destination, 58, 12) + inner.payload) == 0


def test_6to4_quoted_echo() -> None:
    quote = IPv6(src=LAPTOP6, dst=SERVER6) / ICMPv6EchoRequest(id=5, seq=6, data=b"ping")
    inner = parse_ipv4(translated(make_siit().translate(error6(3, 0, 0, quote)))[28:])
    assert (inner.protocol, inner.payload[0]) == (1, 8)
    assert checksum(inner.payload) == 0


def test_quoted_fragments_keep_their_place() -> None:
    quote = IP(src=SERVER4, dst=LAPTOP4, id=77, frag=185, proto=17) / Raw(b"x" * 8)
    inner = parse_ipv6(translated(make_siit().translate(error4(11, 1, 0, quote)))[48:])
    assert inner.fragment is not None and (inner.fragment.identification, inner.fragment.offset) == (77, 1480)
    later = IPv6(src=LAPTOP6, dst=SERVER6) / IPv6ExtHdrFragment(nh=17, id=77, offset=185) / Raw(b"x" * 8)
    back = parse_ipv4(translated(make_siit().translate(error6(3, 1, 0, later)))[28:])
    assert (back.identification, back.fragment_offset) == (77, 1480)


@pytest.mark.parametrize("size", [8, 12, 17, 18, 20])
def test_a_cut_tcp_quote(size: int) -> None:
    """The checksum lies in bytes 16 and 17; what is not there is not made up."""
    segment = bytes(IP(src=SERVER4, dst=LAPTOP4) / TCP(sport=80, dport=4444, seq=99))
    out = translated(make_siit().translate(error4(11, 0, 0, segment[: 20 + size])))
    inner = parse_ipv6(out[48:], quoted=True)
    assert len(inner.payload) == size and inner.announced == 20
    assert inner.payload[:16] == segment[20:36][:size]
    if size == 20:
        assert checksum(pseudo_header(inner.source, inner.destination, 6, 20) + inner.payload) == 0


def test_a_quoted_udp_without_checksum_stays_so() -> None:
    quote = IP(src=SERVER4, dst=LAPTOP4) / UDP(chksum=0) / b"x"
    assert parse_ipv6(translated(make_siit().translate(error4(3, 3, 0, quote)))[48:]).payload[6:8] == b"\0\0"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (error4(11, 0, 0, b"\x45" + b"\0" * 10), "QUOTE_TOO_SHORT"),
        (error4(11, 0, 0, bytes(QUOTE4)[:27]), "QUOTE_TOO_SHORT"),
        (error4(11, 0, 0, b"\x65" + bytes(QUOTE4)[1:]), "BAD_HEADER"),
        (error4(11, 0, 0, IP(src=SERVER4, dst=LAPTOP4) / ICMP(type=11) / bytes(28)), "QUOTE_IS_ERROR"),
        (error4(11, 0, 0, IP(src=SERVER4, dst=LAPTOP4) / ICMP(type=13) / bytes(12)), "UNKNOWN_ICMP"),
        (error4(11, 0, 0, IP(src=SERVER4, dst=LAPTOP4, proto=44) / bytes(8)), "UNKNOWN_PROTOCOL"),
        (error4(11, 0, 0, IP(src=SERVER4, dst="192.0.2.9") / UDP()), "NO_MAPPING"),
        (error4(11, 0)[:-1] + b"!", "BAD_CHECKSUM"),
        (bytes(IP(src=LAPTOP4, dst=SERVER4, proto=1) / Raw(b"\x0b\0\0\0")), "TRUNCATED"),
        (error6(3, 0, 0, b"\x60" + b"\0" * 30), "QUOTE_TOO_SHORT"),
        (error6(3, 0, 0, bytes(QUOTE6)[:47]), "QUOTE_TOO_SHORT"),
        (error6(3, 0, 0, b"\x45" + bytes(QUOTE6)[1:]), "BAD_HEADER"),
        (error6(3, 0, 0, IPv6(src=LAPTOP6, dst=SERVER6) / ICMPv6TimeExceeded() / bytes(48)), "QUOTE_IS_ERROR"),
        (error6(3, 0, 0, IPv6(src=LAPTOP6, dst=SERVER6, nh=58) / Raw(b"\x87" + bytes(23))), "UNKNOWN_ICMP"),
        (error6(3, 0, 0, IPv6(src=SERVER6, dst=SERVER6) / UDP()), "NO_MAPPING"),
        (error6(3, 0, 0, IPv6(src=LAPTOP6, dst="2001:db8:9::1") / UDP()), "NO_MAPPING"),
        (error6(3, 0, 0, IPv6(src=LAPTOP6, dst=SERVER6, plen=65530) / UDP()), "BAD_HEADER"),
        (error6(3, 0)[:-1] + b"!", "BAD_CHECKSUM"),
        (bytes(IPv6(src=SERVER6, dst=LAPTOP6, nh=58) / Raw(b"\x03\0\0\0")), "TRUNCATED"),
    ],
)
def test_refused_errors(data: bytes, reason: str) -> None:
    assert refused(make_siit().translate(data)) == reason


def test_a_router_of_the_ipv6_network_speaks_with_our_address() -> None:
    """RFC 6791."""
    out = IP(translated(make_siit().translate(error6(3, 0, source="2001:db8:64:ff::1"))))
    assert (out.src, out.dst) == (NODE4, LAPTOP4)


def test_a_router_of_the_ipv4_internet_keeps_its_address() -> None:
    assert IP(translated(make_siit().translate(error6(3, 0, source=ROUTER4_IN_6)))).src == ROUTER4


def test_an_illegal_source_is_translated_for_traceroute() -> None:
    data = error4(11, 0, source="127.0.0.1", quote=QUOTE4)
    data = bytes(IP(src="127.0.0.1", dst=LAPTOP4, proto=1) / Raw(data[20:]))
    assert IPv6(translated(make_siit().translate(data))).src == "2001:db8:64:64::7f00:1"


def extension(length: int = 8) -> bytes:
    return b"\x20\0\xab\xcd" + b"e" * (length - 4)


def padded(quote: Packet, size: int) -> bytes:
    return bytes(quote).ljust(size, b"\0")


@pytest.mark.parametrize("icmp_type", [3, 11])
def test_4to6_extensions_move_with_their_length(icmp_type: int) -> None:
    quote = padded(IP(src=SERVER4, dst=LAPTOP4) / UDP() / (b"x" * 104), 132)
    out = translated(make_siit().translate(error4(icmp_type, 0, 33 << 16, quote + extension())))
    length = out[44]
    assert length * 8 == 152
    assert out[48 + length * 8 :] == extension()
    assert parse_ipv6(out[48:]).announced == 112


def test_4to6_a_short_quote_is_padded() -> None:
    out = translated(make_siit().translate(error4(11, 0, 32 << 16, padded(QUOTE4, 128) + extension())))
    assert (out[44], len(out)) == (16, 48 + 128 + 8)
    assert out[-8:] == extension()


def test_6to4_extensions_move_with_their_length() -> None:
    quote = padded(IPv6(src=LAPTOP6, dst=SERVER6) / UDP() / (b"x" * 114), 168)
    out = translated(make_siit().translate(error6(3, 0, 21 << 24, quote + extension(12))))
    assert out[25] * 4 == 144
    assert out[28 + 144 :] == extension(12)


def test_extensions_that_the_new_type_cannot_carry() -> None:
    """Protocol unreachable becomes a parameter problem, whose second word is a pointer."""
    out = translated(make_siit().translate(error4(3, 2, 32 << 16, padded(QUOTE4, 128) + extension())))
    assert out[44:48] == b"\0\0\0\x06"
    assert extension() not in out


def test_a_length_beyond_the_message_is_no_length() -> None:
    out = translated(make_siit().translate(error4(11, 0, 255 << 16, QUOTE4)))
    assert out[44:48] == b"\0\0\0\0"


def test_errors_are_cut_to_their_limits() -> None:
    quote = IP(src=SERVER4, dst=LAPTOP4) / UDP() / (b"x" * 1400)
    assert len(translated(make_siit().translate(error4(11, 0, 0, quote)))) == 1280
    quote = IPv6(src=LAPTOP6, dst=SERVER6) / UDP() / (b"x" * 1100)
    out = translated(make_siit().translate(error6(3, 0, 0, quote)))
    assert len(out) == 576
    inner = parse_ipv4(out[28:], quoted=True)
    assert inner.announced == 1108 and inner.cut > 0


@pytest.mark.parametrize("size", [8, 400, 1000])
def test_the_quote_gives_way_to_the_extension_then_the_extension_is_cut(size: int) -> None:
    quote = padded(IPv6(src=LAPTOP6, dst=SERVER6) / UDP() / (b"x" * 600), 648)
    out = translated(make_siit().translate(error6(3, 0, 81 << 24, quote + extension(size))))
    assert len(out) <= 576
    assert out[25] * 4 >= 128
    assert out[28 + out[25] * 4 :] == extension(size)[: 548 - 128]
