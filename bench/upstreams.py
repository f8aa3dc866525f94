# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m bench.upstreams KIND PORT`: an upstream resolver on ::1 that is good, or bad in one way, until it is told to end.

It knows one address, and each name has it. So what a client gets is right wherever it is not an error.
"""

from __future__ import annotations

import random
import selectors
import socket
import sys
import time
from collections import deque

DELAYS = {"good": 0.01, "slow": 0.3}
"""Seconds until the answer."""
KINDS = ("good", "dead", "slow", "lying")
_AAAA = b"\0\x1c\0\1"
_RECORD = b"\xc0\x0c" + _AAAA + b"\0\1\x51\x80\0\x10" + bytes.fromhex("20010db8008000000000000000000080")
_LIE = _RECORD[:-1] + b"\x66"


def answer(query: bytes, record: bytes = _RECORD) -> bytes:
    """NODATA without a SOA to all but AAAA."""
    end = query.index(b"\0", 12) + 5
    found = query[end - 4 : end] == _AAAA
    return query[:2] + b"\x81\x80\0\1\0" + bytes([found]) + bytes(4) + query[12:end] + (record if found else b"")


def lies(query: bytes, turn: int) -> bytes:
    """In turn: another id, another question, octets without sense, an answer that ends in its middle."""
    lie = answer(query, _LIE)
    return (
        bytes([lie[0] ^ 1]) + lie[1:],
        lie[:13] + b"x" + lie[14:],
        random.randbytes(40),
        lie[:-9],
    )[turn % 4]


def serve(kind: str, port: int) -> None:
    with (
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as other,
    ):
        udp.bind(("::1", port))
        udp.setblocking(False)
        # All wait equally long: so they are due in their order.
        waiting: deque[tuple[float, bytes, tuple[str, int]]] = deque()
        selector = selectors.DefaultSelector()
        selector.register(udp, selectors.EVENT_READ)
        turn = 0
        while True:
            selector.select(max(0.0, waiting[0][0] - time.monotonic()) if waiting else None)
            try:
                while True:
                    query, peer = udp.recvfrom(4096)
                    if kind in DELAYS:
                        waiting.append((time.monotonic() + DELAYS[kind], answer(query), peer))
                    elif kind == "lying":
                        turn += 1
                        # Every fifth one would be right, but for the port that it comes from.
                        if turn % 5:
                            udp.sendto(lies(query, turn), peer)
                        else:
                            other.sendto(answer(query, _LIE), peer)
            except BlockingIOError:
                pass
            while waiting and waiting[0][0] <= time.monotonic():
                _, out, peer = waiting.popleft()
                udp.sendto(out, peer)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
