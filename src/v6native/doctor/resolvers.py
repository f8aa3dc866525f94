# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Asks every upstream resolver for the root's name servers, all at once: does it answer at all?"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable, Sequence
from secrets import randbelow

from v6native.config.modeldns import (
    Upstream,
)
from v6native.doctor.facts import ResolverFacts

# RFC 1035 §4.1.1: recursion desired; one question. Then the root (an empty name), type NS, class IN.
_HEADER = struct.Struct("!HHHHHH")
_RECURSION_DESIRED = 0x0100
_ROOT_NS = struct.pack("!BHH", 0, 2, 1)
_RCODE = 0x000F
_RCODES = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


def ask(
    upstreams: Sequence[Upstream], seconds: float = 2.0, clock: Callable[[], float] = time.monotonic
) -> tuple[ResolverFacts, ...]:
    """What each resolver answered within `seconds`, in the order given."""
    errors: dict[int, str | None] = {}
    waiting: dict[socket.socket, int] = {}
    number = randbelow(0x10000)
    query = _HEADER.pack(number, _RECURSION_DESIRED, 1, 0, 0, 0) + _ROOT_NS
    try:
        for place, upstream in enumerate(upstreams):
            family = socket.AF_INET if upstream.address.version == 4 else socket.AF_INET6
            sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            waiting[sock] = place
            try:
                sock.connect((str(upstream.address), upstream.port))
                sock.send(query)
            except OSError as error:
                errors[place] = error.strerror or str(error)
        _collect(waiting, errors, number, clock() + seconds, clock)
    finally:
        for sock in waiting:
            sock.close()
    return tuple(
        ResolverFacts(upstream, errors.get(place, f"no answer within {seconds:.0f} s"))
        for place, upstream in enumerate(upstreams)
    )


def _collect(
    waiting: dict[socket.socket, int],
    errors: dict[int, str | None],
    number: int,
    deadline: float,
    clock: Callable[[], float],
) -> None:
    while (left := deadline - clock()) > 0:
        silent = [sock for sock, place in waiting.items() if place not in errors]
        if not silent:
            return
        for sock in select.select(silent, [], [], left)[0]:
            try:
                answer = sock.recv(4096)
            except OSError as error:
                # A connected UDP socket is told of an ICMP error.
                errors[waiting[sock]] = error.strerror or str(error)
                continue
            if len(answer) >= _HEADER.size and _HEADER.unpack_from(answer)[0] == number:
                errors[waiting[sock]] = _RCODES.get(_HEADER.unpack_from(answer)[1] & _RCODE)
