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
from dataclasses import dataclass

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
    | 0x40000  # RTNLGRP_IPV6_RULE
    | 0x800000  # RTNLGRP_IPV4_NETCONF (24): forwarding, and rp_filter, which ours depends on
)
# linux/netfilter/nfnetlink.h NFNLGRP_NFTABLES (7): `nft flush ruleset` takes our table along.
_NFT_GROUPS = 1 << 6
_RTM_NEWROUTE, _RTM_DELROUTE = 24, 25
_RTM_NEWNEIGH, _RTM_DELNEIGH, _RTM_GETNEIGH = 28, 29, 30
# linux/netfilter/nf_tables.h, in the lower byte: a table, chain or rule is gone. Sets that firewalls fill all the time
# ring the same bell.
_NFT_SUBSYSTEM, _NFT_DELETIONS = 10, (2, 5, 8)
# A table, chain, rule or flow table comes or goes; what sets hold does not decide whether a rule is there.
_NFT_RULES = frozenset({0, 2, 3, 5, 6, 8, 22, 24})
# linux/rtnetlink.h: a policy rule, a queueing discipline, a class, a filter or a chain of filters comes or goes.
_RTM_RULES = frozenset({32, 33, 36, 37, 40, 41, 44, 45, 100, 101})
# linux/xfrm.h XFRMNLGRP_POLICY (4), linux/netlink.h NETLINK_XFRM.
_XFRM_GROUPS, _XFRM = 1 << 3, 6
_NETFILTER = 12  # NETLINK_NETFILTER, linux/netlink.h
_NLMSG_HEADER = struct.Struct("=IHHII")
_RTMSG = struct.Struct("=BBBBBBBBI")
_NUD_PERMANENT = 0x80
_NDMSG = struct.Struct("=BBHiHBB")


@dataclass(frozen=True, slots=True)
class Heard:
    """`host`: something of ours, or what we decide by, may have changed; `rules`: something that may want to see packets."""

    host: bool = False
    rules: bool = False

    def __or__(self, other: Heard) -> Heard:
        return Heard(self.host or other.host, self.rules or other.rules)


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


def open_xfrm_watch() -> socket.socket | None:
    """The same for IPsec policies; None where the kernel has no IPsec."""
    try:
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, _XFRM)
    except OSError:
        return None
    sock.bind((0, _XFRM_GROUPS))
    return sock


def drain(sock: socket.socket, protocol: int) -> Heard:
    """Reads all that waits, and says what of it concerns us. `protocol` is our own route protocol number."""
    heard, xfrm = Heard(), sock.proto == _XFRM
    while True:
        try:
            data = sock.recv(65536)
        except BlockingIOError:
            return heard
        except OSError:
            # ENOBUFS: messages were lost, so anything may have changed.
            return Heard(True, True)
        for kind, body in messages(data):
            heard |= Heard(rules=True) if xfrm else Heard(matters(kind, body, protocol), wants_packets(kind))


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The netlink messages in one datagram, as (type, body); a broken length ends it."""
    offset = 0
    while offset + _NLMSG_HEADER.size <= len(data):
        length, kind, *_ = _NLMSG_HEADER.unpack_from(data, offset)
        if length < _NLMSG_HEADER.size or offset + length > len(data):
            return
        yield kind, data[offset + _NLMSG_HEADER.size : offset + length]
        offset += (length + 3) & ~3


def wants_packets(kind: int) -> bool:
    """Whether it tells of something that may want to see packets. Our own things, too: who it was is found by looking."""
    if kind >> 8 == _NFT_SUBSYSTEM:
        return kind & 0xFF in _NFT_RULES
    return kind in _RTM_RULES


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
