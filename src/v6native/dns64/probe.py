# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Asks encrypted resolvers for the root's name servers, all at once: does one answer at all, and if not, why?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from v6native.dns64 import wire
from v6native.dns64.attempt import Attempt, EncryptedAttempt, Reply
from v6native.dns64.channel import Channel
from v6native.dns64.loop import Loop
from v6native.dns64.settings import UpstreamServer
from v6native.dns64.stats import Stats

_ROOT_NS = bytes(1) + wire.NS.to_bytes(2, "big") + wire.IN.to_bytes(2, "big") + bytes(1)


def ask(
    servers: Sequence[UpstreamServer],
    authorities: str,
    seconds: float = 2.0,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[str | None, ...]:
    """Of each server, in order: None where it answered within `seconds`, else why not. `authorities`: as of the settings."""
    loop, stats = Loop(), Stats()
    errors: dict[int, str | None] = {}
    channels = [Channel(loop, stats, server, authorities) for server in servers]

    def answered(place: int, _attempt: Attempt, reply: Reply | None) -> None:
        errors[place] = (channels[place].problem or "no answer") if reply is None else _failure(reply)

    try:
        for place, channel in enumerate(channels):
            try:
                EncryptedAttempt(loop, stats, channel, _ROOT_NS, False, partial(answered, place))
            except OSError as error:
                errors[place] = error.strerror or str(error)
        deadline = clock() + seconds
        while len(errors) < len(channels) and (left := deadline - clock()) > 0:
            loop.turn(left)
    finally:
        for channel in channels:
            channel.close()
        loop.close()
    return tuple(errors.get(place, f"no answer within {seconds:.0f} s") for place in range(len(channels)))


def _failure(reply: Reply) -> str | None:
    code = reply.message.rcode
    return None if code == wire.NOERROR else wire.RCODES.get(code, f"rcode {code}").upper()
