# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Bytes to headers and back: IPv4 (RFC 791), IPv6 with its extension headers (RFC 8200), TCP, UDP, ICMP, checksums (RFC 1071).

A codec only: it says what the bytes are, not whether anybody should forward them. A packet quoted in an ICMP error is
usually cut short; `quoted=True` accepts that, and `cut` says how many announced bytes are missing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Address, IPv6Address

HOPOPTS, ICMP, IGMP, TCP, UDP, ROUTING, FRAGMENT, ESP, AH, ICMPV6, DSTOPTS = 0, 1, 2, 6, 17, 43, 44, 50, 51, 58, 60

IPV4_HEADER = 20
IPV6_HEADER = 40
FRAGMENT_HEADER = 8
TCP_HEADER = 20
UDP_HEADER = 8
ICMP_HEADER = 8

FIN, SYN, RST, PSH, ACK, URG = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20

_DF, _MF, _OFFSET = 0x4000, 0x2000, 0x1FFF
_SKIPPED = frozenset({HOPOPTS, ROUTING, DSTOPTS})


class Fault(Enum):
    """Why bytes are not a packet."""

    TRUNCATED = "shorter than its headers say"
    BAD_HEADER = "a header field is invalid"
    BAD_CHECKSUM = "the IPv4 header's checksum is wrong"


class PacketError(ValueError):
    """Bytes that are not the packet they claim to be."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class IPv4Packet:
    """`fragment_offset` in bytes; `payload` follows the options; `cut`: announced bytes that are not there."""

    source: IPv4Address
    destination: IPv4Address
    protocol: int
    payload: bytes
    tos: int = 0
    ttl: int = 64
    identification: int = 0
    dont_fragment: bool = False
    more_fragments: bool = False
    fragment_offset: int = 0
    options: bytes = b""
    cut: int = 0

    @property
    def is_fragment(self) -> bool:
        return self.more_fragments or self.fragment_offset > 0

    @property
    def announced(self) -> int:
        """Payload bytes according to the header."""
        return len(self.payload) + self.cut

    def to_bytes(self) -> bytes:
        header_length = IPV4_HEADER + len(self.options)
        flags = _DF * self.dont_fragment | _MF * self.more_fragments | self.fragment_offset >> 3
        header = struct.pack(
            "!BBHHHBBH4s4s",
            4 << 4 | header_length >> 2,
            self.tos,
            header_length + self.announced,
            self.identification,
            flags,
            self.ttl,
            self.protocol,
            0,
            self.source.packed,
            self.destination.packed,
        )
        header += self.options
        return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + self.payload


@dataclass(frozen=True, slots=True)
class ExtensionHeader:
    """Hop-by-Hop, Routing or Destination Options; `data` is the whole header, its first byte the next header.

    `at`: how many bytes of the packet came before it, where it was read from one.
    """

    kind: int
    data: bytes
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class FragmentHeader:
    """RFC 8200 §4.5; `offset` in bytes; `next_header` is what it announced, set anew when a packet is built."""

    identification: int
    offset: int = 0
    more: bool = False
    next_header: int = 0


@dataclass(frozen=True, slots=True)
class IPv6Packet:
    """`protocol` is the last next header, `payload` what follows it; `extensions` come before `fragment`."""

    source: IPv6Address
    destination: IPv6Address
    protocol: int
    payload: bytes
    traffic_class: int = 0
    flow_label: int = 0
    hop_limit: int = 64
    extensions: tuple[ExtensionHeader, ...] = field(default=())
    fragment: FragmentHeader | None = None
    cut: int = 0

    @property
    def is_fragment(self) -> bool:
        """Whether this is a part of a datagram; an atomic fragment (RFC 6946) is a whole one."""
        return self.fragment is not None and (self.fragment.more or self.fragment.offset > 0)

    @property
    def fragment_offset(self) -> int:
        return self.fragment.offset if self.fragment else 0

    @property
    def announced(self) -> int:
        """Payload bytes according to the headers."""
        return len(self.payload) + self.cut

    def to_bytes(self) -> bytes:
        kinds = [extension.kind for extension in self.extensions]
        kinds += [FRAGMENT] if self.fragment else []
        kinds.append(self.protocol)
        chain = b"".join(
            bytes([following]) + extension.data[1:]
            for extension, following in zip(self.extensions, kinds[1:], strict=False)
        )
        if self.fragment:
            place = self.fragment.offset | self.fragment.more
            chain += struct.pack("!BBHI", self.protocol, 0, place, self.fragment.identification)
        first = 6 << 28 | self.traffic_class << 20 | self.flow_label
        length = len(chain) + self.announced
        header = struct.pack("!IHBB", first, length, kinds[0], self.hop_limit)
        return header + self.source.packed + self.destination.packed + chain + self.payload


@dataclass(frozen=True, slots=True)
class TcpHeader:
    source_port: int
    destination_port: int
    sequence: int = 0
    acknowledgment: int = 0
    flags: int = 0
    window: int = 0
    checksum: int = 0
    urgent: int = 0
    options: bytes = b""

    def to_bytes(self) -> bytes:
        offset = (TCP_HEADER + len(self.options)) >> 2 << 4
        ports = (self.source_port, self.destination_port)
        rest = (self.sequence, self.acknowledgment, offset, self.flags, self.window, self.checksum, self.urgent)
        return struct.pack("!HHIIBBHHH", *ports, *rest) + self.options


@dataclass(frozen=True, slots=True)
class UdpHeader:
    """`length` covers header and data."""

    source_port: int
    destination_port: int
    length: int
    checksum: int = 0

    def to_bytes(self) -> bytes:
        return struct.pack("!HHHH", self.source_port, self.destination_port, self.length, self.checksum)


@dataclass(frozen=True, slots=True)
class IcmpHeader:
    """ICMP and ICMPv6 alike; `rest` is the second word: identifier and sequence, MTU, pointer."""

    type: int
    code: int
    checksum: int = 0
    rest: int = 0

    def to_bytes(self) -> bytes:
        return struct.pack("!BBHI", self.type, self.code, self.checksum, self.rest)


def parse_ipv4(data: bytes, *, quoted: bool = False) -> IPv4Packet:
    """The IPv4 packet at the start of `data`; what follows its total length is left out. Raises PacketError."""
    if len(data) < IPV4_HEADER:
        raise PacketError(Fault.TRUNCATED)
    version_ihl, tos, total, identification, place, ttl, protocol, _ = struct.unpack_from("!BBHHHBBH", data)
    header_length = (version_ihl & 0xF) * 4
    if version_ihl >> 4 != 4 or header_length < IPV4_HEADER or total < header_length:
        raise PacketError(Fault.BAD_HEADER)
    if len(data) < (header_length if quoted else total):
        raise PacketError(Fault.TRUNCATED)
    # A quote's header may have been changed after its checksum was made, by the router that quotes it.
    if not quoted and checksum(data[:header_length]) != 0:
        raise PacketError(Fault.BAD_CHECKSUM)
    payload = data[header_length:total]
    return IPv4Packet(
        source=IPv4Address(data[12:16]),
        destination=IPv4Address(data[16:20]),
        protocol=protocol,
        payload=payload,
        tos=tos,
        ttl=ttl,
        identification=identification,
        dont_fragment=bool(place & _DF),
        more_fragments=bool(place & _MF),
        fragment_offset=(place & _OFFSET) << 3,
        options=data[IPV4_HEADER:header_length],
        cut=total - header_length - len(payload),
    )


def parse_ipv6(data: bytes, *, quoted: bool = False) -> IPv6Packet:
    """The IPv6 packet at the start of `data`; what follows its payload length is left out. Raises PacketError.

    The chain ends behind the Fragment header of a real fragment, and at a second Fragment header: `protocol` is then
    whatever was announced there.
    """
    if len(data) < IPV6_HEADER:
        raise PacketError(Fault.TRUNCATED)
    first, length, protocol, hop_limit = struct.unpack_from("!IHBB", data)
    if first >> 28 != 6:
        raise PacketError(Fault.BAD_HEADER)
    end = IPV6_HEADER + length
    if not quoted and len(data) < end:
        raise PacketError(Fault.TRUNCATED)
    rest = data[:end]
    extensions: list[ExtensionHeader] = []
    fragment: FragmentHeader | None = None
    at = IPV6_HEADER
    while protocol in _SKIPPED or (protocol == FRAGMENT and fragment is None):
        if len(rest) < at + 8:
            raise PacketError(Fault.TRUNCATED)
        if protocol == FRAGMENT:
            protocol, _, place, identification = struct.unpack_from("!BBHI", rest, at)
            fragment = FragmentHeader(identification, place & 0xFFF8, bool(place & 1), protocol)
            at += FRAGMENT_HEADER
            if fragment.offset or fragment.more:
                break
            continue
        size = (rest[at + 1] + 1) * 8
        if len(rest) < at + size:
            raise PacketError(Fault.TRUNCATED)
        extensions.append(ExtensionHeader(protocol, rest[at : at + size], at))
        protocol = rest[at]
        at += size
    payload = rest[at:]
    return IPv6Packet(
        source=IPv6Address(data[8:24]),
        destination=IPv6Address(data[24:40]),
        protocol=protocol,
        payload=payload,
        traffic_class=first >> 20 & 0xFF,
        flow_label=first & 0xFFFFF,
        hop_limit=hop_limit,
        extensions=tuple(extensions),
        fragment=fragment,
        cut=end - at - len(payload),
    )


def parse_tcp(data: bytes) -> TcpHeader:
    """The TCP header at the start of `data`. Raises PacketError."""
    if len(data) < TCP_HEADER:
        raise PacketError(Fault.TRUNCATED)
    sport, dport, sequence, acknowledgment, offset, flags, window, check, urgent = struct.unpack_from(
        "!HHIIBBHHH", data
    )
    length = (offset >> 4) * 4
    if length < TCP_HEADER:
        raise PacketError(Fault.BAD_HEADER)
    options = data[TCP_HEADER:length]
    return TcpHeader(sport, dport, sequence, acknowledgment, flags, window, check, urgent, options)


def parse_udp(data: bytes) -> UdpHeader:
    """The UDP header at the start of `data`. Raises PacketError."""
    if len(data) < UDP_HEADER:
        raise PacketError(Fault.TRUNCATED)
    return UdpHeader(*struct.unpack_from("!HHHH", data))


def parse_icmp(data: bytes) -> IcmpHeader:
    """The ICMP or ICMPv6 header at the start of `data`. Raises PacketError."""
    if len(data) < ICMP_HEADER:
        raise PacketError(Fault.TRUNCATED)
    return IcmpHeader(*struct.unpack_from("!BBHI", data))


def checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071) of `data`; zero over data that holds its own correct checksum."""
    return 0xFFFF - _folded(_word_sum(data))


def update_checksum(old: int, removed: bytes, added: bytes) -> int:
    """`old` after `removed` became `added` (RFC 1624 equation 3); a checksum that was wrong stays as wrong."""
    removed_complement = _folded(_word_sum(removed)) ^ 0xFFFF
    return 0xFFFF - _folded((old ^ 0xFFFF) + removed_complement + _word_sum(added))


def pseudo_header(
    source: IPv4Address | IPv6Address, destination: IPv4Address | IPv6Address, protocol: int, length: int
) -> bytes:
    """What a transport checksum covers of the IP header (RFC 9293 §3.1, RFC 8200 §8.1)."""
    if source.version == 4:
        return source.packed + destination.packed + struct.pack("!HH", protocol, length)
    return source.packed + destination.packed + struct.pack("!II", length, protocol)


def _word_sum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    return sum(struct.unpack(f"!{len(data) // 2}H", data))


def _folded(total: int) -> int:
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total
