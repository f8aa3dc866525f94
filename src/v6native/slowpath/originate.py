# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Packets that BPF cannot originate, by the events that the translator tells (bpf/abi.h, struct slow_event). Pure.

The answer to a SYN that nobody came for, and the probe of a host whose TCP session expired (RFC 6146 §3.5.2.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address

from v6native.packet import (
    ACK,
    ICMP,
    TCP,
    TCP_HEADER,
    IcmpHeader,
    IPv4Packet,
    IPv6Packet,
    PacketError,
    checksum,
    parse_ipv4,
    pseudo_header,
)
from v6native.translate.rfc7915.answer import DIFFSERV, with_checksum
from v6native.translate.rfc7915.tables import UNREACHABLE4

PORT_UNREACHABLE = 3
# Older events are of a time when nobody was here: a late answer would only confuse.
STALE_SECONDS = 10.0
_TO_HOST = bytes.fromhex("026400000000 026400000064".replace(" ", ""))
_IPV4, _IPV6 = b"\x08\x00", b"\x86\xdd"


@dataclass(frozen=True, slots=True)
class StoredSyn:
    """The first bytes of a SYN from IPv4: its IP header and a TCP header without options."""

    packet: bytes


@dataclass(frozen=True, slots=True)
class Probe:
    """The ends of a session as the IPv6 host sees them: the remote host first."""

    source: IPv6Address
    source_port: int
    destination: IPv6Address
    destination_port: int


Event = StoredSyn | Probe


def frame(event: Event, random16: int) -> bytes | None:
    """The frame for the host's own stack; None where the event is damaged. `random16`: an IPv4 identification."""
    if isinstance(event, Probe):
        return _TO_HOST + _IPV6 + _probe(event)
    try:
        syn = parse_ipv4(event.packet, quoted=True)
    except PacketError:
        return None
    header = IcmpHeader(UNREACHABLE4, PORT_UNREACHABLE)
    icmp = with_checksum(header, event.packet, b"")
    answer = IPv4Packet(syn.destination, syn.source, ICMP, icmp, syn.tos & DIFFSERV, identification=random16)
    return _TO_HOST + _IPV4 + answer.to_bytes()


def _probe(probe: Probe) -> bytes:
    """A segment with no data, sequence and acknowledgment numbers zero, ACK alone set."""
    ports = probe.source_port.to_bytes(2, "big") + probe.destination_port.to_bytes(2, "big")
    header = ports + bytes(8) + bytes([TCP_HEADER << 2, ACK]) + bytes(6)
    pseudo = pseudo_header(probe.source, probe.destination, TCP, TCP_HEADER)
    segment = header[:16] + checksum(pseudo + header).to_bytes(2, "big") + header[18:]
    return IPv6Packet(probe.source, probe.destination, TCP, segment).to_bytes()
