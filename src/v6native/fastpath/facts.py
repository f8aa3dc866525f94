# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What is not ours and could want to see a packet on its way. system/foreign.py reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ETHERNET, NO_HEADER = 1, 65534
"""linux/if_arp.h: ARPHRD_ETHER; ARPHRD_NONE, which WireGuard and TUN devices have."""


@dataclass(frozen=True, slots=True)
class Device:
    """An interface. `kind` is ARPHRD_*; `master` is the bridge, bond or VRF that it belongs to; `ports` belong to it.

    `merging`: itself or ports that keep merged packets as lists (rx-gro-list), which no translation survives.
    """

    kind: int
    master: str | None = None
    ports: tuple[str, ...] = ()
    merging: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a base chain, as far as it says which interfaces it is for; None: any."""

    iif: frozenset[str] | None = None
    oif: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """A base chain of nftables that is not ours. `devices` None: all, or not told.

    Of a chain at output only rules that ask for the state of a connection are told: the node's ICMP errors pass there.
    """

    where: str
    hook: str
    drops: bool = False
    rules: tuple[Rule, ...] = ()
    devices: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Foreign:
    """All of it. `filters` and `qdiscs` are by interface, `policies` and `tables` in words.

    `unread` is what could not be read, in words: nobody knows what stands there. `tracking`: connections are tracked.
    """

    devices: Mapping[str, Device] = field(default_factory=dict)
    chains: tuple[Chain, ...] = ()
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    qdiscs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    tracking: bool = False
