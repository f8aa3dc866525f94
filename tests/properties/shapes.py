# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Packets of every shape that a translator may meet: sound ones, odd ones, broken ones.

They are put together from bytes, not by a codec of ours, so that any field can be wrong. The outer IPv4 header's
checksum is right and nothing follows the packet: the kernel saw to both before it routed the packet here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

from hypothesis import strategies as st

from v6native.packet import checksum

Address = IPv4Address | IPv6Address
PORT = st.integers(0, 65535)
BYTE = st.integers(0, 255)
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


@st.composite
def tcp(draw: st.DrawFn, ends: Ends) -> tuple[int, bytes]:
    flags = draw(st.one_of(st.sampled_from([2, 2, 2, 16, 18, 17, 4, 20]), BYTE))
    offset = draw(st.sampled_from([5, 6, 15, 4])) if draw(RARELY) else 5
    ports = ends.source_port.to_bytes(2, "big") + ends.destination_port.to_bytes(2, "big")
    data = ports + bytes(8) + bytes([offset << 4, flags]) + b"\x10\0\0\0\0\0" + _filler(draw(SIZES))
    return 6, _checked(ends, 6, data, 16) if draw(LIKELY) else data


@st.composite
def udp(draw: st.DrawFn, ends: Ends) -> tuple[int, bytes]:
    data = _filler(draw(SIZES))
    length = 8 + len(data) if draw(LIKELY) else draw(PORT)
    ports = ends.source_port.to_bytes(2, "big") + ends.destination_port.to_bytes(2, "big")
    message = ports + length.to_bytes(2, "big") + b"\0\0" + data
    kind = draw(st.sampled_from(["right", "right", "right", "none", "wrong"]))
    if kind == "none":
        return 17, message
    return 17, _checked(ends, 17, message, 6) if kind == "right" else message[:6] + b"\x12\x34" + data


@st.composite
def query(draw: st.DrawFn, ends: Ends) -> tuple[int, bytes]:
    echo = [128, 129] if ends.six else [8, 0]
    kind = draw(st.one_of(st.sampled_from(echo * 3), st.sampled_from([130, 133, 135, 143, 200, 9, 10, 13, 17, 40])))
    code = draw(BYTE) if draw(RARELY) else 0
    message = bytes([kind, code, 0, 0]) + ends.identifier.to_bytes(2, "big") + b"\0\7" + _filler(draw(SIZES))
    protocol = 58 if ends.six else 1
    return protocol, _checked(ends, protocol, message, 2) if draw(LIKELY) else message


@st.composite
def other(draw: st.DrawFn, ends: Ends) -> tuple[int, bytes]:
    """Protocols without ports, among them those that the other family reads as something else."""
    protocol = draw(st.one_of(st.sampled_from([0, 1, 43, 44, 50, 51, 58, 60, 132, 47, 59]), BYTE))
    return protocol, draw(st.binary(max_size=48))


def transports(ends: Ends) -> st.SearchStrategy[tuple[int, bytes]]:
    any_of = [tcp(ends), udp(ends), query(ends)] * 2 + [other(ends)]
    flow = {6: tcp, 17: udp, 1: query}.get(ends.protocol)
    return st.one_of(any_of + [flow(ends)] * 14) if flow else st.one_of(any_of)


@st.composite
def options(draw: st.DrawFn) -> bytes:
    if not draw(RARELY):
        return b""
    parts = draw(
        st.lists(
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
    )
    whole = b"".join(parts)[:40]
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


@st.composite
def chains(draw: st.DrawFn, protocol: int) -> tuple[int, bytes]:
    """First next header and the extension headers; the last of them announces `protocol`."""
    kinds = draw(st.lists(st.sampled_from([0, 60, 43, 44, 60]), max_size=7)) if draw(RARELY) else []
    if draw(RARELY):
        kinds.append(44)
    chain, following = b"", protocol
    for kind in reversed(kinds):
        if kind == 44:
            place = draw(st.sampled_from([0, 0, 1, 8, 9, 1232, 65528, 6]))
            chain = (
                bytes([following, 0]) + place.to_bytes(2, "big") + draw(st.integers(0, 5)).to_bytes(4, "big") + chain
            )
        else:
            units = draw(st.integers(0, 2))
            left = draw(st.sampled_from([0, 0, 0, 1]))
            chain = bytes([following, units, 4, left]) + bytes(4 + 8 * units) + chain
        following = kind
    return following, chain


@st.composite
def whole4(draw: st.DrawFn, ends: Ends, protocol: int, message: bytes) -> bytes:
    place = draw(st.sampled_from([0x4000, 0x4000, 0x4000, 0, 0, 0]))
    if draw(RARELY):
        place = draw(st.sampled_from([0x2000, 0x2001, 1, 0x1FFF, 0x6000, 0x8000, 0x4003]))
    ident, tos, ttl = draw(st.integers(0, 3)), draw(BYTE), draw(st.sampled_from([64, 64, 1, 0, 254, 255]))
    return header4(ends, protocol, message, draw(options()), place, ident, tos, ttl)


@st.composite
def whole6(draw: st.DrawFn, ends: Ends, protocol: int, message: bytes) -> bytes:
    first, chain = draw(chains(protocol))
    head = (6 << 28 | draw(BYTE) << 20 | draw(st.integers(0, 0xFFFFF))).to_bytes(4, "big")
    head += (len(chain) + len(message)).to_bytes(2, "big") + bytes(
        [first, draw(st.sampled_from([64, 64, 1, 0, 254, 255]))]
    )
    return head + ends.source.packed + ends.destination.packed + chain + message


def whole(ends: Ends, protocol: int, message: bytes) -> st.SearchStrategy[bytes]:
    return whole6(ends, protocol, message) if ends.six else whole4(ends, protocol, message)


@st.composite
def plain(draw: st.DrawFn, ends: Ends) -> bytes:
    """Anything but an ICMP error, though its data may be too short for its protocol."""
    protocol, message = draw(transports(ends))
    if draw(RARELY):
        message = message[: draw(st.integers(0, 24))]
    return draw(whole(ends, protocol, message))


@st.composite
def errors(draw: st.DrawFn, ends: Ends, quoted: Ends) -> bytes:
    """An ICMP error from `ends` about a packet of `quoted`, cut like routers cut it, perhaps with extensions."""
    quote = draw(plain(quoted))
    kinds = [1, 2, 3, 4] if ends.six else [3, 3, 3, 11, 12]
    kind = draw(
        st.one_of(st.sampled_from(kinds), st.sampled_from([0, 4, 5, 6, 100, 127]))
        if draw(RARELY)
        else st.sampled_from(kinds)
    )
    code = draw(st.sampled_from([0, 0, 1, 2, 3, 4, 4, 5, 9, 13, 15, 200]))
    word = draw(st.one_of(st.integers(0, 40), st.sampled_from([1280, 1400, 1500, 65535, 65544, 2**32 - 1])))
    if kind == 12:
        word = word % 24 << 24
    body = quote[: draw(st.one_of(st.integers(0, 60), st.sampled_from([128, 200, 548, 552, 1232, 2000])))]
    if draw(st.sampled_from([True, False])):
        body, word = draw(extended(body, word, six=ends.six))
    message = bytes([kind, code, 0, 0]) + word.to_bytes(4, "big") + body
    protocol = 58 if ends.six else 1
    message = _checked(ends, protocol, message, 2) if draw(LIKELY) else message
    return draw(whole(ends, protocol, message))


@st.composite
def extended(draw: st.DrawFn, body: bytes, word: int, *, six: bool) -> tuple[bytes, int]:
    """RFC 4884: the quote padded to words, perhaps not to 128 bytes; extensions, perhaps none; a length that may lie."""
    unit, shift = (8, 24) if six else (4, 16)
    least = draw(st.sampled_from([128, 128, 128, 0]))
    size = max(least, -(-len(body) // unit) * unit)
    length = size // unit if draw(LIKELY) else draw(BYTE)
    extensions = draw(st.sampled_from([0, 4, 12, 36, 100, 420, 424, 800, 1104, 1200])) + draw(
        st.sampled_from([0, 0, 1])
    )
    object_ = b"\x20\0\0\0" + _filler(extensions)
    return body.ljust(size, b"\0") + object_[:extensions], word & ~(0xFF << shift) & 0xFFFFFFFF | (
        length & 0xFF
    ) << shift


@st.composite
def mutated(draw: st.DrawFn, packets: st.SearchStrategy[bytes]) -> bytes:
    """Some bits of a packet flipped, perhaps its end lost; of the same family, and not shorter than its header."""
    data = bytearray(draw(packets))
    least = 40 if data[0] >> 4 == 6 else 20
    for at, bit in draw(st.lists(st.tuples(st.integers(0, 119), st.integers(0, 7)), max_size=4)):
        at = at % len(data)
        data[at] ^= 1 << bit
    data[0] = data[0] & 15 | (6 if least == 40 else 4) << 4
    if draw(RARELY):
        del data[draw(st.integers(least, max(least, len(data)))) :]
    return repaired(bytes(data))


def shapes(ends: st.SearchStrategy[Ends]) -> st.SearchStrategy[bytes]:
    """Plain packets and errors, most of these about packets of the same flow; as they should be and mutated."""
    plains = ends.flatmap(plain)
    about_own = ends.flatmap(lambda own: errors(own, own.turned))
    about_any = st.tuples(ends, ends).flatmap(lambda pair: errors(pair[0], pair[1].turned))
    sound = st.one_of(plains, plains, about_own, about_own, about_any)
    return st.one_of(sound, sound, mutated(sound))
