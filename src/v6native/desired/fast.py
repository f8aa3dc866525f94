# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Between which interfaces the fast path would like to send, and its programs. Whether it may is judged as the node runs."""

from __future__ import annotations

from v6native.config.model import Config, FastPath
from v6native.desired.dataplane import FastPair
from v6native.desired.node import tunnel_interface

FAST, FAST_STEER, STEER, STEER_LO = "fast", "fast_steer", "steer_uplink", "steer_lo"


def fast_pairs(config: Config, name: str) -> tuple[FastPair, ...]:
    """From each LAN and tunnel to the uplink, and back; only what the file says decides. KeyError: no such node."""
    node = config.node(name)
    nat64 = config.nat64.enabled and node.pool4 and config.network.pref64
    if not nat64 or config.nat64.fast_path is FastPath.OFF:
        return ()
    inside = dict.fromkeys([*node.lan, *(tunnel_interface(t.name) for t in config.tunnels if t.node == name)])
    return tuple(
        pair for lan in inside for pair in (FastPair(lan, node.uplink, True), FastPair(node.uplink, lan, False))
    )


def programs(fast: tuple[FastPair, ...], steered: tuple[str, ...]) -> dict[str, str]:
    """The program of each interface: one does both where both are wanted, because the fast path must come first."""
    wanted = dict.fromkeys(steered, STEER)
    for pair in fast:
        wanted[pair.ingress] = FAST_STEER if pair.ingress in steered else FAST
    return wanted
