# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Packets for the bench, made and read with scapy, which knows nothing of our code."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Packet, Raw

from tests.packets.harness import CLIENT4, CLIENT6, PHONE, POOL, PREF64, SERVER
from v6native.address import embed

ECHO6, ECHO_REPLY6, ECHO4, ECHO_REPLY4 = 128, 129, 8, 0
PAYLOAD = bytes(range(48))


def server6(pref64: IPv6Network = PREF64, server: IPv4Address = SERVER) -> str:
    return str(embed(pref64, server))


def ip6(src: IPv6Address | str = PHONE, dst: IPv6Address | str | None = None, **fields: Any) -> Packet:
    return IPv6(src=str(src), dst=str(dst or server6()), **{"hlim": 63, **fields})


def ip4(src: IPv4Address | str = SERVER, dst: IPv4Address | str = POOL, **fields: Any) -> Packet:
    return IP(src=str(src), dst=str(dst), **{"ttl": 61, "id": 0, "flags": "DF", **fields})


def icmp6(type_: int, code: int = 0, rest: int = 0, data: bytes = b"") -> Packet:
    """An ICMPv6 message by its numbers; the checksum is left to `wire`."""
    return Raw(bytes([type_, code, 0, 0]) + rest.to_bytes(4, "big") + data)


def echo6(type_: int = ECHO6, identifier: int = 7, sequence: int = 1, data: bytes = PAYLOAD) -> Packet:
    return icmp6(type_, 0, identifier << 16 | sequence, data)


def icmp4(type_: int, code: int = 0, rest: int = 0, data: bytes = b"") -> Packet:
    return icmp6(type_, code, rest, data)


def echo4(type_: int = ECHO_REPLY4, identifier: int = 7, sequence: int = 1, data: bytes = PAYLOAD) -> Packet:
    return icmp4(type_, 0, identifier << 16 | sequence, data)


def wire(packet: Packet) -> bytes:
    """The bytes with lengths and every checksum right, those of `icmp6` and `icmp4` too."""
    built = bytearray(bytes(packet))
    if packet.payload.__class__ is not Raw:
        return bytes(built)
    six = built[0] >> 4 == 6
    start = 40 if six else 20
    built[6 if six else 9] = 58 if six else 1
    pseudo = bytes(built[8:40]) + (len(built) - 40).to_bytes(4, "big") + b"\0\0\0\x3a" if six else b""
    built[start + 2 : start + 4] = (0xFFFF - _sum16(pseudo + bytes(built[start:]))).to_bytes(2, "big")
    if not six:
        built[10:12] = b"\0\0"
        built[10:12] = (0xFFFF - _sum16(bytes(built[:20]))).to_bytes(2, "big")
    return bytes(built)


def _sum16(data: bytes) -> int:
    total = sum(int.from_bytes(data[i : i + 2].ljust(2, b"\0"), "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def assert_checksums(packet: bytes) -> None:
    """Every checksum of an unfragmented packet is right, by arithmetic of our own and nobody else's."""
    if packet[0] >> 4 == 4:
        header = (packet[0] & 15) * 4
        assert _sum16(packet[:header]) == 0xFFFF, "IPv4 header checksum"
        proto, src, dst, message = packet[9], packet[12:16], packet[16:20], packet[header:]
        pseudo = b"" if proto == 1 else src + dst + len(message).to_bytes(4, "big") + bytes([0, 0, 0, proto])
        if proto == 17 and message[6:8] == b"\0\0":
            return
    else:
        proto, message = packet[6], packet[40:]
        pseudo = packet[8:40] + len(message).to_bytes(4, "big") + bytes([0, 0, 0, proto])
    if proto in (1, 6, 17, 58):
        assert _sum16(pseudo + message) == 0xFFFF, f"checksum of protocol {proto}"


def tcp6(
    flags: str = "S",
    sport: int = 40000,
    dport: int = 80,
    data: bytes = b"",
    seq: int = 1000,
    ack: int = 0,
    **addresses: Any,
) -> bytes:
    return wire(ip6(**addresses) / TCP(sport=sport, dport=dport, flags=flags, seq=seq, ack=ack) / Raw(data))


def tcp4(
    dport: int,
    flags: str = "SA",
    sport: int = 80,
    data: bytes = b"",
    seq: int = 5000,
    ack: int = 1001,
    **fields: Any,
) -> bytes:
    return wire(ip4(**fields) / TCP(sport=sport, dport=dport, flags=flags, seq=seq, ack=ack) / Raw(data))


def udp6(sport: int = 40000, dport: int = 53, data: bytes = PAYLOAD, **addresses: Any) -> bytes:
    return wire(ip6(**addresses) / UDP(sport=sport, dport=dport) / Raw(data))


def udp4(dport: int, sport: int = 53, data: bytes = PAYLOAD, **fields: Any) -> bytes:
    return wire(ip4(**fields) / UDP(sport=sport, dport=dport) / Raw(data))


def clat4(payload: Packet, **fields: Any) -> bytes:
    """IPv4 of the tunnel client to the server, as it enters the CLAT."""
    return wire(ip4(src=CLIENT4, dst=SERVER, **fields) / payload)


def clat6(payload: Packet, **fields: Any) -> bytes:
    """IPv6 of the server to the tunnel client, as it comes back to the CLAT."""
    return wire(ip6(src=server6(), dst=CLIENT6, **fields) / payload)
