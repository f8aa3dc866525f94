# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Whole packets and their fragments, for the slow path's tests."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from v6native.packet import UDP, FragmentHeader, IPv4Packet, IPv6Packet

ETHERNET4 = bytes.fromhex("026400000001 026400000000 0800".replace(" ", ""))
ETHERNET6 = bytes.fromhex("026400000001 026400000000 86dd".replace(" ", ""))


def whole4(data: bytes, identification: int = 7, source: str = "192.0.2.1") -> IPv4Packet:
    return IPv4Packet(IPv4Address(source), IPv4Address("198.51.100.80"), UDP, data, identification=identification)


def whole6(data: bytes, source: str = "2001:db8:1::5") -> IPv6Packet:
    return IPv6Packet(IPv6Address(source), IPv6Address("2001:db8:64::c633:6450"), UDP, data)


def fragments4(whole: IPv4Packet, sizes: list[int]) -> list[bytes]:
    """`sizes`: bytes of all fragments but the last, multiples of 8."""
    return [
        replace(whole, payload=part, fragment_offset=at, more_fragments=more).to_bytes()
        for at, part, more in _parts(whole.payload, sizes)
    ]


def fragments6(whole: IPv6Packet, sizes: list[int], identification: int = 7) -> list[bytes]:
    return [
        replace(whole, payload=part, fragment=FragmentHeader(identification, at, more, whole.protocol)).to_bytes()
        for at, part, more in _parts(whole.payload, sizes)
    ]


def _parts(data: bytes, sizes: list[int]) -> list[tuple[int, bytes, bool]]:
    parts, at = [], 0
    for size in sizes:
        if at + size >= len(data):
            break
        parts.append((at, data[at : at + size], True))
        at += size
    return [*parts, (at, data[at:], False)]
