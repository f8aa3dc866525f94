# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Sends UDP datagrams as hand-made IP fragments, in any order: what no socket does and every network may.

A client (`python -m v6native.lab.programs.fragments HOST PORT ARRIVAL`) sends one datagram so and waits for the echo of
an ordinary server; the server in `echo` (ORDER_PORT) answers the name of an arrival with a datagram that arrives so.
RFC 791 (IPv4), RFC 8200 §4.5 (IPv6), RFC 5722 (overlap: the datagram is dropped).
"""

from __future__ import annotations

import random
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

Address = IPv4Address | IPv6Address

ORDER_PORT = 7007
PIECE = 1024
"""Octets of payload in a fragment; a multiple of 8."""
PIECES = 5
TIMEOUT = 2.0
UDP = socket.IPPROTO_UDP


@dataclass(frozen=True, slots=True)
class Piece:
    offset: int
    data: bytes
    more: bool


def cut(datagram: bytes) -> list[Piece]:
    return [
        Piece(start, datagram[start : start + PIECE], start + PIECE < len(datagram))
        for start in range(0, len(datagram), PIECE)
    ]


def overlapping(pieces: list[Piece]) -> list[Piece]:
    """The second piece begins 8 octets early."""
    first, second, *rest = pieces
    return [first, Piece(second.offset - 8, first.data[-8:] + second.data, second.more), *rest]


ARRIVALS: dict[str, Callable[[list[Piece]], list[Piece]]] = {
    "in-order": lambda pieces: pieces,
    "reversed": lambda pieces: pieces[::-1],
    "last-first": lambda pieces: [pieces[-1], *pieces[:-1]],
    "first-last": lambda pieces: [*pieces[1:], pieces[0]],
    "shuffled": lambda pieces: random.sample(pieces, len(pieces)),
    "overlapping": overlapping,
    "interleaved": lambda pieces: pieces,
    "flood": lambda pieces: pieces[:1],
}
FLOOD = 20_000


def checksum(data: bytes) -> int:
    """RFC 1071."""
    total: int = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp(source: Address, sport: int, destination: Address, dport: int, payload: bytes, *, summed: bool = True) -> bytes:
    length = 8 + len(payload)
    header = struct.pack("!HHHH", sport, dport, length, 0)
    tail = struct.pack("!II", length, UDP) if destination.version == 6 else struct.pack("!BBH", 0, UDP, length)
    total = checksum(source.packed + destination.packed + tail + header + payload) or 0xFFFF
    return struct.pack("!HHHH", sport, dport, length, total if summed else 0) + payload


def packet(source: Address, destination: Address, ident: int, piece: Piece, proto: int = UDP) -> bytes:
    """One fragment with its IP header."""
    if destination.version == 4:
        length, flags = 20 + len(piece.data), (0x2000 if piece.more else 0) | piece.offset // 8
        head = struct.pack("!BBHHHBBH", 0x45, 0, length, ident & 0xFFFF or 1, flags, 64, proto, 0)
        return head + source.packed + destination.packed + piece.data
    head = struct.pack("!IHBB", 6 << 28, 8 + len(piece.data), socket.IPPROTO_FRAGMENT, 64)
    fragment = struct.pack("!BBHI", proto, 0, piece.offset | piece.more, ident)
    return head + source.packed + destination.packed + fragment + piece.data


def raw_socket(version: int) -> socket.socket:
    """Takes whole IP packets: IPPROTO_RAW implies the header."""
    return socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


def send(source: Address, sport: int, destination: Address, dport: int, payloads: list[bytes], arrival: str) -> None:
    """One datagram for each payload, cut, in that arrival; `interleaved` mixes the datagrams, `flood` completes none."""
    cuts = []
    for payload in payloads:
        pieces = ARRIVALS[arrival](cut(udp(source, sport, destination, dport, payload)))
        ident = random.getrandbits(32)
        cuts.append([packet(source, destination, ident, piece) for piece in pieces])
    order = zip(*cuts, strict=True) if arrival == "interleaved" else iter(cuts)
    queue = [wire for group in order for wire in group]
    with raw_socket(destination.version) as raw:
        for wire in queue:
            raw.sendto(wire, (str(destination), 0))


def answer(source: Address, sport: int, peer: Address, port: int, arrival: str) -> None:
    """The server's side: two known datagrams for `interleaved`, one for the others."""
    payloads = [known(number) for number in range(2 if arrival == "interleaved" else 1)]
    send(source, sport, peer, port, payloads, arrival)


def known(number: int) -> bytes:
    """A payload that both sides can make."""
    return random.Random(number).randbytes(PIECE * PIECES - 8 - 100)


def ask(host: str, port: int, arrival: str) -> str:
    """`whole` when everything came back as sent; `silence`; `changed`; `refused here` by our own node's firewall."""
    family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, proto) as sock:
        sock.settimeout(TIMEOUT)
        sock.connect(address)
        expected = {known(number) for number in range(2 if arrival == "interleaved" else 1)}
        if port == ORDER_PORT:
            sock.send(arrival.encode())
        else:
            local, sport = sock.getsockname()[:2]
            payloads = [known(0)] * FLOOD if arrival == "flood" else sorted(expected)
            try:
                send(ip_address(local), sport, ip_address(address[0]), port, payloads, arrival)
            except PermissionError:
                return "refused here"
        try:
            got = {sock.recv(65535) for _ in expected}
        except TimeoutError:
            return "silence"
        return "whole" if got == expected else "changed"


if __name__ == "__main__":
    print(ask(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
