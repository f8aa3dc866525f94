# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Small packets through a gateway, on one core, both ways: what a packet costs on each path, beside plain forwarding.

The generator's own cost is measured with each path's own frames, right before it, and taken off.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench import peers
from bench.chain import PREF64, Chain, Lane, estate, received, stand, take_packets
from bench.frames import Endpoint, Pattern, Vary, udp_frame
from bench.generator import BenchFailed, Generator
from bench.runs import Samples, Spread, ratios, rounds
from bench.targets import CLAT, FAST, NAT44, NAT64, PLAIN, TAYGA
from v6native.address import embed
from v6native.lab.estate import Estate
from v6native.lab.node import Node

CPU = 1
"""Where generator, gateway and sink are; the other one is left to the rest of the machine."""
FLOWS = 1024
CLIENT_PORT, SERVER_PORT = 10000, 53
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Path:
    """`generator` sends `pattern`; what arrives at `sink` came through. `burst`, `pause`: as much as it can take at once.

    `part`: of the packets that others get. Each burst costs the kernel a grace period, milliseconds on a busy machine.
    """

    generator: Generator
    pattern: Pattern
    sink: Node
    burst: int | None = None
    pause: float = 0.0
    lost_at_most: float = 0.001
    part: float = 1.0


def cost(path: Path, packets: int) -> float:
    """Nanoseconds of CPU a packet, without the generator's."""
    packets = round(packets * path.part)
    path.generator.aim(path.pattern, away=True)
    own = path.generator.send(packets)
    path.generator.aim(path.pattern)
    path.generator.send(path.pattern.flows, burst=path.burst, pause=path.pause)
    before = settled(path.sink)
    sent = path.generator.send(packets, burst=path.burst, pause=path.pause)
    arrived = settled(path.sink) - before
    if arrived < packets * (1 - path.lost_at_most):
        raise BenchFailed(f"of {packets} packets {packets - arrived} were lost: the figure would mean nothing")
    return sent.cpu / arrived - own.cpu / packets


def settled(node: Node) -> int:
    """What arrived, once nothing more does."""
    last = -1
    while (now := received(node)) != last:
        last = now
        time.sleep(0.02)
    return now


def up6(chain: Chain, lane: Lane, flows: int = FLOWS, per_client: int = 64, **more: Any) -> Pattern:
    """Plain IPv6, from the clients."""
    source, to = (lane.clients6[5], CLIENT_PORT), (lane.server6, SERVER_PORT)
    return Pattern(udp_frame(chain.macs_up(lane), source, to), flows, per_client, **more)


def down6(chain: Chain, lane: Lane, flows: int = FLOWS) -> Pattern:
    source, to = (lane.server6, SERVER_PORT), (lane.clients6[5], CLIENT_PORT)
    return Pattern(udp_frame(chain.macs_down(lane), source, to), flows, vary=Vary.DESTINATION)


def up4(chain: Chain, lane: Lane, flows: int = FLOWS, per_client: int = 64, **more: Any) -> Pattern:
    source, to = (lane.clients4[5], CLIENT_PORT), (lane.server4, SERVER_PORT)
    return Pattern(udp_frame(chain.macs_up(lane), source, to), flows, per_client, **more)


def down4(chain: Chain, lane: Lane, flows: int = FLOWS) -> Pattern:
    source, to = (lane.server4, SERVER_PORT), (lane.clients4[5], CLIENT_PORT)
    return Pattern(udp_frame(chain.macs_down(lane), source, to), flows, vary=Vary.DESTINATION)


def up64(chain: Chain, lane: Lane, flows: int = FLOWS, per_client: int = 64, **more: Any) -> Pattern:
    """To an IPv4 server through the NAT64."""
    source, to = (lane.clients6[5], CLIENT_PORT), (embed(PREF64, lane.server4), SERVER_PORT)
    return Pattern(udp_frame(chain.macs_up(lane), source, to), flows, per_client, **more)


def up464(chain: Chain, lane: Lane) -> Pattern:
    """From the tunnel's client, by IPv4: CLAT, then NAT64. All flows are its own."""
    source, to = (peers.CLAT_CLIENT, CLIENT_PORT), (lane.server4, SERVER_PORT)
    return Pattern(udp_frame(chain.macs_up(lane), source, to), FLOWS, per_client=FLOWS)


def down_to(chain: Chain, lane: Lane, endpoints: Sequence[Endpoint]) -> Pattern:
    """Back to the addresses and ports that a NAT gave to the flows that are open."""
    if not endpoints:
        raise BenchFailed(f"{chain.name}: no session is open to send anything back to")
    to = endpoints[0]
    frame = udp_frame(chain.macs_down(lane), (to.remote, SERVER_PORT), (to.address, to.port))
    return Pattern(frame, len(endpoints), vary=Vary.TABLE, endpoints=endpoints)


def session_endpoints(chain: Chain) -> list[Endpoint]:
    return [Endpoint(each.remote4, each.address4, each.port4) for each in peers.plane(chain).sessions()]


def masqueraded(lane: Lane, pattern: Pattern) -> list[Endpoint]:
    """nftables keeps a source port that is free, as all are where each flow has its own."""
    first = lane.server4
    return [Endpoint(first + flow % pattern.remotes, lane.up4, CLIENT_PORT + flow) for flow in range(pattern.flows)]


@dataclass(frozen=True, slots=True)
class Gateway:
    """A chain with a generator at either end."""

    chain: Chain
    up: Generator
    down: Generator

    @property
    def lane(self) -> Lane:
        return self.chain.lanes[0]

    def upward(self, pattern: Pattern, **more: Any) -> Path:
        return Path(self.up, pattern, self.chain.servers[0], **more)

    def downward(self, pattern: Pattern, **more: Any) -> Path:
        return Path(self.down, pattern, self.chain.clients[0], **more)


@contextmanager
def gateway(chain: Chain, cpu: int = CPU, others: Sequence[int] = ()) -> Iterator[Gateway]:
    take_packets(chain)
    with (
        Generator(chain.clients[0], "eth0", cpu, others) as up,
        Generator(chain.servers[0], "eth0", cpu, others) as down,
    ):
        yield Gateway(chain, up, down)


def open_flows(path: Path) -> None:
    """One packet of each flow."""
    path.generator.aim(path.pattern)
    path.generator.send(path.pattern.flows, burst=path.burst, pause=path.pause)
    settled(path.sink)


def paths(made: Estate, stack: ExitStack) -> dict[str, dict[str, Path]]:
    """By direction and name. Every flow has been answered: to the kernel's NAT44 it is established then."""
    plain = stack.enter_context(gateway(stand(made, "plain")))
    nat44 = stack.enter_context(gateway(peers.masquerade(stand(made, "nat44"))))
    nat64 = stack.enter_context(gateway(peers.v6native(stand(made, "nat64"))))
    fast = stack.enter_context(gateway(peers.v6native(stand(made, "fast"), fast=True)))
    clat = stack.enter_context(gateway(peers.v6native(stand(made, "clat"), clat=True)))
    tayga = stand(made, "tayga")
    user = stack.enter_context(gateway(tayga, others=[peers.tayga(tayga, CPU)]))
    lane = plain.lane
    slowly = {"burst": 128, "pause": 0.0015, "lost_at_most": 0.05, "part": 0.05}
    up = {
        PLAIN: plain.upward(up6(plain.chain, lane)),
        "plain IPv4 forwarding": plain.upward(up4(plain.chain, lane)),
        NAT44: nat44.upward(up4(nat44.chain, lane, per_client=FLOWS)),
        NAT64: nat64.upward(up64(nat64.chain, lane)),
        FAST: fast.upward(up64(fast.chain, lane)),
        CLAT: clat.upward(up464(clat.chain, lane)),
        TAYGA: user.upward(up64(user.chain, lane), **slowly),
    }
    for path in up.values():
        open_flows(path)
    down = {
        PLAIN: plain.downward(down6(plain.chain, lane)),
        "plain IPv4 forwarding": plain.downward(down4(plain.chain, lane)),
        NAT44: nat44.downward(down_to(nat44.chain, lane, masqueraded(lane, up[NAT44].pattern))),
        NAT64: nat64.downward(down_to(nat64.chain, lane, session_endpoints(nat64.chain))),
        FAST: fast.downward(down_to(fast.chain, lane, session_endpoints(fast.chain))),
        CLAT: clat.downward(down_to(clat.chain, lane, session_endpoints(clat.chain))),
    }
    for path in down.values():
        open_flows(path)
    return {"up": up, "down": down}


def measure(count: int, packets: int, say: Say) -> dict[str, Any]:
    rows = []
    with estate() as made, ExitStack() as stack:
        say("building the gateways")
        for direction, ways in paths(made, stack).items():
            costs = {name: partial(cost, path, packets) for name, path in ways.items()}
            spent = rounds(costs, count, say, f"packets {direction}, ")
            rows += [_row(direction, name, spent) for name in spent]
    return {"flows": FLOWS, "rounds": count, "packets": packets, "rows": rows}


def _row(direction: str, name: str, samples: Samples) -> dict[str, Any]:
    spent = Spread.of(samples[name])
    return {
        "direction": direction,
        "path": name,
        "ns": spent,
        "packets_per_second": 1e9 / spent.median,
        "beside_plain": ratios(samples, name, PLAIN, inverse=True),
    }
