# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Packets out of capture files: classic pcap and pcapng, as tcpdump and Wireshark write them.

Formats: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng; link types: https://www.tcpdump.org/linktypes.html.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from v6native.errors import V6nativeError

_CLASSIC = {b"\xa1\xb2\xc3\xd4": ">", b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">", b"\x4d\x3c\xb2\xa1": "<"}
_SECTION, _INTERFACE, _OBSOLETE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_ORDER = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_ETHERTYPES = (0x0800, 0x86DD)
_VLAN = (0x8100, 0x88A8)
# LINKTYPE_* with what stands before the packet: where its EtherType lies, and where the packet begins; None: no EtherType.
_NULL, _ETHERNET, _RAW_BSD, _RAW, _LOOP, _SLL, _IPV4, _IPV6, _SLL2 = 0, 1, 12, 101, 108, 113, 228, 229, 276
_HEADERS = {_ETHERNET: (12, 14), _SLL: (14, 16), _SLL2: (0, 20)}
_BARE = {_RAW_BSD: 0, _RAW: 0, _IPV4: 0, _IPV6: 0, _NULL: 4, _LOOP: 4}


class BadCapture(V6nativeError):
    """Not a capture file, or not one that has such a packet."""


@dataclass(frozen=True, slots=True)
class Captured:
    """Packet `number` of a file, counted from 1 as Wireshark does. `ip` None: it is no IP packet; `cut`: how many bytes
    at its end were not kept."""

    number: int
    ip: bytes | None
    cut: int


def packet(data: bytes, number: int | None) -> Captured:
    """That packet of a file; None: its first IP packet."""
    for found in packets(data):
        if found.number == number:
            if found.ip is None:
                raise BadCapture(f"packet {number} of the file is no IP packet")
            return found
        if number is None and found.ip is not None:
            return found
    raise BadCapture("the file has no IP packet" if number is None else f"the file has no packet {number}")


def packets(data: bytes) -> Iterator[Captured]:
    """All packets of a file, lazily; what is cut off at its end is left out."""
    if data[:4] in _CLASSIC:
        frames = _classic(data, _CLASSIC[data[:4]])
    elif data[:4] == _SECTION.to_bytes(4, "big"):
        frames = _next_generation(data)
    else:
        raise BadCapture("this is no capture file: neither pcap nor pcapng")
    for number, (link, frame) in enumerate(frames, 1):
        ip = _ip(link, frame)
        yield Captured(number, ip, _announced(ip) - len(ip) if ip else 0)


def _classic(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Link type and frame."""
    if len(data) < 24:
        raise BadCapture("the capture file ends within its header")
    link = struct.unpack_from(f"{order}I", data, 20)[0] & 0xFFFF
    at = 24
    while len(data) >= at + 16:
        kept = struct.unpack_from(f"{order}I", data, at + 8)[0]
        if len(data) < at + 16 + kept:
            return
        yield link, data[at + 16 : at + 16 + kept]
        at += 16 + kept


def _next_generation(data: bytes) -> Iterator[tuple[int, bytes]]:
    at, order = 0, ">"
    links: list[tuple[int, int]] = []
    while len(data) >= at + 12:
        kind = struct.unpack_from(f"{order}I", data, at)[0]
        if kind == _SECTION:
            if (order := _ORDER.get(data[at + 8 : at + 12], "")) == "":
                raise BadCapture("the pcapng file has no byte order that is known")
            links = []
        size = struct.unpack_from(f"{order}I", data, at + 4)[0]
        if size < 12 or size % 4 or len(data) < at + size:
            return
        body = data[at + 8 : at + size - 4]
        at += size
        if kind == _INTERFACE and len(body) >= 8:
            link, _, longest = struct.unpack_from(f"{order}HHI", body)
            links.append((link, longest))
        elif kind in (_ENHANCED, _OBSOLETE) and len(body) >= 20:
            interface = struct.unpack_from(f"{order}I" if kind == _ENHANCED else f"{order}H", body)[0]
            kept = struct.unpack_from(f"{order}I", body, 12)[0]
            if interface < len(links):
                yield links[interface][0], body[20 : 20 + kept]
        elif kind == _SIMPLE and len(body) >= 4 and links:
            length = struct.unpack_from(f"{order}I", body)[0]
            longest = links[0][1] or length
            yield links[0][0], body[4 : 4 + min(length, longest)]


def _ip(link: int, frame: bytes) -> bytes | None:
    """The IP packet in a frame, without what pads the frame's end."""
    if link in _BARE:
        return _trimmed(frame[_BARE[link] :])
    if link not in _HEADERS:
        raise BadCapture(f"the capture's link type {link} is not known: capture on Ethernet, a tunnel, or `any`")
    place, start = _HEADERS[link]
    kind = int.from_bytes(frame[place : place + 2], "big")
    while link == _ETHERNET and kind in _VLAN:
        kind, start = int.from_bytes(frame[start + 2 : start + 4], "big"), start + 4
    return _trimmed(frame[start:]) if kind in _ETHERTYPES else None


def _trimmed(packet: bytes) -> bytes | None:
    version = packet[0] >> 4 if packet else 0
    if len(packet) < {4: 20, 6: 40}.get(version, len(packet) + 1):
        return None
    return packet[: _announced(packet)]


def _announced(packet: bytes) -> int:
    """The length that its header tells."""
    if packet[0] >> 4 == 6:
        return 40 + int.from_bytes(packet[4:6], "big")
    # 0 of a packet that the card was to cut (TSO).
    return max(20, int.from_bytes(packet[2:4], "big")) if packet[2:4] != b"\0\0" else len(packet)
