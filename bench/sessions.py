# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Sessions on one core: how many new ones a second, and what a packet costs with more and more of them live.

A client has FLOWS_OF_A_CLIENT UDP flows, each with a port of its own: as many BIB entries as sessions, the worst that tables meet.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Any

from bench import memory, peers
from bench.chain import Chain, estate, stand
from bench.frames import Pattern
from bench.generator import BenchFailed
from bench.packets import Gateway, Path, Say, cost, gateway, open_flows, settled, up4, up6, up64
from bench.runs import Samples, Spread, ratios, rounds
from bench.targets import NAT44, NAT64, PLAIN

FLOWS_OF_A_CLIENT = 192
"""Three quarters of the default port block."""
MOST = 1_000_000
LIVE = (10, 10_000, 100_000, MOST)
ROOM = 1_010_000
NEW = 200_000
CONNTRACK_ROOM = 200_000
"""What the kernel's default nf_conntrack_max, which belongs to the whole machine, leaves room for."""


def measure(count: int, packets: int, say: Say, most: int = MOST) -> dict[str, Any]:
    with estate() as made, ExitStack() as stack:
        say("building the gateways")
        plain = stack.enter_context(gateway(stand(made, "plain")))
        nat64 = stack.enter_context(gateway(peers.v6native(stand(made, "nat64"), sessions=ROOM)))
        nat44 = stack.enter_context(gateway(_nat44(stand(made, "nat44"))))
        live = tuple(number for number in LIVE if number <= most)
        new = _new(plain, nat64, nat44, count, min(most, NEW), say)
        steady = _live(plain, nat64, nat44, count, packets, live, say)
        held = peers.plane(nat64.chain)
        say("memory")
        return {
            "rounds": count,
            "new": new,
            "live": steady,
            "memory": memory.of(held, ROOM),
        }


def _nat44(chain: Chain) -> Chain:
    """Masquerade has 64,000 ports for one destination: here it has as many addresses as the NAT64."""
    peers.masquerade(chain)
    chain.gateway.run("nft", "-f", "-", stdin=peers.SOURCE_NAT)
    return chain


def _pattern(chain: Chain, flows: int) -> Pattern:
    lane = chain.lanes[0]
    if chain.name == "nat64":
        return up64(chain, lane, flows, FLOWS_OF_A_CLIENT)
    if chain.name == "nat44":
        return up4(chain, lane, flows, FLOWS_OF_A_CLIENT)
    return up6(chain, lane, flows, FLOWS_OF_A_CLIENT)


def _new(plain: Gateway, nat64: Gateway, nat44: Gateway, count: int, flows: int, say: Say) -> dict[str, Any]:
    """Each packet the first of its flow. In between everything is forgotten, by `down` and `up` and by `conntrack -F`."""
    ways = {PLAIN: plain, NAT64: nat64, NAT44: nat44}

    def one(way: Gateway) -> float:
        _forget(way.chain)
        return first_packets(way.upward(_pattern(way.chain, flows)), flows)

    samples = rounds({name: partial(one, way) for name, way in ways.items()}, count, say, f"{flows:,} new sessions, ")
    rows = []
    for name in samples:
        spent = Spread.of(samples[name])
        rows.append({"path": name, "ns": spent, "per_second": 1e9 / spent.median})
    return {"flows": flows, "rows": rows}


def first_packets(path: Path, flows: int) -> float:
    """Nanoseconds for the first packet of a flow, without the generator's own."""
    path.generator.aim(path.pattern, away=True)
    own = path.generator.send(flows)
    path.generator.aim(path.pattern)
    before = settled(path.sink)
    sent = path.generator.send(flows)
    arrived = settled(path.sink) - before
    if arrived < flows * (1 - path.lost_at_most):
        raise BenchFailed(f"of {flows} new sessions {flows - arrived} did not come about")
    return sent.cpu / arrived - own.cpu / flows


def _forget(chain: Chain) -> None:
    if chain.name == "nat64":
        peers.lower(chain)
        peers.v6native(chain, sessions=ROOM)
    elif chain.name == "nat44":
        chain.gateway.run("conntrack", "-F")


def _live(
    plain: Gateway, nat64: Gateway, nat44: Gateway, count: int, packets: int, live: tuple[int, ...], say: Say
) -> list[dict[str, Any]]:
    """More and more sessions, and packets of all of them in turn, none next to the one before."""
    ways = {PLAIN: plain, NAT64: nat64, NAT44: nat44}
    found: dict[int, Samples] = {}
    for number in live:
        fits = [name for name in ways if name != NAT44 or number <= CONNTRACK_ROOM]
        patterns = {name: ways[name].upward(_pattern(ways[name].chain, number)) for name in fits}
        for path in patterns.values():
            open_flows(path)
        costs = {name: partial(cost, path, packets) for name, path in patterns.items()}
        found[number] = rounds(costs, count, say, f"{number:,} live, ")
    least = live[0]
    rows = []
    for number in live:
        for name in found[number]:
            spent = Spread.of(found[number][name])
            fewest = {"now": found[number][name], "fewest": found[least][name]}
            rows.append(
                {
                    "path": name,
                    "live": number,
                    "ns": spent,
                    "packets_per_second": 1e9 / spent.median,
                    "beside_fewest": ratios(fewest, "now", "fewest", inverse=True),
                }
            )
    return rows
