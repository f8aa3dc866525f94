# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The host as it was found: only what is ours, and what is not ours but decides what we do. system/observe fills it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address

from v6native.desired.dataplane import Attachment
from v6native.desired.state import Address, LinkKind, Neighbour, Route, Rule, WireGuard


@dataclass(frozen=True, slots=True)
class FoundLink:
    """Any interface. `ours`: it carries our alias. `on`: the offloads we care about that are on and can be off."""

    name: str
    kind: LinkKind
    mtu: int
    mac: str | None = None
    peer: str | None = None
    up: bool = False
    ours: bool = False
    on: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FoundWireGuard:
    """`keyed`: the interface holds the private key that lies in our secrets folder."""

    settings: WireGuard
    keyed: bool


@dataclass(frozen=True, slots=True)
class Saved:
    """What the host was like before we changed it (saved.json); an entry is dropped once it is restored.

    `sysctls` maps a key to its old value.
    `local_rule`: the kernel's rule of preference 0 was there and was removed by us.
    """

    sysctls: Mapping[str, str] = field(default_factory=dict)
    local_rule: bool = False


@dataclass(frozen=True, slots=True)
class Actual:
    """`routes`, `rules` and `neighbours` are ours only (protocol 164, or permanent on an interface of ours).

    `local_rule`: IPv4's rule of preference 0 is there. `files` maps names in the run folder to their text.
    `loaded`: a data plane of ours is in the kernel; `pending` is what telling it the wanted configuration would change.
    `attached` are our tc programs.
    `draining` are addresses that left pool4 and still have sessions.
    `missing` maps a part that could not be read to the reason (nft not installed …): diff leaves that part alone.
    """

    links: Mapping[str, FoundLink] = field(default_factory=dict)
    addresses: frozenset[Address] = frozenset()
    routes: frozenset[Route] = frozenset()
    rules: frozenset[Rule] = frozenset()
    local_rule: bool = True
    neighbours: frozenset[Neighbour] = frozenset()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    nft: Mapping[str, str] = field(default_factory=dict)
    wireguard: Mapping[str, FoundWireGuard] = field(default_factory=dict)
    attached: frozenset[Attachment] = frozenset()
    loaded: bool = False
    pending: tuple[str, ...] = ()
    draining: frozenset[IPv4Address] = frozenset()
    files: Mapping[str, str] = field(default_factory=dict)
    saved: Saved = field(default_factory=Saved)
    missing: Mapping[str, str] = field(default_factory=dict)


def without_links(actual: Actual, names: frozenset[str]) -> Actual:
    """What is left when the kernel removes these interfaces: everything on them goes, a veth's other end too."""
    gone = names | {link.name for link in actual.links.values() if link.peer in names}
    return replace(
        actual,
        links={name: link for name, link in actual.links.items() if name not in gone},
        addresses=frozenset(a for a in actual.addresses if a.interface not in gone),
        routes=frozenset(r for r in actual.routes if r.device not in gone),
        neighbours=frozenset(n for n in actual.neighbours if n.interface not in gone),
        sysctls={key: value for key, value in actual.sysctls.items() if interface_of(key) not in gone},
        wireguard={name: found for name, found in actual.wireguard.items() if name not in gone},
        attached=frozenset(a for a in actual.attached if a.interface not in gone),
    )


def interface_of(key: str) -> str | None:
    """The interface that a sysctl belongs to; None for one of the whole host."""
    parts = key.split("/")
    if len(parts) >= 5 and parts[2] in ("conf", "neigh") and parts[3] not in ("all", "default"):
        return parts[3]
    return None
