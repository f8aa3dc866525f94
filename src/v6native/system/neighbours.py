# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Proxy neighbour entries (`ip neigh show proxy`), read from the kernel directly: pyroute2 asks only for learned ones."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

_RTM_NEWNEIGH, _RTM_GETNEIGH = 28, 30
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_REQUEST_DUMP = 0x1 | 0x300
_NTF_PROXY = 0x08
_NDA_DST, _NDA_PROTOCOL = 1, 12
_HEADER = struct.Struct("=IHHII")
_NDMSG = struct.Struct("=BBHiHBB")


def proxies() -> Iterator[tuple[int, IPv4Address | IPv6Address, int]]:
    """Interface's index, address, and the protocol number of whoever made the entry (0: not said)."""
    for family in (socket.AF_INET, socket.AF_INET6):
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0) as sock:
            body = _NDMSG.pack(family, 0, 0, 0, 0, _NTF_PROXY, 0)
            sock.sendto(_HEADER.pack(_HEADER.size + len(body), _RTM_GETNEIGH, _REQUEST_DUMP, 1, 0) + body, (0, 0))
            yield from _answers(sock)


def _answers(sock: socket.socket) -> Iterator[tuple[int, IPv4Address | IPv6Address, int]]:
    while True:
        data, offset = sock.recv(1 << 18), 0
        while offset + _HEADER.size <= len(data):
            length, kind, *_ = _HEADER.unpack_from(data, offset)
            if kind in (_NLMSG_DONE, _NLMSG_ERROR):
                return
            message = data[offset + _HEADER.size : offset + length]
            offset += (length + 3) & ~3
            if kind == _RTM_NEWNEIGH and _NDMSG.unpack_from(message)[5] & _NTF_PROXY:
                attributes = dict(_attributes(message[_NDMSG.size :]))
                address = ip_address(attributes[_NDA_DST])
                yield _NDMSG.unpack_from(message)[3], address, attributes.get(_NDA_PROTOCOL, b"\0")[0]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, offset)
        if length < 4:
            return
        yield kind, data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
