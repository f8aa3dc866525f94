# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""TCP through a gateway, by iperf3: one stream and four, offloads on and off, both ways, beside plain IPv6 forwarding.

Both ends are pinned, the client to CPU 0 and the server to CPU 1: where the scheduler puts them else decides more than the path
does. Four streams stay bimodal all the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from bench import peers
from bench.chain import PREF64, Chain, estate, stand
from bench.generator import BenchFailed
from bench.packets import Say
from bench.runs import Spread, ratios, rounds
from bench.targets import FAST, NAT44, NAT64, PLAIN, TAYGA
from v6native.address import embed
from v6native.lab.lab import IPERF_PORT
from v6native.lab.node import Node
from v6native.lab.wait import wait_until

OFFLOADS = ("tx", "rx", "sg", "tso", "gso", "gro")
BUSY = "the server is busy"
"""What iperf3 says in its JSON."""
STREAMS = (1, 4)
SECONDS = 1
"""Of a run, behind the one that is left out at its begin. Many short pairs find the machine in the same mood more often."""


def measure(count: int, say: Say, *, offloads: bool) -> dict[str, Any]:
    with estate() as made:
        say("building the gateways")
        chains = {
            PLAIN: stand(made, "plain"),
            NAT44: peers.masquerade(stand(made, "nat44")),
            NAT64: peers.v6native(stand(made, "nat64")),
            FAST: peers.v6native(stand(made, "fast"), fast=True),
        }
        if offloads:
            chains[TAYGA] = stand(made, "tayga")
            peers.tayga(chains[TAYGA])
        for chain in chains.values():
            serve(chain.servers[0])
            if not offloads:
                switch_off(chain)
        ends = {name: (chain.clients[0], _target(chain, name)) for name, chain in chains.items()}
        rows = compare(ends, dict.fromkeys(STREAMS, count), SECONDS, say)
    return {"offloads": offloads, "rounds": count, "seconds": SECONDS, "rows": rows}


def _target(chain: Chain, name: str) -> str:
    lane = chain.lanes[0]
    return str({PLAIN: lane.server6, NAT44: lane.server4}.get(name, embed(PREF64, lane.server4)))


def compare(
    ends: Mapping[str, tuple[Node, str]], streams: Mapping[int, int], seconds: int, say: Say
) -> list[dict[str, Any]]:
    """A row for each path, number of streams and direction.

    `ends`: a path's client, and the address it asks. `streams`: how many rounds for each number of streams.
    """
    rows = []
    for number, count in streams.items():
        for direction in ("up", "down"):
            runs = {
                name: partial(speed, client, target, number, seconds, reverse=direction == "down")
                for name, (client, target) in ends.items()
            }
            samples = rounds(runs, count, say, f"TCP {direction}, {number} streams, ")
            for name in samples:
                row = {"streams": number, "direction": direction, "path": name, "rounds": count}
                rows.append({**row, "gbit_s": Spread.of(samples[name]), "beside_plain": ratios(samples, name, PLAIN)})
    return rows


def serve(node: Node) -> None:
    node.start("iperf3", "iperf3", "--server")
    node.wait_listening("tcp", IPERF_PORT)


def speed(client: Node, target: str, streams: int, seconds: int, *, reverse: bool) -> float:
    """Gbit/s received."""
    argv = ["iperf3", "-c", target, "-J", "-t", str(seconds), "-O", "1", "-P", str(streams), "-A", "0,1"]
    command = [*argv, *(["-R"] if reverse else [])]
    told: dict[str, Any] = {}

    def measured() -> bool:
        """The server ends a test a moment after its client, and takes no other one before."""
        done = client.run(*command, timeout=seconds + 30, check=False)
        told.clear()
        told.update(json.loads(done.out) if done.out.lstrip().startswith("{") else {"error": done.err.strip()})
        return BUSY not in told.get("error", "")

    wait_until(measured, 20, f"iperf3's server at {target} is busy all the time")
    if "error" in told:
        raise BenchFailed(f"iperf3 to {target}: {told['error']}")
    return float(told["end"]["sum_received"]["bits_per_second"]) / 1e9


def switch_off(chain: Chain) -> None:
    """On every cable; the translator's own interfaces stay as they are."""
    settings = [word for offload in OFFLOADS for word in (offload, "off")]
    lane = chain.lanes[0]
    ends = [
        (chain.clients[0], "eth0"),
        (chain.servers[0], "eth0"),
        (chain.gateway, lane.lan),
        (chain.gateway, lane.uplink),
    ]
    for node, interface in ends:
        node.run("ethtool", "-K", interface, *settings)
