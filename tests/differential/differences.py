# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Where TAYGA does something else than we do, each case by a name that docs/rfc-compliance/tayga.md explains.

`explain` gives the names for one case: none where both agree, and fails where no listed difference covers it. A
difference asks what the given packet has in it, not only what came out: else it would cover mistakes of ours as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.properties.oracle import canonical, is_intact
from v6native.packet import (
    AH,
    DSTOPTS,
    FRAGMENT,
    HOPOPTS,
    ICMP,
    ICMP_HEADER,
    ICMPV6,
    IGMP,
    ROUTING,
    TCP,
    UDP,
    IPv4Packet,
    IPv6Packet,
    PacketError,
    checksum,
    parse_ipv4,
    parse_ipv6,
)
from v6native.translate.reasons import Kind, Reason
from v6native.translate.rfc7915.tables import is_error4, is_error6

IP = IPv4Packet | IPv6Packet
HOPS = 2
"""TAYGA takes one of the hop limit; our program adds one, because the kernel takes two."""


@dataclass(frozen=True, slots=True)
class Case:
    """`given` in order; what either made of it; our verdicts."""

    given: list[bytes]
    ours: list[bytes]
    theirs: list[bytes]
    verdicts: list[Reason]

    @property
    def packet(self) -> IP:
        """The first one, read as far as it can be."""
        return read(self.given[0])

    @property
    def readable(self) -> bool:
        try:
            return self.packet is not None
        except PacketError:
            return False

    @property
    def quoted(self) -> IP | None:
        """What an ICMP error quotes."""
        packet = self.packet
        if not is_error(packet) or len(packet.payload) < ICMP_HEADER:
            return None
        try:
            return read(packet.payload[ICMP_HEADER:], quoted=True)
        except PacketError:
            return None

    @property
    def either(self) -> list[IP]:
        """The packet, and the quoted one."""
        return [self.packet, *([self.quoted] if self.quoted else [])]

    @property
    def we_refused(self) -> bool:
        return self.verdicts[-1].kind in (Kind.DROP, Kind.ANSWERED)


def read(data: bytes, *, quoted: bool = False) -> IP:
    return parse_ipv6(data, quoted=quoted) if data[0] >> 4 == 6 else parse_ipv4(data, quoted=quoted)


def is_error(packet: IP) -> bool:
    if packet.fragment_offset or not packet.payload:
        return False
    if isinstance(packet, IPv4Packet):
        return packet.protocol == ICMP and is_error4(packet.payload[0])
    return packet.protocol == ICMPV6 and is_error6(packet.payload[0])


def is_icmp(packet: IP) -> bool:
    return packet.protocol == (ICMP if isinstance(packet, IPv4Packet) else ICMPV6)


def explain(case: Case) -> set[str]:
    """Names of the differences that this case shows. AssertionError where it shows one that is not listed."""
    seen: set[str] = set()
    theirs = case.theirs
    if case.theirs and not is_own(case, case.theirs[0]):
        theirs = [with_hops(packet, HOPS) for packet in case.theirs]
        seen.add("hops")
    ours, others = [same(p) for p in case.ours], [same(p) for p in theirs]
    if ours == others:
        return seen
    if [softer(p) for p in ours] == [softer(p) for p in others]:
        return seen | {"df-below-1261"}
    if not case.readable:
        # Its headers say more than is there.
        assert case.verdicts[-1] in (Reason.TRUNCATED, Reason.EXTENSION_HEADERS), _told(case)
        return seen | {"malformed"}
    for name, covers in DIFFERENCES.items():
        if covers(case):
            return seen | {name}
    raise AssertionError(f"a difference that no row of docs/rfc-compliance/tayga.md covers\n{_told(case)}")


def _told(case: Case) -> str:
    verdicts = ", ".join(verdict.name for verdict in case.verdicts)
    return f"given {_hex(case.given)}\nours {_hex(case.ours)} ({verdicts})\nTAYGA's {_hex(case.theirs)}"


def is_own(case: Case, packet: bytes) -> bool:
    """An ICMP error that a translator made itself is of the family of what it was given."""
    return packet[0] >> 4 == case.given[0][0] >> 4


def same(packet: bytes) -> bytes:
    """Without what is free; of what a translator made wrong, with a word that says so."""
    try:
        return canonical(packet, quoted=False)
    except AssertionError:
        return b"wrong" + packet


def with_hops(packet: bytes, more: int) -> bytes:
    data = bytearray(packet)
    if data[0] >> 4 == 6:
        data[7] = data[7] + more & 0xFF
        return bytes(data)
    data[8] = data[8] + more & 0xFF
    size = (data[0] & 15) * 4
    data[10:12] = b"\0\0"
    data[10:12] = checksum(bytes(data[:size])).to_bytes(2, "big")
    return bytes(data)


def softer(packet: bytes) -> bytes:
    """A canonical packet without DF and identification in IPv4 headers of whole packets, quoted ones too."""
    if packet[0] >> 4 != 4 or len(packet) < 20:
        return packet
    data = bytearray(packet)
    if int.from_bytes(data[6:8], "big") & 0x3FFF == 0:
        data[4:8] = bytes(4)
    data[10:12] = b"\0\0"
    if data[9] == ICMP and len(data) >= 48 and is_error4(data[20]):
        quote = softer(bytes(data[28:]))
        data[28:] = quote
    return bytes(data)


def _hex(packets: list[bytes]) -> str:
    return " | ".join(packet.hex() for packet in packets) or "nothing"


def _refused(*reasons: Reason) -> Callable[[Case], bool]:
    return lambda case: case.we_refused and case.verdicts[-1] in reasons


def _has_icmp_checksum(case: Case) -> bool:
    """Wrong in a query: ours stays wrong, they drop it."""
    packet = case.packet
    return is_icmp(packet) and not is_error(packet) and not case.theirs and not all(map(is_intact, case.given))


def _has_tiny_mtu(case: Case) -> bool:
    """Less than every IPv4 link carries."""
    packet = case.packet
    if not is_error(packet):
        return False
    word = int.from_bytes(packet.payload[4:8])
    if isinstance(packet, IPv6Packet):
        return packet.payload[0] == 2 and not case.theirs and word < 68 + 20
    return packet.payload[:2] == b"\3\4" and 0 < word & 0xFFFF < 68


def _quotes_fragment(case: Case) -> bool:
    quoted = case.quoted
    return quoted is not None and not case.theirs and quoted.is_fragment


def _quotes_reply(case: Case) -> bool:
    quoted = case.quoted
    return quoted is not None and not case.theirs and is_icmp(quoted) and quoted.payload[:1] in (b"\0", b"\x81")


def _has_short_quote(case: Case) -> bool:
    """The quoted TCP header is not whole, as routers of old cut it."""
    quoted = case.quoted
    return quoted is not None and not case.theirs and quoted.protocol == TCP and len(quoted.payload) < 20


def _is_parameter_problem(case: Case) -> bool:
    kind = 12 if isinstance(case.packet, IPv4Packet) else 4
    return not case.theirs and is_error(case.packet) and case.packet.payload[0] == kind


def _has_no_checksum(packet: IP) -> bool:
    return packet.protocol == UDP and not packet.fragment_offset and packet.payload[6:8] == b"\0\0"


def _has_udp0(case: Case) -> bool:
    """In a quote too, where ours leaves it as it is."""
    return not case.theirs and any(_has_no_checksum(p) for p in case.either)


def _has_odd_fragment(case: Case) -> bool:
    """One that is not the last and no multiple of eight bytes, or has nothing in it."""
    return not case.theirs and any(
        (p.is_fragment and (not p.payload or (_more(p) and len(p.payload) % 8 != 0))) or _beyond(p)
        for p in map(read, case.given)
    )


def _more(packet: IP) -> bool:
    if isinstance(packet, IPv4Packet):
        return packet.more_fragments
    return packet.fragment is not None and packet.fragment.more


def _beyond(packet: IP) -> bool:
    return packet.fragment_offset + len(packet.payload) + 20 > 0xFFFF


def _has_options_and_is_cut(case: Case) -> bool:
    packet = case.packet
    return isinstance(packet, IPv4Packet) and bool(packet.options) and len(case.ours) > 1


def _has_extensions(case: Case) -> bool:
    """The length attribute of RFC 4884 is set."""
    packet = case.packet
    if not is_error(packet) or len(packet.payload) < ICMP_HEADER:
        return False
    kind, at = packet.payload[0], 5 if isinstance(packet, IPv4Packet) else 4
    extensible = (3, 11, 12) if isinstance(packet, IPv4Packet) else (1, 3)
    return kind in extensible and packet.payload[at] != 0


def _quotes_fragment4(case: Case) -> bool:
    return isinstance(case.quoted, IPv4Packet) and case.quoted.is_fragment


def _quotes_fragment6(case: Case) -> bool:
    quoted = case.quoted
    return isinstance(quoted, IPv6Packet) and quoted.fragment is not None and case.packet.payload[0] == 2


def _has_no_transport(case: Case) -> bool:
    """A number that is a header of the other family's own."""
    numbers = {4: {HOPOPTS, ROUTING, FRAGMENT, DSTOPTS, ICMPV6}, 6: {ICMP}}
    return _refused(Reason.UNKNOWN_PROTOCOL)(case) and any(
        p.protocol in numbers[4 if isinstance(p, IPv4Packet) else 6] for p in case.either
    )


def _is_igmp(case: Case) -> bool:
    return _refused(Reason.UNKNOWN_ICMP)(case) and case.packet.protocol == IGMP


def _has_source_route(case: Case) -> bool:
    packet = case.packet
    return (
        _refused(Reason.SOURCE_ROUTE)(case)
        and isinstance(packet, IPv4Packet)
        and any(kind in packet.options for kind in (131, 137))
    )


def _has_segments_left(case: Case) -> bool:
    packet = case.packet
    return (
        _refused(Reason.ROUTING_HEADER)(case)
        and isinstance(packet, IPv6Packet)
        and any(e.kind == ROUTING and e.data[3] for e in packet.extensions)
    )


def _has_headers_in_fragment(case: Case) -> bool:
    numbers = {HOPOPTS, ROUTING, FRAGMENT, DSTOPTS, AH}
    return _refused(Reason.EXTENSION_HEADERS)(case) and any(
        isinstance(p, IPv6Packet) and (p.protocol in numbers or len(p.extensions) > 5) for p in case.either
    )


def _has_headers_behind_atomic(case: Case) -> bool:
    """TAYGA takes a Fragment header for the last one; ours goes on where nothing was fragmented."""
    return any(
        isinstance(p, IPv6Packet)
        and p.fragment is not None
        and not p.is_fragment
        and p.fragment.next_header != p.protocol
        for p in case.either
    )


def _is_malformed(case: Case) -> bool:
    def bad(p: IP) -> bool:
        tcp = p.protocol == TCP and not p.fragment_offset and len(p.payload) > 12 and p.payload[12] >> 4 < 5
        return tcp or _beyond(p) or (isinstance(p, IPv4Packet) and bool(p.options)) or _has_no_checksum(p)

    if _refused(Reason.QUOTE_TOO_SHORT)(case):
        return case.quoted is None
    return _refused(Reason.BAD_HEADER)(case) and any(bad(p) for p in case.either)


def _is_address_unreachable(case: Case) -> bool:
    packet = case.packet
    return isinstance(packet, IPv6Packet) and is_error(packet) and not case.theirs and packet.payload[:2] == b"\1\3"


def _is_unmapped(case: Case) -> bool:
    return _refused(Reason.NO_MAPPING, Reason.SOURCE_NOT_ALLOWED)(case)


# The first that covers a case is its name: refusals first, since a refused packet may have other oddities too.
DIFFERENCES: dict[str, Callable[[Case], bool]] = {
    "protocol-numbers": _has_no_transport,
    "igmp": _is_igmp,
    "source-route": _has_source_route,
    "segments-left": _has_segments_left,
    "headers-in-fragments": _has_headers_in_fragment,
    "malformed": _is_malformed,
    "unmapped": _is_unmapped,
    "tiny-mtu": _has_tiny_mtu,
    "address-unreachable": _is_address_unreachable,
    "fragment-quoted": _quotes_fragment,
    "quoted-reply": _quotes_reply,
    "short-quote": _has_short_quote,
    "parameter-problem": _is_parameter_problem,
    "icmp-checksum": _has_icmp_checksum,
    "udp-no-checksum": _has_udp0,
    "odd-fragments": _has_odd_fragment,
    "headers-behind-atomic": _has_headers_behind_atomic,
    "extended-errors": _has_extensions,
    "fragment-in-quote": _quotes_fragment4,
    "fragment-mtu": _quotes_fragment6,
    "options-and-fragments": _has_options_and_is_cut,
}
NAMES = ("hops", "df-below-1261", "own-hop", *DIFFERENCES)
