# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the generator sends: one frame, and how each flow's differs from it. Mirrors generator.bpf.c."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import c_uint8, c_uint32
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from math import gcd

from v6native.packet import UDP, IPv4Packet, IPv6Packet, UdpHeader, checksum, pseudo_header

XDP_DROP, XDP_REDIRECT = 1, 4
HEADERS = 64
PAYLOAD = 22
"""Bytes of UDP payload: an IPv4 frame is then as long as the generator writes, the shortest that it can send."""

Address = IPv4Address | IPv6Address


class Vary(IntEnum):
    """Which end of a flow changes from flow to flow."""

    SOURCE = 0
    DESTINATION = 1
    TABLE = 2


class PatternValue(ctypes.Structure):
    """struct pattern."""

    _fields_ = (
        ("action", c_uint32),
        ("ifindex", c_uint32),
        ("flows", c_uint32),
        ("stride", c_uint32),
        ("next", c_uint32),
        ("per_client", c_uint32),
        ("vary", c_uint32),
        ("remotes", c_uint32),
        ("frame", c_uint8 * HEADERS),
    )


@dataclass(frozen=True, slots=True)
class Endpoint:
    """struct endpoint: from `remote` to the address and port that a NAT gave to a flow."""

    remote: IPv4Address
    address: IPv4Address
    port: int

    def packed(self) -> bytes:
        return self.remote.packed + self.address.packed + self.port.to_bytes(2, "big") + bytes(2)


@dataclass(frozen=True, slots=True)
class Pattern:
    """`frame` is flow 0's. Flow f has client f // per_client, adds f % per_client to the client's port, and f % remotes to
    the other end's address: with a single one the kernel would look the route up once for a whole poll (ip6_can_use_hint).

    `stride` None spreads a flow's turns over all of them, so that no cache line and no slot is next to the one before.
    `endpoints`, with Vary.TABLE: flow f's source, destination and port there, in place of the frame's.
    """

    frame: bytes
    flows: int = 1024
    per_client: int = 64
    remotes: int = 64
    vary: Vary = Vary.SOURCE
    stride: int | None = None
    endpoints: Sequence[Endpoint] = ()

    def value(self, action: int, ifindex: int, first: int = 0) -> PatternValue:
        step = coprime_stride(self.flows) if self.stride is None else self.stride
        head = (c_uint8 * HEADERS).from_buffer_copy(self.frame[:HEADERS])
        return PatternValue(
            action, ifindex, self.flows, step, first, self.per_client, int(self.vary), self.remotes, head
        )


def coprime_stride(flows: int) -> int:
    """About 0.618 of them: turns that are near each other are flows that are not."""
    step = max(1, round(flows * 0.618))
    while gcd(step, flows) != 1:
        step += 1
    return step % flows or 1


def udp_frame(
    macs: tuple[str, str], source: tuple[Address, int], destination: tuple[Address, int], payload: int = PAYLOAD
) -> bytes:
    """An Ethernet frame, `macs` being (destination, source)."""
    (here, sport), (there, dport) = source, destination
    data, length = bytes(payload), 8 + payload
    bare = UdpHeader(sport, dport, length).to_bytes() + data
    check = checksum(pseudo_header(here, there, UDP, length) + bare)
    segment = UdpHeader(sport, dport, length, check).to_bytes() + data
    ethernet = b"".join(bytes.fromhex(mac.replace(":", "")) for mac in macs)
    if isinstance(here, IPv6Address) and isinstance(there, IPv6Address):
        return ethernet + b"\x86\xdd" + IPv6Packet(here, there, UDP, segment).to_bytes()
    if isinstance(here, IPv4Address) and isinstance(there, IPv4Address):
        return ethernet + b"\x08\x00" + IPv4Packet(here, there, UDP, segment).to_bytes()
    raise ValueError(f"{here} and {there} are of two families")
