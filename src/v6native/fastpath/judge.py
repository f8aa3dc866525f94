# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the packets of a pair of interfaces may pass by the host's stack, and if not, why. Pure.

The rule: whatever of the operator's would have seen, changed or dropped a packet on the interface path, or might have,
is a reason. What a packet meets on the fast path too is none: XDP and tc programs in front of us, and the queues of the
interface that it leaves by, as far as they only order and delay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from v6native.desired.dataplane import FastPair
from v6native.desired.state import NAT64, NAT64_X
from v6native.fastpath.facts import ETHERNET, NO_HEADER, Chain, Device, Foreign

HARMLESS_QDISCS = frozenset(
    {
        "noqueue",
        "mq",
        "fq_codel",
        "fq",
        "fq_pie",
        "pfifo_fast",
        "pfifo",
        "bfifo",
        "codel",
        "pie",
        "cake",
        "sfq",
        "red",
        "tbf",
    }
)
"""Without classes: nothing but the packet decides, and it is the same packet."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reasons`: why not; none: it may. `…_l3`: that interface's packets have no link-layer header."""

    pair: FastPair
    reasons: tuple[str, ...]
    ingress_l3: bool = False
    egress_l3: bool = False

    @property
    def on(self) -> bool:
        return not self.reasons


def judge(pairs: Sequence[FastPair], foreign: Foreign) -> tuple[Verdict, ...]:
    verdicts = tuple(_verdict(pair, foreign) for pair in pairs)
    here = [v for v in verdicts if v.pair.ingress in foreign.devices and v.pair.egress in foreign.devices]
    off = next((v.pair for v in here if not v.on), None)
    if off is None or not foreign.tracking:
        return verdicts
    # Tracking sees whole connections or none, and the half behind the NAT64 is the same for all pairs.
    reason = f"connections are tracked, for {off.ingress} → {off.egress} too, which is off"
    return tuple(replace(v, reasons=(reason,)) if v.on else v for v in verdicts)


def _verdict(pair: FastPair, foreign: Foreign) -> Verdict:
    ingress, egress = foreign.devices.get(pair.ingress), foreign.devices.get(pair.egress)
    reasons = (*_links(pair, foreign), *_concerning(pair, foreign))
    return Verdict(
        pair,
        tuple(dict.fromkeys(reasons)),
        ingress_l3=ingress is not None and ingress.kind == NO_HEADER,
        egress_l3=egress is not None and egress.kind == NO_HEADER,
    )


def _links(pair: FastPair, foreign: Foreign) -> Iterator[str]:
    for name in dict.fromkeys((pair.ingress, pair.egress)):
        device = foreign.devices.get(name)
        if device is None:
            yield f"there is no interface {name}"
            continue
        if device.kind not in (ETHERNET, NO_HEADER):
            yield f"{name} is a kind of link that the fast path does not know (ARPHRD {device.kind})"
        if device.master is not None:
            yield f"{name} belongs to {device.master}: name {device.master} in the file instead"
        for merging in device.merging:
            yield f"{merging} keeps merged packets as lists: `ethtool -K {merging} rx-gro-list off`"
        for part in (name, *device.ports):
            for found in foreign.filters.get(part, ()):
                yield f"tc filter on {part}: {found}"
        yield from _qdiscs(name, device, foreign)


def _qdiscs(name: str, device: Device, foreign: Foreign) -> Iterator[str]:
    for part in (name, *device.ports):
        for kind in foreign.qdiscs.get(part, ()):
            if kind not in HARMLESS_QDISCS:
                yield f"queueing discipline {kind} on {part}"


def _concerning(pair: FastPair, foreign: Foreign) -> Iterator[str]:
    ports = [p for name in (pair.ingress, pair.egress) if (d := foreign.devices.get(name)) for p in d.ports]
    seen = frozenset((pair.ingress, pair.egress, *ports))
    for chain in foreign.chains:
        yield from _chain(chain, pair, seen)
    yield from (f"iptables-legacy: {table}" for table in foreign.tables)
    yield from (f"policy routing rule {rule}" for rule in foreign.rules)
    yield from (f"IPsec: {policy}" for policy in foreign.policies)
    yield from foreign.unread


def _chain(chain: Chain, pair: FastPair, seen: frozenset[str]) -> Iterable[str]:
    if chain.devices is not None and not chain.devices & seen:
        return
    if chain.drops:
        yield f"nftables {chain.where} drops by default"
    # The packet comes in twice and leaves twice on the interface path: by nat64, and back from it.
    into, out = frozenset((pair.ingress, NAT64_X)), frozenset((pair.egress, NAT64))
    if any((r.iif is None or r.iif & into) and (r.oif is None or r.oif & out) for r in chain.rules):
        yield f"nftables {chain.where} has rules ({chain.hook})"
