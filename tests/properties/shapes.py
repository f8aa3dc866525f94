# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Packets of every shape that a translator may meet: sound ones, odd ones, broken ones.

They are put together from bytes, not by a codec of ours, so that any field can be wrong. The outer IPv4 header's
checksum is right and nothing follows the packet: the kernel saw to both before it routed the packet here.

All strategies are made once: to make one for each packet takes longer than to draw from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

from hypothesis import strategies as st

from v6native.packet import checksum

Address = IPv4Address | IPv6Address
PORT = st.integers(0, 65535)
BYTE = st.integers(0, 255)
SMALL = st.integers(0, 24)
# The frame of a test run is limited to a page.
SIZES = st.one_of(st.integers(0, 64), st.sampled_from([1231, 1232, 1233, 1240, 1252, 1260, 1400, 2000]))
LIKELY = st.sampled_from([True, True, True, True, False])
RARELY = st.sampled_from([False, False, False, False, False, False, False, True])


@dataclass(frozen=True, slots=True)
class Ends:
    """From where to where; an ICMP query has the identifier. `protocol` (IPv4's number) is the flow's, 0 for any."""

    source: Address
    destination: Address
    source_port: int
    destination_port: int
    identifier: int
    protocol: int = 0

    @property
    def turned(self) -> Ends:
        """Of a packet that went the other way: what an ICMP error quotes. The identifier is as in the answer's."""
        return replace(
            self,
            source=self.destination,
            destination=self.source,
            source_port=self.destination_port,
            destination_port=self.source_port,
        )

    @property
    def six(self) -> bool:
        return self.source.version == 6


def _filler(size: int) -> bytes:
    return bytes(n * 7 % 251 for n in range(size))


def _checked(ends: Ends, protocol: int, message: bytes, at: int) -> bytes:
    """With its checksum at `at`; ICMP in IPv4 has no pseudo-header."""
    pseudo = b""
    if protocol != 1:
        pseudo = ends.source.packed + ends.destination.packed
        pseudo += len(message).to_bytes(4, "big") + bytes([0, 0, 0, protocol])
    check = checksum(pseudo + message[:at] + b"\0\0" + message[at + 2 :])
    return message[:at] + (check or (0xFFFF if protocol == 17 else 0)).to_bytes(2, "big") + message[at + 2 :]


FLAGS = st.one_of(st.sampled_from([2, 2, 2, 16, 18, 17, 4, 20]), BYTE)
OFFSETS = st.sampled_from([5, 6, 15, 4])
UDP_CHECKS = st.sampled_from(["right", "right", "right", "none", "wrong"])
QUERIES = {
    six: st.one_of(st.sampled_from(echo * 3), st.sampled_from([130, 133, 135, 143, 200, 9, 10, 13, 17, 40]))
    for six, echo in ((True, [128, 129]), (False, [8, 0]))
}
OTHERS = st.tuples(
    st.one_of(st.sampled_from([0, 1, 43, 44, 50, 51, 58, 60, 132, 47, 59]), BYTE), st.binary(max_size=48)
)
"""Protocols without ports, among them those that the other family reads as something else."""
OPTIONS = st.lists(
    st.one_of(
        st.just(b"\1"),
        st.builds(
            lambda kind, length, pointer, data: bytes([kind, length, pointer]) + data,
            st.sampled_from([7, 68, 131, 137, 148]),
            st.integers(0, 12),
            st.integers(0, 13),
            st.binary(max_size=9),
        ),
        st.binary(max_size=4),
    ),
    max_size=6,
)
PLACES4 = st.sampled_from([0x4000, 0x4000, 0x4000, 0, 0, 0])
ODD_PLACES4 = st.sampled_from([0x2000, 0x2001, 1, 0x1FFF, 0x6000, 0x8000, 0x4003])
FIELDS4 = st.tuples(st.integers(0, 3), BYTE, st.sampled_from([64, 64, 1, 0, 254, 255]))
CHAINS = st.lists(st.sampled_from([0, 60, 43, 44, 60]), max_size=7)
FRAGMENTS6 = st.tuples(st.sampled_from([0, 0, 1, 8, 9, 1232, 65528, 6]), st.integers(0, 5))
EXTENSIONS6 = st.tuples(st.integers(0, 2), st.sampled_from([0, 0, 0, 1]))
FIELDS6 = st.tuples(BYTE, st.integers(0, 0xFFFFF), st.sampled_from([64, 64, 1, 0, 254, 255]))
# Of a flow of that protocol most packets are of that protocol.
TRANSPORTS = {flow: st.sampled_from([6, 17, 1] * 2 + [0] + [flow] * 14 * bool(flow)) for flow in (0, 1, 6, 17)}


def tcp(draw: st.DrawFn, ends: Ends) -> tuple[int, bytes]:
    flags = draw(FLAGS)
    offset = draw(OFFSETS) if draw(RARELY) else 5
    ports = ends.source_port.to_bytes(2, "big") + ends.destination_port.to_bytes(2, "big")
    data = ports + bytes(8) + bytes([offset << 4, flags]) + b"\x10\0\0\0\0\0" + _filler(draw(SIZES))
    return 6, _checked(ends, 6, data, 16) if draw(LIKELY) else data


def udp(draw: st.DrawFn, ends: Ends) -> tuple[int, bytes]:
    data = _filler(draw(SIZES))
    length = 8 + len(data) if draw(LIKELY) else draw(PORT)
    ports = ends.source_port.to_bytes(2, "big") + ends.destination_port.to_bytes(2, "big")
    message = ports + length.to_bytes(2, "big") + b"\0\0" + data
    kind = draw(UDP_CHECKS)
    if kind == "none":
        return 17, message
    return 17, _checked(ends, 17, message, 6) if kind == "right" else message[:6] + b"\x12\x34" + data


def query(draw: st.DrawFn, ends: Ends) -> tuple[int, bytes]:
    kind = draw(QUERIES[ends.six])
    code = draw(BYTE) if draw(RARELY) else 0
    message = bytes([kind, code, 0, 0]) + ends.identifier.to_bytes(2, "big") + b"\0\7" + _filler(draw(SIZES))
    protocol = 58 if ends.six else 1
    return protocol, _checked(ends, protocol, message, 2) if draw(LIKELY) else message


def transport(draw: st.DrawFn, ends: Ends) -> tuple[int, bytes]:
    make = {6: tcp, 17: udp, 1: query}.get(draw(TRANSPORTS[ends.protocol]))
    return make(draw, ends) if make else draw(OTHERS)


def options(draw: st.DrawFn) -> bytes:
    if not draw(RARELY):
        return b""
    whole = b"".join(draw(OPTIONS))[:40]
    return whole.ljust(-(-len(whole) // 4) * 4, b"\0")


def header4(
    ends: Ends, protocol: int, payload: bytes, opts: bytes, place: int, ident: int, tos: int, ttl: int
) -> bytes:
    size = 20 + len(opts)
    head = bytes([4 << 4 | size // 4, tos]) + (size + len(payload)).to_bytes(2, "big") + ident.to_bytes(2, "big")
    head += place.to_bytes(2, "big") + bytes([ttl, protocol, 0, 0])
    return repaired(head + ends.source.packed + ends.destination.packed + opts + payload)


def repaired(packet: bytes) -> bytes:
    """As the kernel hands it over: an IPv4 header checksum that is right, no bytes behind the end."""
    if packet[0] >> 4 == 6:
        return packet[: max(40, 40 + int.from_bytes(packet[4:6], "big"))]
    packet = packet[: max(20, int.from_bytes(packet[2:4], "big"))]
    size = (packet[0] & 15) * 4
    if not 20 <= size <= len(packet):
        return packet
    return packet[:10] + checksum(packet[:10] + b"\0\0" + packet[12:size]).to_bytes(2, "big") + packet[12:]


def chain6(draw: st.DrawFn, protocol: int) -> tuple[int, bytes]:
    """First next header and the extension headers; the last of them announces `protocol`."""
    kinds = draw(CHAINS) if draw(RARELY) else []
    if draw(RARELY):
        kinds = [*kinds, 44]
    chain, following = b"", protocol
    for kind in reversed(kinds):
        if kind == 44:
            place, ident = draw(FRAGMENTS6)
            chain = bytes([following, 0]) + place.to_bytes(2, "big") + ident.to_bytes(4, "big") + chain
        else:
            units, left = draw(EXTENSIONS6)
            chain = bytes([following, units, 4, left]) + bytes(4 + 8 * units) + chain
        following = kind
    return following, chain


def whole4(draw: st.DrawFn, ends: Ends, protocol: int, message: bytes) -> bytes:
    place = draw(ODD_PLACES4) if draw(RARELY) else draw(PLACES4)
    ident, tos, ttl = draw(FIELDS4)
    return header4(ends, protocol, message, options(draw), place, ident, tos, ttl)


def whole6(draw: st.DrawFn, ends: Ends, protocol: int, message: bytes) -> bytes:
    first, chain = chain6(draw, protocol)
    traffic_class, label, hops = draw(FIELDS6)
    head = (6 << 28 | traffic_class << 20 | label).to_bytes(4, "big")
    head += (len(chain) + len(message)).to_bytes(2, "big") + bytes([first, hops])
    return head + ends.source.packed + ends.destination.packed + chain + message


def whole(draw: st.DrawFn, ends: Ends, protocol: int, message: bytes) -> bytes:
    return whole6(draw, ends, protocol, message) if ends.six else whole4(draw, ends, protocol, message)


def plain(draw: st.DrawFn, ends: Ends) -> bytes:
    """Anything but an ICMP error, though its data may be too short for its protocol."""
    protocol, message = transport(draw, ends)
    if draw(RARELY):
        message = message[: draw(SMALL)]
    return whole(draw, ends, protocol, message)


ERRORS = {True: st.sampled_from([1, 2, 3, 4]), False: st.sampled_from([3, 3, 3, 11, 12])}
ODD_ERRORS = st.sampled_from([0, 4, 5, 6, 100, 127])
ERROR_CODES = st.sampled_from([0, 0, 1, 2, 3, 4, 4, 5, 9, 13, 15, 200])
ERROR_WORDS = st.one_of(st.integers(0, 40), st.sampled_from([1280, 1400, 1500, 65535, 65544, 2**32 - 1]))
QUOTES = st.one_of(st.integers(0, 60), st.sampled_from([128, 200, 548, 552, 1232, 2000]))
PADDED = st.sampled_from([128, 128, 128, 0])
OBJECTS = st.tuples(st.sampled_from([0, 4, 12, 36, 100, 420, 424, 800, 1104, 1200]), st.sampled_from([0, 0, 1]))
FLIPS = st.lists(st.tuples(st.integers(0, 119), st.integers(0, 7)), max_size=4)


def error(draw: st.DrawFn, ends: Ends, quoted: Ends) -> bytes:
    """An ICMP error from `ends` about a packet of `quoted`, cut like routers cut it, perhaps with extensions."""
    quote = plain(draw, quoted)
    kind = draw(ODD_ERRORS) if draw(RARELY) and draw(st.booleans()) else draw(ERRORS[ends.six])
    code = draw(ERROR_CODES)
    word = draw(ERROR_WORDS)
    if kind == 12:
        word = word % 24 << 24
    body = quote[: draw(QUOTES)]
    if draw(st.booleans()):
        body, word = extended(draw, body, word, six=ends.six)
    message = bytes([kind, code, 0, 0]) + word.to_bytes(4, "big") + body
    protocol = 58 if ends.six else 1
    message = _checked(ends, protocol, message, 2) if draw(LIKELY) else message
    return whole(draw, ends, protocol, message)


def extended(draw: st.DrawFn, body: bytes, word: int, *, six: bool) -> tuple[bytes, int]:
    """RFC 4884: the quote padded to words, perhaps not to 128 bytes; extensions, perhaps none; a length that may lie."""
    unit, shift = (8, 24) if six else (4, 16)
    size = max(draw(PADDED), -(-len(body) // unit) * unit)
    length = size // unit if draw(LIKELY) else draw(BYTE)
    extensions = sum(draw(OBJECTS))
    objects = b"\x20\0\0\0" + _filler(extensions)
    word = word & ~(0xFF << shift) & 0xFFFFFFFF | (length & 0xFF) << shift
    return body.ljust(size, b"\0") + objects[:extensions], word


def mutated(draw: st.DrawFn, packet: bytes) -> bytes:
    """Some bits of a packet flipped, perhaps its end lost; of the same family, and not shorter than its header."""
    data = bytearray(packet)
    least = 40 if data[0] >> 4 == 6 else 20
    for at, bit in draw(FLIPS):
        at = at % len(data)
        data[at] ^= 1 << bit
    data[0] = data[0] & 15 | (6 if least == 40 else 4) << 4
    if draw(RARELY):
        del data[draw(st.integers(least, max(least, len(data)))) :]
    return repaired(bytes(data))


FORMS = st.sampled_from(["plain", "plain", "about own", "about own", "about any"])
MUTATED = st.sampled_from([False, False, True])


@st.composite
def shapes(draw: st.DrawFn, ends: st.SearchStrategy[Ends]) -> bytes:
    """Plain packets and errors, most of these about packets of the same flow; as they should be and mutated."""
    form, own = draw(FORMS), draw(ends)
    about = draw(ends) if form == "about any" else own
    packet = plain(draw, own) if form == "plain" else error(draw, own, about.turned)
    return mutated(draw, packet) if draw(MUTATED) else packet
