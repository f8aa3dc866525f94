# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A million sessions that expire at once, beside a `ping` through the same NAT64: how long nobody answers it."""

from __future__ import annotations

import itertools
import re
from contextlib import ExitStack
from typing import Any

from bench import peers
from bench.chain import PREF64, Chain, estate, stand
from bench.generator import BenchFailed, Generator, attach_sink
from bench.packets import CPU, Path, Say, open_flows, up64
from bench.sessions import FLOWS_OF_A_CLIENT, MOST, ROOM
from v6native.address import embed
from v6native.lab.wait import wait_until

UDP_TIMEOUT = 8
"""Seconds; longer than opening the sessions takes, so that they lie in wait together."""
INTERVAL = 0.01
_REPLY = re.compile(r"bytes from .* icmp_seq=(\d+) .*time=([\d.]+) ms")


def measure(say: Say, sessions: int = MOST) -> dict[str, Any]:
    with estate() as made, ExitStack() as stack:
        say("building the gateway")
        chain = stand(made, "nat64", lanes=2)
        chain.gateway.run("ethtool", "-K", chain.lanes[1].lan, "gro", "on")
        attach_sink(chain.servers[1], "eth0")
        peers.v6native(chain, sessions=ROOM, udp_timeout=UDP_TIMEOUT)
        plane = peers.plane(chain)
        quiet = _ping(chain, 500)
        say(f"opening {sessions} sessions")
        generator = stack.enter_context(Generator(chain.clients[1], "eth0", CPU))
        lane = chain.lanes[1]
        open_flows(Path(generator, up64(chain, lane, sessions, FLOWS_OF_A_CLIENT, stride=1), chain.servers[1]))
        live = plane.totals().sessions
        say(f"{live} sessions are live; waiting for their end")
        gaps: list[float] = []
        seconds = 0
        while plane.totals().sessions > live // 100 and seconds < 120:
            gaps += _ping(chain, 200)
            seconds += 2
        wait_until(lambda: plane.totals().sessions <= live // 100, 1, "the sessions did not end")
    return {
        "sessions": live,
        "seconds": seconds,
        "interval_ms": INTERVAL * 1e3,
        "longest_gap_ms_before": max(quiet),
        "longest_gap_ms": max(gaps),
        "replies": len(gaps),
    }


def _ping(chain: Chain, count: int) -> list[float]:
    """Milliseconds from each reply to the next one, through the NAT64 from the first lane's client.

    With a real-time priority: what others do to the scheduler is not the gateway's.
    """
    to = str(embed(PREF64, chain.lanes[0].server4))
    argv = ["chrt", "--fifo", "50", "ping", "-n", "-i", str(INTERVAL), "-c", str(count), to]
    done = chain.clients[0].run(*argv, timeout=60, check=False)
    if not done.ok:
        raise BenchFailed(f"ping to {to} through the NAT64: {(done.err or done.out).strip().splitlines()[-1:]}")
    return gaps(done.out)


def gaps(told: str) -> list[float]:
    """From each of ping's replies to the next one, had it kept its rhythm: it is 10 ms late at times, on loopback too.

    A packet that is held up is in its round trip, and a lost one in the sequence numbers.
    """
    replies = [(int(number), float(trip)) for number, trip in _REPLY.findall(told)]
    return [
        (later - earlier) * INTERVAL * 1e3 + slower - faster
        for (earlier, faster), (later, slower) in itertools.pairwise(replies)
    ]
