# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A packet in one line, as a person reads it; of any bytes, broken ones too."""

from __future__ import annotations

from dataclasses import dataclass

from v6native.desired.state import AnyAddress
from v6native.packet import (
    ICMP,
    ICMPV6,
    TCP,
    UDP,
    IPv4Packet,
    IPv6Packet,
    PacketError,
    parse_icmp,
    parse_ipv4,
    parse_ipv6,
    parse_tcp,
    parse_udp,
)

# By the numbers of IANA's registries; a protocol without a name is told by its number.
PROTOCOLS = {ICMP: "ICMP", TCP: "TCP", UDP: "UDP", ICMPV6: "ICMPv6", 47: "GRE", 50: "ESP", 51: "AH", 132: "SCTP"}
_FLAGS = "FSRPAU"
_ICMP4 = {
    (0, 0): "echo reply", (8, 0): "echo request", (3, 0): "network unreachable", (3, 1): "host unreachable",
    (3, 2): "protocol unreachable", (3, 3): "port unreachable", (3, 4): "fragmentation needed",
    (3, 5): "source route failed", (3, 13): "administratively prohibited", (11, 0): "TTL exceeded",
    (11, 1): "reassembly time exceeded", (12, 0): "parameter problem",
}  # fmt: skip
_ICMP6 = {
    (128, 0): "echo request", (129, 0): "echo reply", (1, 0): "no route", (1, 1): "administratively prohibited",
    (1, 3): "address unreachable", (1, 4): "port unreachable", (2, 0): "packet too big", (3, 0): "hop limit exceeded",
    (3, 1): "reassembly time exceeded", (4, 0): "erroneous header field", (4, 1): "unrecognized next header",
}  # fmt: skip
# Types whose second word is an MTU (its low half in IPv4), and those that have an identifier.
_MTU4, _MTU6 = (3, 4), (2, 0)
_QUERIES = {ICMP: (0, 8), ICMPV6: (128, 129)}
_ERRORS4 = (3, 4, 5, 11, 12)


@dataclass(frozen=True, slots=True)
class Summary:
    """`ports` are of TCP and UDP, `what` is what else there is to say of the transport; `size` of the IP packet.

    `quoted` is of the packet in an ICMP error.
    """

    source: AnyAddress
    destination: AnyAddress
    protocol: str
    ports: tuple[int, int] | None
    what: str
    size: int
    hop_limit: int
    dont_fragment: bool | None
    fragment: str | None
    quoted: Summary | None

    @property
    def ends(self) -> str:
        """From where to where, with the ports that there are."""
        if self.ports is None:
            return f"{self.source} → {self.destination}"
        return f"{_end(self.source, self.ports[0])} → {_end(self.destination, self.ports[1])}"

    def __str__(self) -> str:
        transport = f"{self.protocol} {self.what}".rstrip()
        hops = "hop limit" if self.source.version == 6 else "TTL"
        parts = [f"{self.ends} {transport}", f"{self.size} bytes", f"{hops} {self.hop_limit}"]
        if self.dont_fragment is not None:
            parts.append("DF set" if self.dont_fragment else "DF clear")
        if self.fragment:
            parts.append(self.fragment)
        if self.quoted:
            quoted = f"{self.quoted.protocol} {self.quoted.what}".rstrip()
            parts.append(f"about {self.quoted.ends} {quoted}")
        return ", ".join(parts)


def summary(data: bytes, *, quoted: bool = False) -> Summary | None:
    """None where this is no IP packet with whole headers. A captured packet may be cut: `quoted` accepts that."""
    if not data:
        return None
    try:
        six = data[0] >> 4 == 6
        packet = parse_ipv6(data, quoted=quoted) if six else parse_ipv4(data, quoted=quoted)
    except PacketError:
        return None
    ports, what, inner = _transport(packet)
    head = 40 + sum(len(e.data) for e in packet.extensions) if isinstance(packet, IPv6Packet) else 20
    if isinstance(packet, IPv6Packet):
        head += 8 if packet.fragment else 0
    else:
        head += len(packet.options)
    return Summary(
        source=packet.source,
        destination=packet.destination,
        protocol=PROTOCOLS.get(packet.protocol, f"protocol {packet.protocol}"),
        ports=ports,
        what=what,
        size=head + packet.announced,
        hop_limit=packet.hop_limit if isinstance(packet, IPv6Packet) else packet.ttl,
        dont_fragment=packet.dont_fragment if isinstance(packet, IPv4Packet) else None,
        fragment=_fragment(packet),
        quoted=inner,
    )


def hexdump(data: bytes) -> str:
    """Sixteen bytes a line, two a group."""
    groups = [data[at : at + 2].hex() for at in range(0, len(data), 2)]
    return "\n".join(" ".join(groups[at : at + 8]) for at in range(0, len(groups), 8))


def _end(address: AnyAddress, port: int) -> str:
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"


def _fragment(packet: IPv4Packet | IPv6Packet) -> str | None:
    if not packet.is_fragment:
        return None
    more = (
        packet.more_fragments
        if isinstance(packet, IPv4Packet)
        else packet.fragment is not None and packet.fragment.more
    )
    return f"fragment at {packet.fragment_offset}" if more else f"last fragment, at {packet.fragment_offset}"


def _transport(packet: IPv4Packet | IPv6Packet) -> tuple[tuple[int, int] | None, str, Summary | None]:
    if packet.fragment_offset:
        return None, "", None
    try:
        if packet.protocol == TCP:
            tcp = parse_tcp(packet.payload)
            names = "".join(name for bit, name in enumerate(_FLAGS) if tcp.flags & 1 << bit)
            return (tcp.source_port, tcp.destination_port), names or "no flags", None
        if packet.protocol == UDP:
            udp = parse_udp(packet.payload)
            return (udp.source_port, udp.destination_port), "", None
        if packet.protocol in (ICMP, ICMPV6):
            return None, *_icmp(packet)
    except PacketError:
        # A quote may have eight bytes of TCP: its ports.
        if packet.protocol == TCP and len(packet.payload) >= 8:
            return (int.from_bytes(packet.payload[:2], "big"), int.from_bytes(packet.payload[2:4], "big")), "", None
    return None, "", None


def _icmp(packet: IPv4Packet | IPv6Packet) -> tuple[str, Summary | None]:
    icmp = parse_icmp(packet.payload)
    kind = (icmp.type, icmp.code)
    six = packet.protocol == ICMPV6
    names = _ICMP6 if six else _ICMP4
    name = names.get(kind, f"type {icmp.type} code {icmp.code}")
    if icmp.type in _QUERIES[packet.protocol]:
        return f"{name} identifier {icmp.rest >> 16}", None
    if kind == (_MTU6 if six else _MTU4):
        name += f", MTU {icmp.rest if six else icmp.rest & 0xFFFF}"
    error = icmp.type < 128 if six else icmp.type in _ERRORS4
    return name, summary(packet.payload[8:], quoted=True) if error else None
