# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Pings through pref64s, all at once: who answers in time? (RFC 4443 §4)"""

from __future__ import annotations

import secrets
import select
import socket
import struct
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from ipaddress import IPv6Address

_ECHO_REQUEST, _ECHO_REPLY = 128, 129
_HEADER = struct.Struct("!BBHHH")
_ICMP6_FILTER = 1
# ICMP6_FILTER's mask has a one for each type that is not wanted (RFC 3542 §3.2).
_ONLY_REPLIES = b"".join(
    struct.pack("=I", 0xFFFFFFFF & ~(1 << _ECHO_REPLY % 32 if word == _ECHO_REPLY // 32 else 0)) for word in range(8)
)


def answering(
    targets: Collection[IPv6Address], seconds: float, clock: Callable[[], float] = time.monotonic
) -> frozenset[IPv6Address]:
    """Those of `targets` that answered one echo request within `seconds`. OSError where no such socket can be had."""
    identifier, token = secrets.randbelow(0x10000), secrets.token_bytes(16)
    found: set[IPv6Address] = set()
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.IPPROTO_ICMPV6) as sock:
        sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, _ONLY_REPLIES)
        for number, target in enumerate(targets):
            request = _HEADER.pack(_ECHO_REQUEST, 0, 0, identifier, number & 0xFFFF) + token
            # No route: it does not answer.
            with suppress(OSError):
                sock.sendto(request, (str(target), 0))
        deadline = clock() + seconds
        while len(found) < len(targets) and (left := deadline - clock()) > 0:
            if not select.select([sock], [], [], left)[0]:
                break
            with suppress(BlockingIOError):
                answer, peer = sock.recvfrom(2048)
                kind, _, _, whose, _ = _HEADER.unpack_from(answer) if len(answer) >= _HEADER.size else (0, 0, 0, 0, 0)
                source = IPv6Address(peer[0].partition("%")[0])
                if (
                    kind == _ECHO_REPLY
                    and whose == identifier
                    and answer[_HEADER.size :] == token
                    and source in targets
                ):
                    found.add(source)
    return frozenset(found)
