# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What two cores carry beside one: through one gateway and its one set of tables, a generator and a lane for each core.

Each core's packets are counted against the CPU time that they took there: what the cores do to each other is in it, what
others do to both is not.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from functools import partial
from statistics import fmean
from typing import Any

from bench import peers
from bench.chain import Chain, estate, stand, take_packets
from bench.frames import Pattern
from bench.generator import BenchFailed, Generator
from bench.packets import Path, Say, open_flows, settled, up6, up64
from bench.runs import Spread, rounds
from bench.targets import NAT64, PLAIN

CPUS = (0, 1)


def measure(count: int, packets: int, say: Say) -> dict[str, Any]:
    with estate() as made, ExitStack() as stack:
        say("building the gateways")
        plain = stand(made, "plain", lanes=len(CPUS))
        nat64 = peers.v6native(stand(made, "nat64", lanes=len(CPUS)))
        ways = {PLAIN: _paths(plain, stack), NAT64: _paths(nat64, stack)}
        for paths in ways.values():
            for path in paths:
                open_flows(path)
        costs = {
            f"{name}, {cores}": partial(way, paths, packets)
            for name, paths in ways.items()
            for cores, way in (("one core", alone), ("two cores", rate))
        }
        samples = rounds(costs, count, say, "cores, ")
    rows = []
    for name in ways:
        single, double = samples[f"{name}, one core"], samples[f"{name}, two cores"]
        rows.append(
            {
                "path": name,
                "one": Spread.of(single),
                "two": Spread.of(double),
                "two_beside_one": Spread.of(two / one for one, two in zip(single, double, strict=True)),
            }
        )
    return {"rounds": count, "packets": packets, "rows": rows}


def _paths(chain: Chain, stack: ExitStack) -> list[Path]:
    take_packets(chain)
    found = []
    for lane, cpu in zip(chain.lanes, CPUS, strict=True):
        generator = stack.enter_context(Generator(chain.clients[lane.number], "eth0", cpu))
        pattern: Pattern = up64(chain, lane) if chain.name == "nat64" else up6(chain, lane)
        found.append(Path(generator, pattern, chain.servers[lane.number]))
    return found


def alone(paths: list[Path], packets: int) -> float:
    """What one core carries while the other one has nothing to do: the mean of both, which are not alike to the machine."""
    return fmean(rate([path], packets) for path in paths)


def rate(paths: list[Path], packets: int) -> float:
    """Packets that arrive for each second of CPU, summed over the cores, all generators at once."""
    before = [settled(path.sink) for path in paths]
    seconds: list[float] = []
    for path in paths:
        path.generator.aim(path.pattern)

    def send(path: Path) -> None:
        seconds.append(path.generator.send(packets).cpu / 1e9)

    threads = [threading.Thread(target=send, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    arrived = [settled(path.sink) - start for path, start in zip(paths, before, strict=True)]
    if sum(arrived) < packets * len(paths) * (1 - paths[0].lost_at_most):
        raise BenchFailed(f"of {packets * len(paths)} packets only {sum(arrived)} arrived")
    return sum(packets / taken for taken in seconds)
