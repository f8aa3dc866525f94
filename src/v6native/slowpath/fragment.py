# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A whole IPv6 packet → fragments no longer than the lowest MTU (RFC 8200 §4.5, §5). Pure."""

from __future__ import annotations

from dataclasses import replace

from v6native.packet import FRAGMENT_HEADER, IPV6_HEADER, FragmentHeader, PacketError, parse_ipv6

LOWEST_MTU = 1280


def cut(packet: bytes, identification: int, mtu: int = LOWEST_MTU) -> list[bytes]:
    """The packet in pieces of at most `mtu` bytes; one that fits stays as it is.

    A packet that is a fragment already cannot be cut by anybody but its source: an empty list, as for what is not IPv6.
    """
    try:
        whole = parse_ipv6(packet)
    except PacketError:
        return []
    if whole.is_fragment:
        return []
    if IPV6_HEADER + sum(len(e.data) for e in whole.extensions) + len(whole.payload) <= mtu:
        return [replace(whole, fragment=None).to_bytes()]
    room = (mtu - IPV6_HEADER - sum(len(e.data) for e in whole.extensions) - FRAGMENT_HEADER) // 8 * 8
    if room <= 0:
        return []
    data = whole.payload
    return [
        replace(
            whole,
            payload=data[at : at + room],
            fragment=FragmentHeader(identification, at, at + room < len(data), whole.protocol),
        ).to_bytes()
        for at in range(0, len(data), room)
    ]
