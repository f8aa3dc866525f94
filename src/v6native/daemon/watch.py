# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Which of the kernel's messages (rtnetlink(7), nfnetlink) are reason enough to look at the host again.

The socket's messages are only a bell: what changed is found by observing, so that a lost message costs nothing but time.
Routes are the exception that is read, because a router with a full BGP table hears of thousands a minute.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

# linux/rtnetlink.h. Multicast groups as a bit mask, for bind(2).
_GROUPS = (
    0x1  # RTMGRP_LINK
    | 0x4  # RTMGRP_NEIGH
    | 0x8  # RTMGRP_TC
    | 0x10  # RTMGRP_IPV4_IFADDR
    | 0x40  # RTMGRP_IPV4_ROUTE
    | 0x80  # RTMGRP_IPV4_RULE
    | 0x100  # RTMGRP_IPV6_IFADDR
    | 0x400  # RTMGRP_IPV6_ROUTE
    | 0x800000  # RTNLGRP_IPV4_NETCONF (24): forwarding, and rp_filter, which ours depends on
)
# linux/netfilter/nfnetlink.h NFNLGRP_NFTABLES (7): `nft flush ruleset` takes our table along.
_NFT_GROUPS = 1 << 6
_RTM_NEWROUTE, _RTM_DELROUTE = 24, 25
_RTM_NEWNEIGH, _RTM_DELNEIGH, _RTM_GETNEIGH = 28, 29, 30
# linux/netfilter/nf_tables.h, in the lower byte: a table, chain or rule is gone. Sets that firewalls fill all the time
# ring the same bell.
_NFT_SUBSYSTEM, _NFT_DELETIONS = 10, (2, 5, 8)
_NETFILTER = 12  # NETLINK_NETFILTER, linux/netlink.h
_NLMSG_HEADER = struct.Struct("=IHHII")
_RTMSG = struct.Struct("=BBBBBBBBI")
_NUD_PERMANENT = 0x80
_NDMSG = struct.Struct("=BBHiHBB")


def open_watch() -> socket.socket:
    """A non-blocking socket that becomes readable when links, addresses, routes, rules or tc filters change."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, 0)
    sock.bind((0, _GROUPS))
    return sock


def open_nft_watch() -> socket.socket:
    """The same for nftables, which has a netlink family of its own."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, _NETFILTER)
    sock.bind((0, _NFT_GROUPS))
    return sock


def drain(sock: socket.socket, protocol: int) -> bool:
    """Reads all that waits; True when something concerns us. `protocol` is our own route protocol number."""
    concerned = False
    while True:
        try:
            data = sock.recv(65536)
        except BlockingIOError:
            return concerned
        except OSError:
            # ENOBUFS: messages were lost, so anything may have changed.
            return True
        concerned = concerned or any(matters(kind, body, protocol) for kind, body in messages(data))


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The netlink messages in one datagram, as (type, body); a broken length ends it."""
    offset = 0
    while offset + _NLMSG_HEADER.size <= len(data):
        length, kind, *_ = _NLMSG_HEADER.unpack_from(data, offset)
        if length < _NLMSG_HEADER.size or offset + length > len(data):
            return
        yield kind, data[offset + _NLMSG_HEADER.size : offset + length]
        offset += (length + 3) & ~3


def matters(kind: int, body: bytes, protocol: int) -> bool:
    """Links, addresses, rules and filters always; routes when ours or default; neighbours when permanent; nft deletions."""
    if kind >> 8 == _NFT_SUBSYSTEM:
        return kind & 0xFF in _NFT_DELETIONS
    if kind in (_RTM_NEWROUTE, _RTM_DELROUTE) and len(body) >= _RTMSG.size:
        _, destination_length, _, _, _, route_protocol, *_ = _RTMSG.unpack_from(body)
        return bool(route_protocol == protocol or destination_length == 0)
    if kind in (_RTM_NEWNEIGH, _RTM_DELNEIGH, _RTM_GETNEIGH) and len(body) >= _NDMSG.size:
        # Learned neighbours come and go all the time; the ones that we set are permanent, or proxies.
        state, flags = _NDMSG.unpack_from(body)[4:6]
        ntf_proxy = 0x08
        return bool(state & _NUD_PERMANENT or flags & ntf_proxy)
    return True
