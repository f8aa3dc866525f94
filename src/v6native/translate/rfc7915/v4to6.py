# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Translating from IPv4 to IPv6 (RFC 7915 §4)."""

from __future__ import annotations

from v6native.packet import (
    DSTOPTS,
    FRAGMENT,
    FRAGMENT_HEADER,
    HOPOPTS,
    ICMP,
    ICMP_HEADER,
    ICMPV6,
    IPV4_HEADER,
    IPV6_HEADER,
    ROUTING,
    UDP,
    FragmentHeader,
    IcmpHeader,
    IPv4Packet,
    IPv6Packet,
    PacketError,
    checksum,
    parse_icmp,
    parse_ipv4,
    pseudo_header,
)
from v6native.translate.flow import Error4, Flow4, Flow6, Mapper
from v6native.translate.reasons import Reason
from v6native.translate.rfc7915 import rfc4884, tables, transport
from v6native.translate.rfc7915.answer import ICMPV6_LIMIT, verdict, with_checksum
from v6native.translate.verdict import Answer, Arrival, Dropped, Passed, Refused, Result, Settings, Slow, Translated

SOURCE_ROUTE_FAILED = Answer(tables.UNREACHABLE4, 5)
PROTOCOL_UNREACHABLE = Answer(tables.UNREACHABLE4, 2)
_END, _NOP, _LSRR, _SSRR = 0, 1, 131, 137
# Numbers that IPv6 reads as headers of its own: copied, they would let an IPv4 sender write IPv6 extension headers and
# ICMPv6 messages that nobody translated. RFC 7915 §4.5 asks to forward transport protocols; these are none.
_NOT_TRANSPORTS = frozenset({HOPOPTS, ROUTING, FRAGMENT, DSTOPTS, ICMPV6})


def translate_4to6(data: bytes, mapper: Mapper, settings: Settings, arrival: Arrival = Arrival.FRESH) -> Result:
    """One IPv4 packet, whole or a fragment, as IPv6. Any bytes are allowed; nothing is raised."""
    if not data or data[0] >> 4 != 4:
        return Passed(data, Reason.PASS_NOT_IP)
    try:
        packet = parse_ipv4(data)
    except PacketError as error:
        return Dropped(Reason[error.fault.name])
    try:
        _check(packet)
        if _is_error(packet):
            return Translated(_error(packet, mapper, settings, arrival).to_bytes(), Reason.TRANSLATED_4TO6)
        translated = _packet(packet, mapper, settings, arrival).to_bytes()
    except Refused as refused:
        return verdict(data, packet, refused, settings)
    if _must_cut(packet, settings, arrival):
        return Slow(translated, Reason.SLOW_TOO_BIG)
    return Translated(translated, Reason.TRANSLATED_4TO6)


def _check(packet: IPv4Packet) -> None:
    """Refuses what is not translated whatever the mapping (§1.2, §4.1)."""
    if packet.destination.is_multicast:
        raise Refused(Reason.PASS_MULTICAST)
    # An ICMP error's source is translated even where it is illegal, for those who trace a route (§4.1).
    if not _is_error(packet) and _illegal(packet):
        raise Refused(Reason.BAD_SOURCE)
    if has_source_route(packet.options):
        raise Refused(Reason.SOURCE_ROUTE, SOURCE_ROUTE_FAILED)
    if packet.protocol in _NOT_TRANSPORTS:
        raise Refused(Reason.UNKNOWN_PROTOCOL, PROTOCOL_UNREACHABLE)


def _illegal(packet: IPv4Packet) -> bool:
    first = packet.source.packed[0]
    return first in (0, 127) or first >= 224


def has_source_route(options: bytes) -> bool:
    """Whether an unexpired source route is among the options: its pointer is not past its end (RFC 791 §3.1)."""
    at = 0
    while at < len(options) and options[at] != _END:
        if options[at] == _NOP:
            at += 1
            continue
        if at + 2 > len(options):
            return False
        length = options[at + 1]
        if length < 2:
            raise Refused(Reason.BAD_HEADER)
        if options[at] in (_LSRR, _SSRR) and at + 2 < len(options) and options[at + 2] <= length:
            return True
        at += length
    return False


def _is_error(packet: IPv4Packet) -> bool:
    if packet.protocol != ICMP or packet.is_fragment:
        return False
    return not packet.payload or tables.is_error4(packet.payload[0])


def _packet(packet: IPv4Packet, mapper: Mapper, settings: Settings, arrival: Arrival) -> IPv6Packet:
    """Anything but an ICMP error."""
    flow = transport.flow4(packet)
    first = not packet.fragment_offset
    if packet.protocol == ICMP and first and not tables.is_query(tables.QUERY_4TO6, packet.payload):
        raise Refused(Reason.UNKNOWN_ICMP)
    mapper.check_4to6(flow)
    without_checksum = packet.protocol == UDP and first and not transport.has_udp_checksum(packet.payload)
    if packet.is_fragment and (without_checksum or packet.protocol == ICMP):
        reason = Reason.SLOW_FRAGMENTED_UDP0 if without_checksum else Reason.SLOW_FRAGMENTED_ICMP
        if without_checksum and settings.drop_udp0:
            reason = Reason.UDP_NO_CHECKSUM
        mapper.slow_4to6(flow, reason)
        raise Refused(reason)
    if without_checksum and settings.drop_udp0:
        raise Refused(Reason.UDP_NO_CHECKSUM)
    if without_checksum and not transport.is_udp_length_right(packet.payload):
        raise Refused(Reason.BAD_HEADER)
    if arrival not in (Arrival.REASSEMBLED, Arrival.HAIRPIN_STATELESS) and _must_refragment(packet, settings, arrival):
        again = arrival is Arrival.REFRAGMENTED or packet.ttl == 255
        raise Refused(Reason.STILL_TOO_BIG if again else Reason.REFRAGMENT)
    out = mapper.flow_4to6(flow)
    payload = _payload(packet, flow, out)
    if without_checksum:
        payload = transport.with_udp_checksum(payload, out)
    return _header(packet, out, payload, _hop_limit(packet, arrival), _traffic_class(packet, settings))


def _must_refragment(packet: IPv4Packet, settings: Settings, arrival: Arrival) -> bool:
    """Whether the kernel must fragment the packet smaller before it is translated (§4.1). ICMP is cut afterwards.

    A fragment does not know how large the others of its datagram are: each goes once more through the kernel.
    """
    if packet.is_fragment:
        return (
            arrival is not Arrival.REFRAGMENTED
            or IPV6_HEADER + FRAGMENT_HEADER + packet.announced > settings.lowest_ipv6_mtu
        )
    if packet.dont_fragment or packet.protocol == ICMP:
        return False
    return IPV6_HEADER + packet.announced > settings.lowest_ipv6_mtu


def _must_cut(packet: IPv4Packet, settings: Settings, arrival: Arrival) -> bool:
    """Whether the slow path must cut the translated packet: in fragments before, its checksum could not be made."""
    if packet.is_fragment or IPV6_HEADER + packet.announced <= settings.lowest_ipv6_mtu:
        return False
    return arrival is Arrival.REASSEMBLED or (packet.protocol == ICMP and not packet.dont_fragment)


def _hop_limit(packet: IPv4Packet, arrival: Arrival) -> int:
    # The kernel decrements on both sides, and a node is one hop. A hairpinned packet got its addition on the way out.
    again = arrival in (Arrival.HAIRPIN, Arrival.HAIRPIN_STATELESS)
    return packet.ttl if again else min(packet.ttl + 1, 255)


def _traffic_class(packet: IPv4Packet, settings: Settings) -> int:
    return packet.tos if settings.traffic_class is None else settings.traffic_class


def _header(packet: IPv4Packet, out: Flow6, payload: bytes, hop_limit: int, traffic_class: int) -> IPv6Packet:
    """The IPv6 header, with a Fragment header only where the IPv4 packet is a fragment (§4.1)."""
    fragment = None
    if packet.is_fragment:
        fragment = FragmentHeader(packet.identification, packet.fragment_offset, packet.more_fragments)
    return IPv6Packet(
        source=out.source,
        destination=out.destination,
        protocol=ICMPV6 if packet.protocol == ICMP else packet.protocol,
        payload=payload,
        traffic_class=traffic_class,
        flow_label=0,
        hop_limit=hop_limit,
        fragment=fragment,
        cut=packet.cut,
    )


def _payload(packet: IPv4Packet, flow: Flow4, out: Flow6) -> bytes:
    """The transport header for the outgoing tuple (§4.5); echo messages gain the pseudo-header (§4.2)."""
    if packet.protocol != ICMP or packet.fragment_offset:
        return transport.rewrite(packet.payload, flow, out)
    new_type = tables.QUERY_4TO6[packet.payload[0]]
    pseudo = pseudo_header(out.source, out.destination, ICMPV6, packet.announced)
    return transport.rewrite_query(packet.payload, new_type, out.destination_port, b"", pseudo)


def _error(packet: IPv4Packet, mapper: Mapper, settings: Settings, arrival: Arrival) -> IPv6Packet:
    """An ICMP error with the packet it quotes (§4.2, §4.3)."""
    data = packet.payload
    if len(data) < ICMP_HEADER:
        raise Refused(Reason.TRUNCATED)
    if checksum(data) != 0:
        raise Refused(Reason.BAD_CHECKSUM)
    icmp = parse_icmp(data)
    length = icmp.rest >> 16 & 0xFF if icmp.type in tables.EXTENSIBLE4 else 0
    body, extensions = rfc4884.split(data[ICMP_HEADER:], length, rfc4884.WORD4)
    quoted = _quoted(body)
    flow = transport.flow4(quoted, quoted=True)
    out = mapper.error_4to6(Error4(packet.source, packet.destination, flow))
    row = tables.look_up(tables.ERROR_4TO6, icmp.type, icmp.code)
    if row is None:
        raise Refused(Reason.UNKNOWN_ICMP)
    inner = _header(quoted, out.quoted, _payload(quoted, flow, out.quoted), quoted.ttl, quoted.tos)
    new_type, new_code, rest = row
    room = ICMPV6_LIMIT - IPV6_HEADER - ICMP_HEADER
    kept = extensions if new_type in tables.EXTENSIBLE6 else b""
    new_body, new_length = rfc4884.join(inner.to_bytes(), kept, rfc4884.WORD6, room)
    header = IcmpHeader(new_type, new_code, rest=_second_word(rest, icmp, quoted, settings) | new_length << 24)
    pseudo = pseudo_header(out.source, out.destination, ICMPV6, ICMP_HEADER + len(new_body))
    return IPv6Packet(
        source=out.source,
        destination=out.destination,
        protocol=ICMPV6,
        payload=with_checksum(header, new_body, pseudo),
        traffic_class=_traffic_class(packet, settings),
        hop_limit=_hop_limit(packet, arrival),
    )


def _quoted(body: bytes) -> IPv4Packet:
    try:
        quoted = parse_ipv4(body, quoted=True)
    except PacketError as error:
        raise transport.fault_in_quote(error) from error
    if quoted.protocol in _NOT_TRANSPORTS:
        raise Refused(Reason.UNKNOWN_PROTOCOL)
    if quoted.protocol == ICMP and not quoted.fragment_offset and len(quoted.payload) >= ICMP_HEADER:
        if tables.is_error4(quoted.payload[0]):
            raise Refused(Reason.QUOTE_IS_ERROR)
        if not tables.is_query(tables.QUERY_4TO6, quoted.payload):
            raise Refused(Reason.UNKNOWN_ICMP)
    return quoted


def _second_word(rest: tables.Rest, icmp: IcmpHeader, quoted: IPv4Packet, settings: Settings) -> int:
    match rest:
        case tables.Rest.MTU:
            total = IPV4_HEADER + len(quoted.options) + quoted.announced
            mtu6, mtu4 = settings.next_hop_mtu6, settings.next_hop_mtu4
            return tables.mtu_4to6(icmp.rest & 0xFFFF, total, mtu6, mtu4)
        case tables.Rest.NEXT_HEADER:
            return tables.NEXT_HEADER_AT
        case tables.Rest.POINTER:
            pointer = tables.POINTER_4TO6.get(icmp.rest >> 24)
            if pointer is None:
                raise Refused(Reason.UNKNOWN_ICMP)
            return pointer
    return 0
