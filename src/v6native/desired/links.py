# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Interfaces: a veth pair for each translator, the slow path's TAP device, one WireGuard interface a tunnel."""

from __future__ import annotations

from v6native.desired.node import Here, tunnel_interface
from v6native.desired.state import CLAT, CLAT_X, NAT64, NAT64_X, SLOW, Link, LinkKind

VETH_MTU = 65535
"""Routes limit packets, never the veth: a GSO frame counts whole against a device's MTU in some paths."""

TAP_MTU = 65521
"""The most that a TAP device takes: 65535 less its Ethernet header (drivers/net/tun.c)."""

MAC = {
    NAT64: "02:76:36:00:64:11",
    NAT64_X: "02:76:36:00:64:01",
    CLAT: "02:76:36:00:64:12",
    CLAT_X: "02:76:36:00:64:02",
    SLOW: "02:76:36:00:64:03",
}
"""Fixed, locally administered: the gateway's neighbour entry stays right whatever is made again."""

NO_GSO = frozenset({"tx-udp-segmentation", "tx-gso-list", "tx-sctp-segmentation"})
"""Off where packets are sent into a translator: bpf_skb_change_proto keeps only TCP's segmentation (kernel 6.1 to 6.18)."""


def links(here: Here) -> tuple[Link, ...]:
    wanted: list[Link] = []
    if here.nat64:
        wanted += _pair(NAT64, NAT64_X)
    if here.clat:
        wanted += _pair(CLAT, CLAT_X)
    if here.nat64 or here.clat:
        wanted.append(Link(SLOW, LinkKind.TAP, TAP_MTU, MAC[SLOW]))
    wanted += [Link(tunnel_interface(t.name), LinkKind.WIREGUARD, t.mtu) for t in here.tunnels]
    return tuple(wanted)


def _pair(host: str, translator: str) -> list[Link]:
    return [
        Link(host, LinkKind.VETH, VETH_MTU, MAC[host], translator, NO_GSO),
        Link(translator, LinkKind.VETH, VETH_MTU, MAC[translator], host),
    ]
