# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Transport headers: reading the tuple, writing ports, identifiers and checksums (RFC 7915 §4.5, §5.5; RFC 6146 §3.4, §3.7).

Checksums are updated, not computed anew (RFC 1624): a fragment does not hold all the data, and a segment that was
damaged must not leave with a checksum that vouches for it.
"""

from __future__ import annotations

import struct

from v6native.packet import (
    ICMP,
    ICMP_HEADER,
    ICMPV6,
    TCP,
    TCP_HEADER,
    UDP,
    UDP_HEADER,
    Fault,
    IPv4Packet,
    IPv6Packet,
    PacketError,
    checksum,
    parse_tcp,
    parse_udp,
    pseudo_header,
    update_checksum,
)
from v6native.translate.flow import Flow4, Flow6, Part
from v6native.translate.reasons import Reason
from v6native.translate.verdict import Refused

_CHECKSUM_AT = {TCP: 16, UDP: 6}


def flow4(packet: IPv4Packet, *, quoted: bool = False) -> Flow4:
    """The tuple of an IPv4 packet."""
    sport, dport, flags = _ports(packet.protocol, packet, quoted)
    part = Part(packet.identification, packet.fragment_offset) if packet.is_fragment else None
    return Flow4(packet.protocol, packet.source, sport, packet.destination, dport, flags, part)


def flow6(packet: IPv6Packet, *, quoted: bool = False) -> Flow6:
    """The tuple of an IPv6 packet."""
    protocol = ICMP if packet.protocol == ICMPV6 else packet.protocol
    sport, dport, flags = _ports(protocol, packet, quoted)
    part = (
        Part(packet.fragment.identification, packet.fragment.offset) if packet.fragment and packet.is_fragment else None
    )
    return Flow6(protocol, packet.source, sport, packet.destination, dport, flags, part)


def _ports(protocol: int, packet: IPv4Packet | IPv6Packet, quoted: bool) -> tuple[int, int, int]:
    """Source port, destination port, TCP flags; eight bytes are enough of a quote (RFC 792)."""
    needs = {TCP: 8 if quoted else TCP_HEADER, UDP: UDP_HEADER, ICMP: ICMP_HEADER}.get(protocol)
    if needs is None or packet.fragment_offset:
        return 0, 0, 0
    data = packet.payload
    if len(data) < needs:
        if quoted:
            raise Refused(Reason.QUOTE_TOO_SHORT)
        raise Refused(Reason.FRAGMENT_TOO_SMALL if packet.is_fragment else Reason.TRUNCATED)
    if protocol == ICMP:
        identifier = int.from_bytes(data[4:6])
        return identifier, identifier, 0
    sport, dport = struct.unpack_from("!HH", data)
    flags = _tcp_flags(data) if protocol == TCP and not quoted else 0
    return sport, dport, flags


def _tcp_flags(data: bytes) -> int:
    try:
        return parse_tcp(data).flags
    except PacketError as error:
        raise Refused(Reason[error.fault.name]) from error


def has_udp_checksum(data: bytes) -> bool:
    return data[6:8] != b"\0\0"


def is_udp_length_right(data: bytes) -> bool:
    """Whether a whole datagram has the bytes that its own length field counts; a checksum needs to know."""
    return UDP_HEADER <= parse_udp(data).length <= len(data)


def with_udp_checksum(data: bytes, new: Flow6) -> bytes:
    """A whole UDP datagram that came without a checksum, with one (RFC 7915 §4.5 choice 2)."""
    length = parse_udp(data).length
    pseudo = pseudo_header(new.source, new.destination, UDP, length)
    return data[:6] + (checksum(pseudo + data[:length]) or 0xFFFF).to_bytes(2) + data[8:]


def rewrite(data: bytes, old: Flow4 | Flow6, new: Flow4 | Flow6) -> bytes:
    """TCP or UDP with the new ports and the checksum for them and the new addresses; other protocols as they are.

    A checksum that a quote has lost is not made up, and one of zero (none, in UDP) stays.
    """
    at = _CHECKSUM_AT.get(new.protocol)
    if at is None or (new.part and new.part.offset):
        return data
    out = struct.pack("!HH", new.source_port, new.destination_port) + data[4:]
    if len(data) < at + 2 or (new.protocol == UDP and not has_udp_checksum(data)):
        return out
    # The pseudo-headers' protocol and length are the same sum in both families.
    removed = old.source.packed + old.destination.packed + data[:4]
    added = new.source.packed + new.destination.packed + out[:4]
    check = update_checksum(int.from_bytes(data[at : at + 2]), removed, added)
    if new.protocol == UDP:
        check = check or 0xFFFF
    return out[:at] + check.to_bytes(2) + out[at + 2 :]


def rewrite_query(data: bytes, new_type: int, identifier: int, removed: bytes, added: bytes) -> bytes:
    """An echo message with a new type and identifier; `removed`, `added`: pseudo-headers, empty for ICMPv4."""
    out = bytes([new_type, data[1]]) + data[2:4] + identifier.to_bytes(2) + data[6:]
    check = int.from_bytes(data[2:4])
    check = update_checksum(check, removed + data[:2] + data[4:6], added + out[:2] + out[4:6])
    return out[:2] + check.to_bytes(2) + out[4:]


def fault_in_quote(error: PacketError) -> Refused:
    """The verdict on an ICMP error whose quoted packet cannot be read."""
    return Refused(Reason.BAD_HEADER if error.fault is Fault.BAD_HEADER else Reason.QUOTE_TOO_SHORT)
