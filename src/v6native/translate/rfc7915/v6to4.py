# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Translating from IPv6 to IPv4 (RFC 7915 §5)."""

from __future__ import annotations

from v6native.packet import (
    AH,
    DSTOPTS,
    FRAGMENT,
    HOPOPTS,
    ICMP,
    ICMP_HEADER,
    ICMPV6,
    IPV4_HEADER,
    ROUTING,
    UDP,
    IcmpHeader,
    IPv4Packet,
    IPv6Packet,
    PacketError,
    checksum,
    parse_icmp,
    parse_ipv6,
    pseudo_header,
)
from v6native.translate.flow import Error6, Flow4, Flow6, Mapper
from v6native.translate.reasons import Reason
from v6native.translate.rfc7915 import rfc4884, tables, transport
from v6native.translate.rfc7915.answer import ICMP_LIMIT, MAX_EXTENSION_HEADERS, verdict, with_checksum
from v6native.translate.verdict import Answer, Arrival, Dropped, Passed, Refused, Result, Settings, Translated

MAX_TOTAL_LENGTH = 0xFFFF
DF_ABOVE = tables.LOWEST_MTU6 - tables.HEADER_DIFFERENCE  # RFC 7915 §5: 1260
_EXTENSIONS = frozenset({HOPOPTS, ROUTING, FRAGMENT, DSTOPTS, AH})


def translate_6to4(data: bytes, mapper: Mapper, settings: Settings, arrival: Arrival = Arrival.FRESH) -> Result:
    """One IPv6 packet, whole or a fragment, as IPv4. Any bytes are allowed; nothing is raised."""
    if not data or data[0] >> 4 != 6:
        return Passed(data, Reason.PASS_NOT_IP)
    try:
        packet = parse_ipv6(data)
    except PacketError as error:
        return Dropped(Reason[error.fault.name])
    try:
        _check(packet, mapper)
        if _is_error(packet):
            return Translated(_error(packet, mapper, settings).to_bytes(), Reason.TRANSLATED_6TO4)
        return Translated(_packet(packet, mapper, settings, arrival).to_bytes(), Reason.TRANSLATED_6TO4)
    except Refused as refused:
        return verdict(data, packet, refused, settings)


def _check(packet: IPv6Packet, mapper: Mapper) -> None:
    """Refuses what is not translated whatever the transport says (§1.2, §5.1, §5.1.1)."""
    source = packet.source
    if packet.destination.is_multicast:
        raise Refused(Reason.PASS_MULTICAST)
    if source.is_unspecified or source.is_loopback or source.is_multicast or source.is_link_local:
        raise Refused(Reason.BAD_SOURCE)
    mapper.admit_6to4(source, packet.destination, error=_is_error(packet))
    _check_chain(packet)
    for extension in packet.extensions:
        if extension.kind == ROUTING and extension.data[3]:
            segments_left_at = extension.at + 3
            raise Refused(Reason.ROUTING_HEADER, Answer(tables.PARAMETER6, 0, segments_left_at))
    _check_payload(packet)


def _check_chain(packet: IPv6Packet) -> None:
    """Too many extension headers, or one where a fragment's data should begin (§5.1.1)."""
    if len(packet.extensions) + (packet.fragment is not None) > MAX_EXTENSION_HEADERS:
        raise Refused(Reason.EXTENSION_HEADERS)
    if packet.protocol == FRAGMENT or (packet.is_fragment and packet.protocol in _EXTENSIONS):
        raise Refused(Reason.EXTENSION_HEADERS)


def _check_payload(packet: IPv6Packet) -> None:
    # A raw ICMPv4 message would be taken for a translated one.
    if packet.protocol == ICMP:
        raise Refused(Reason.UNKNOWN_PROTOCOL, Answer(tables.UNREACHABLE6, 4))
    # An IPv6 packet can be 20 bytes longer than IPv4's total length can say.
    if IPV4_HEADER + packet.announced + packet.fragment_offset > MAX_TOTAL_LENGTH:
        raise Refused(Reason.BAD_HEADER)


def _is_error(packet: IPv6Packet) -> bool:
    if packet.protocol != ICMPV6 or packet.is_fragment:
        return False
    return not packet.payload or tables.is_error6(packet.payload[0])


def _is_query(packet: IPv6Packet) -> bool:
    return tables.is_query(tables.QUERY_6TO4, packet.payload)


def _packet(packet: IPv6Packet, mapper: Mapper, settings: Settings, arrival: Arrival) -> IPv4Packet:
    """Anything but an ICMPv6 error."""
    flow = transport.flow6(packet)
    if packet.protocol == ICMPV6 and not packet.fragment_offset and not _is_query(packet):
        raise Refused(Reason.UNKNOWN_ICMP)
    if packet.protocol == ICMPV6 and packet.is_fragment:
        mapper.check_6to4(flow)
        mapper.slow_6to4(flow, Reason.SLOW_FRAGMENTED_ICMP)
        raise Refused(Reason.SLOW_FRAGMENTED_ICMP)
    if packet.protocol == UDP and not packet.fragment_offset and not transport.has_udp_checksum(packet.payload):
        raise Refused(Reason.UDP_NO_CHECKSUM)
    out = mapper.flow_6to4(flow)
    ttl = min(packet.hop_limit + 1, 255)  # the kernel decrements on both sides, and a node is one hop
    tos = _tos(packet, settings)
    return _header(packet, out, _payload(packet, flow, out), ttl, tos, settings.identification, arrival)


def _tos(packet: IPv6Packet, settings: Settings) -> int:
    return packet.traffic_class if settings.tos is None else settings.tos


def _header(
    packet: IPv6Packet, out: Flow4, payload: bytes, ttl: int, tos: int, identification: int, arrival: Arrival
) -> IPv4Packet:
    """The IPv4 header (§5.1), or that of a fragment (§5.1.1)."""
    fragment = packet.fragment
    total = IPV4_HEADER + packet.announced
    # What the slow path reassembled came in fragments, so routers may fragment it again.
    may_fragment = fragment is not None or arrival is Arrival.REASSEMBLED or total <= DF_ABOVE
    # RFC 6864: what cannot be fragmented needs no identification.
    generated = identification if may_fragment else 0
    return IPv4Packet(
        source=out.source,
        destination=out.destination,
        protocol=ICMP if packet.protocol == ICMPV6 else packet.protocol,
        payload=payload,
        tos=tos,
        ttl=ttl,
        identification=fragment.identification & 0xFFFF if fragment else generated,
        dont_fragment=not may_fragment,
        more_fragments=fragment.more if fragment else False,
        fragment_offset=packet.fragment_offset,
        cut=packet.cut,
    )


def _payload(packet: IPv6Packet, flow: Flow6, out: Flow4) -> bytes:
    """The transport header for the outgoing tuple (§5.5); echo messages lose the pseudo-header (§5.2)."""
    if packet.protocol != ICMPV6 or packet.fragment_offset:
        return transport.rewrite(packet.payload, flow, out)
    new_type = tables.QUERY_6TO4[packet.payload[0]]
    pseudo = pseudo_header(packet.source, packet.destination, ICMPV6, packet.announced)
    return transport.rewrite_query(packet.payload, new_type, out.source_port, pseudo, b"")


def _error(packet: IPv6Packet, mapper: Mapper, settings: Settings) -> IPv4Packet:
    """An ICMPv6 error with the packet it quotes (§5.2, §5.3)."""
    data = packet.payload
    if len(data) < ICMP_HEADER:
        raise Refused(Reason.TRUNCATED)
    pseudo = pseudo_header(packet.source, packet.destination, ICMPV6, packet.announced)
    if checksum(pseudo + data) != 0:
        raise Refused(Reason.BAD_CHECKSUM)
    icmp = parse_icmp(data)
    length = icmp.rest >> 24 if icmp.type in tables.EXTENSIBLE6 else 0
    body, extensions = rfc4884.split(data[ICMP_HEADER:], length, rfc4884.WORD6)
    quoted = _quoted(body)
    flow = transport.flow6(quoted, quoted=True)
    out = mapper.error_6to4(Error6(packet.source, packet.destination, flow))
    row = tables.look_up(tables.ERROR_6TO4, icmp.type, icmp.code)
    if row is None:
        raise Refused(Reason.UNKNOWN_ICMP)
    payload = _payload(quoted, flow, out.quoted)
    inner = _header(quoted, out.quoted, payload, quoted.hop_limit, quoted.traffic_class, 0, Arrival.FRESH)
    new_type, new_code, rest = row
    room = ICMP_LIMIT - IPV4_HEADER - ICMP_HEADER
    kept = extensions if new_type in tables.EXTENSIBLE4 else b""
    new_body, new_length = rfc4884.join(inner.to_bytes(), kept, rfc4884.WORD4, room)
    word = _second_word(rest, icmp, quoted, settings) | new_length << 16
    return IPv4Packet(
        source=out.source,
        destination=out.destination,
        protocol=ICMP,
        payload=with_checksum(IcmpHeader(new_type, new_code, rest=word), new_body, b""),
        tos=_tos(packet, settings),
        ttl=min(packet.hop_limit + 1, 255),
        identification=settings.identification,
    )


def _quoted(body: bytes) -> IPv6Packet:
    try:
        quoted = parse_ipv6(body, quoted=True)
    except PacketError as error:
        raise transport.fault_in_quote(error) from error
    _check_chain(quoted)
    _check_payload(quoted)
    if quoted.protocol == ICMPV6 and not quoted.fragment_offset and len(quoted.payload) >= ICMP_HEADER:
        if tables.is_error6(quoted.payload[0]):
            raise Refused(Reason.QUOTE_IS_ERROR)
        if not _is_query(quoted):
            raise Refused(Reason.UNKNOWN_ICMP)
    return quoted


def _second_word(rest: tables.Rest, icmp: IcmpHeader, quoted: IPv6Packet, settings: Settings) -> int:
    match rest:
        case tables.Rest.MTU:
            mtu6, mtu4 = settings.next_hop_mtu6, settings.next_hop_mtu4
            return tables.mtu_6to4(icmp.rest, quoted.fragment is not None, mtu6, mtu4)
        case tables.Rest.POINTER:
            pointer = tables.POINTER_6TO4.get(icmp.rest)
            if pointer is None:
                raise Refused(Reason.UNKNOWN_ICMP)
            return pointer << 24
    return 0
