# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""ICMP errors that the translator itself sends (RFC 7915 §4.4, §5.4), and refusals as verdicts.

RFC 7915 §5.4 would not answer any ICMPv6 message; only errors are left unanswered here (RFC 4443 §2.4 e), because
whoever pings a refused destination should learn that it is refused.
"""

from __future__ import annotations

from v6native.packet import (
    ACK,
    DSTOPTS,
    FIN,
    FRAGMENT,
    HOPOPTS,
    ICMP,
    ICMP_HEADER,
    ICMPV6,
    IPV4_HEADER,
    IPV6_HEADER,
    ROUTING,
    RST,
    SYN,
    TCP,
    TCP_HEADER,
    IcmpHeader,
    IPv4Packet,
    IPv6Packet,
    checksum,
    pseudo_header,
)
from v6native.translate.reasons import Kind, Reason
from v6native.translate.rfc7915.tables import LOWEST_MTU6, is_error4, is_error6
from v6native.translate.verdict import Answer, Answered, Dropped, Passed, Refused, Reset, Result, Settings, Slow

DIFFSERV = 0xFC
"""An answer has the refused packet's class, without its ECN bits (RFC 5508 §7.7)."""

ICMP_LIMIT = 576
"""Bytes of an ICMP error at most (RFC 1812 §4.3.2.3)."""

MAX_EXTENSION_HEADERS = 6
"""As many as RFC 8200 §4.1 lists; the BPF program's loop ends there too."""

UNREAD = frozenset({HOPOPTS, ROUTING, FRAGMENT, DSTOPTS})

ICMPV6_LIMIT = LOWEST_MTU6
"""Bytes of an ICMPv6 error at most (RFC 4443 §2.4 c)."""


def verdict(data: bytes, packet: IPv4Packet | IPv6Packet, refused: Refused, settings: Settings) -> Result:
    """What a refusal of `packet`, whose bytes are `data`, comes to."""
    match refused.reason.kind:
        case Kind.PASS:
            return Passed(_once_more(data, packet, refused.reason), refused.reason)
        case Kind.SLOW:
            return Slow(data, refused.reason)
        case Kind.ANSWERED if isinstance(refused.answer, Reset):
            reset = _reset(data, packet)
            return Answered(reset, refused.reason) if reset else Dropped(refused.reason)
        case Kind.ANSWERED if isinstance(refused.answer, Answer) and answerable(packet):
            return Answered(_error(data, packet, refused.answer, settings), refused.reason)
    return Dropped(refused.reason)


def _once_more(data: bytes, packet: IPv4Packet | IPv6Packet, reason: Reason) -> bytes:
    """What the kernel shall fragment is routed once more for that, so its TTL is raised once more."""
    if reason is not Reason.REFRAGMENT or not isinstance(packet, IPv4Packet):
        return data
    size = IPV4_HEADER + len(packet.options)
    header = data[:8] + bytes([packet.ttl + 1, packet.protocol]) + b"\0\0" + data[12:size]
    return header[:10] + checksum(header).to_bytes(2) + header[12:] + data[size : size + len(packet.payload)]


def answerable(packet: IPv4Packet | IPv6Packet) -> bool:
    """Not an ICMP error, nor what may be one: a later fragment, a chain of headers that was not read to its end
    (RFC 1122 §3.2.2, RFC 4443 §2.4 e)."""
    if packet.fragment_offset:
        return False
    if isinstance(packet, IPv4Packet):
        return packet.protocol != ICMP or (bool(packet.payload) and not is_error4(packet.payload[0]))
    if packet.protocol in UNREAD or len(packet.extensions) + (packet.fragment is not None) > MAX_EXTENSION_HEADERS:
        return False
    return packet.protocol != ICMPV6 or (bool(packet.payload) and not is_error6(packet.payload[0]))


def _error(data: bytes, packet: IPv4Packet | IPv6Packet, answer: Answer, settings: Settings) -> bytes:
    header = IcmpHeader(answer.type, answer.code, rest=answer.rest)
    if isinstance(packet, IPv4Packet):
        body = data[: ICMP_LIMIT - IPV4_HEADER - ICMP_HEADER]
        icmp = with_checksum(header, body, b"")
        number = settings.identification
        tos = packet.tos & DIFFSERV
        return IPv4Packet(settings.icmp4_source, packet.source, ICMP, icmp, tos, identification=number).to_bytes()
    body = data[: ICMPV6_LIMIT - IPV6_HEADER - ICMP_HEADER]
    pseudo = pseudo_header(settings.icmp6_source, packet.source, ICMPV6, ICMP_HEADER + len(body))
    icmp = with_checksum(header, body, pseudo)
    traffic_class = packet.traffic_class & DIFFSERV
    return IPv6Packet(settings.icmp6_source, packet.source, ICMPV6, icmp, traffic_class).to_bytes()


def _reset(data: bytes, packet: IPv4Packet | IPv6Packet) -> bytes | None:
    """The reset for a segment of no connection (RFC 9293 §3.5.2); None where the segment gets none.

    One with IP options or extension headers gets none either: the program answers in place.
    """
    segment = packet.payload
    plain = not packet.options if isinstance(packet, IPv4Packet) else data[6] == TCP
    if packet.is_fragment or not plain or len(segment) < TCP_HEADER or segment[13] & RST:
        return None
    flags, offset = segment[13], (segment[12] >> 4) * 4
    if flags & ACK:
        numbers, answer = segment[8:12] + bytes(4), RST
    else:
        length = len(segment) - offset + bool(flags & SYN) + bool(flags & FIN)
        next_byte = int.from_bytes(segment[4:8], "big") + length & 0xFFFFFFFF
        numbers, answer = bytes(4) + next_byte.to_bytes(4, "big"), RST | ACK
    header = segment[2:4] + segment[0:2] + numbers + bytes([TCP_HEADER << 2, answer]) + bytes(6)
    pseudo = pseudo_header(packet.destination, packet.source, TCP, TCP_HEADER)
    payload = header[:16] + checksum(pseudo + header).to_bytes(2, "big") + header[18:]
    if isinstance(packet, IPv4Packet):
        return IPv4Packet(packet.destination, packet.source, TCP, payload, dont_fragment=True).to_bytes()
    return IPv6Packet(packet.destination, packet.source, TCP, payload).to_bytes()


def with_checksum(header: IcmpHeader, body: bytes, pseudo: bytes) -> bytes:
    """A whole ICMP message; `pseudo` is the pseudo-header, empty for ICMPv4."""
    zero = IcmpHeader(header.type, header.code, 0, header.rest)
    check = checksum(pseudo + zero.to_bytes() + body)
    return IcmpHeader(header.type, header.code, check, header.rest).to_bytes() + body
