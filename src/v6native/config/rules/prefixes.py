# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Prefixes: the network's, the pref64s (RFC 6052 §2.2, §3), the tunnels'."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network

from v6native.address import PREFIX_LENGTHS, WKP, is_wkp, valid_pref64
from v6native.config.positions import KeyPath
from v6native.config.problem import ConfigProblem
from v6native.config.rules.draft import Draft

MAX_PREF64 = 4  # bpf/abi.h has room for so many
LOCAL_USE = IPv6Network("64:ff9b:1::/48")  # RFC 8215
CLAT4_SPACE = tuple(map(IPv4Network, ("100.64.0.0/10", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
Placed = tuple[KeyPath, IPv6Network]


def check(draft: Draft) -> Iterator[ConfigProblem]:
    ours: list[Placed] = [(("network", "prefix", i), p) for i, p in enumerate(draft.config.network.prefix)]
    pref64: list[Placed] = [(("network", "pref64", i), p) for i, p in enumerate(draft.config.network.pref64)]
    tunnels: list[Placed] = [(("tunnel", t.name, "prefix"), t.prefix) for t in draft.config.tunnels]
    for path, prefix in ours:
        if prefix.is_multicast or prefix.is_link_local or prefix.is_loopback:
            remedy = "write the prefix that your provider routes to you, or one of fd00::/8"
            yield draft.error("prefix", path, f"{prefix} cannot be routed", remedy)
    yield from _disjoint(draft, ours, "prefix")
    yield from _pref64(draft, pref64, [p for _, p in ours])
    yield from _disjoint(draft, draft.pref64, "pref64")
    for path, prefix in draft.pref64:
        for other, tunnel in tunnels:
            if prefix.overlaps(tunnel):
                what = (
                    f"the pref64 {prefix} overlaps {tunnel}, the prefix of the tunnel {other[1]} ({draft.line(other)})"
                )
                yield draft.error("overlap", path, what, "take a /96 of the network's prefix that nothing else uses")
    yield from _tunnels(draft, tunnels)
    yield from _clat4(draft)


def _pref64(draft: Draft, pref64: Sequence[Placed], ours: Sequence[IPv6Network]) -> Iterator[ConfigProblem]:
    if len(pref64) > MAX_PREF64:
        what = f"{len(pref64)} pref64s are given, the translator holds {MAX_PREF64}"
        yield draft.error("too-many", ("network", "pref64"), what, "remove some")
    for path, prefix in pref64:
        if problem := valid_pref64(prefix):
            yield draft.error("pref64", path, problem, f'write "{_nearest_pref64(prefix)}"')
            continue
        inside = [p for p in ours if p.subnet_of(prefix)]
        if inside:
            what = f"{prefix} holds {inside[0]}, the network itself: all of its traffic would be translated"
            yield draft.error("overlap", path, what, f'write another one, like "{part_for_pref64(inside[0])}"')
        elif (
            ours
            and not is_wkp(prefix)
            and not prefix.subnet_of(LOCAL_USE)
            and not any(prefix.subnet_of(p) for p in ours)
        ):
            what = f"{prefix} is neither {WKP} nor inside network.prefix, so nobody routes it to us"
            yield draft.warning(
                "not-ours", path, what, f'write "{part_for_pref64(ours[0])}", or add it to network.prefix'
            )


def _tunnels(draft: Draft, tunnels: Sequence[Placed]) -> Iterator[ConfigProblem]:
    ours = draft.config.network.prefix
    for path, prefix in tunnels:
        if ours and not any(prefix.subnet_of(p) for p in ours):
            what = f"{prefix} is not inside network.prefix, so no answers come back to its clients"
            inside = IPv6Network((int(ours[0].network_address) | (0xA << 64 if ours[0].prefixlen <= 60 else 0), 64))
            hint = f'like "{inside}"' if ours[0].prefixlen <= 64 else f"inside {ours[0]}"
            yield draft.error("outside", path, what, f"write a part of {ours[0]}, {hint}; or add it to network.prefix")
        if prefix.prefixlen > 126:
            yield draft.error("prefix", path, f"{prefix} has no room for a client", "write a /64")
    yield from _disjoint(draft, tunnels, "tunnel prefix")


def _clat4(draft: Draft) -> Iterator[ConfigProblem]:
    seen: list[tuple[str, IPv4Network]] = []
    for tunnel in draft.config.tunnels:
        clat4, path = tunnel.clat4, ("tunnel", tunnel.name, "clat4")
        if clat4 is None:
            continue
        if not any(clat4.subnet_of(space) for space in CLAT4_SPACE):
            what = f"{clat4} is neither in 100.64.0.0/10 nor private, so it belongs to somebody else"
            yield draft.error("outside", path, what, 'write a part of 100.64.0.0/10, like "100.64.0.0/16"')
        if clat4.prefixlen > 30:
            yield draft.error("prefix", path, f"{clat4} has no room for a client", "write a /24 or a shorter length")
        for other, network in seen:
            if network.overlaps(clat4):
                what = f"{clat4} overlaps {network} of the tunnel {other} ({draft.line(('tunnel', other, 'clat4'))})"
                remedy = "give each tunnel its own: all of them meet in the one prefix of the CLAT"
                yield draft.error("overlap", path, what, remedy)
        seen.append((tunnel.name, clat4))


def _disjoint(draft: Draft, placed: Sequence[Placed], word: str) -> Iterator[ConfigProblem]:
    for at, (path, prefix) in enumerate(placed):
        for other, before in placed[:at]:
            if prefix == before:
                what = f"the {word} {prefix} is given twice, first on {draft.line(other)}"
                yield draft.error("duplicate", path, what, "remove one of the two")
            elif prefix.overlaps(before):
                what = f"the {word} {prefix} overlaps {before} ({draft.line(other)})"
                yield draft.error("overlap", path, what, "write prefixes that have no address in common")


def _nearest_pref64(prefix: IPv6Network) -> IPv6Network:
    """What was probably meant by a prefix that is no pref64."""
    first = prefix.network_address
    if prefix.overlaps(WKP) or first.is_multicast or first.is_link_local or int(first) >> 96 == 0:
        return WKP
    length = next((n for n in PREFIX_LENGTHS if n >= prefix.prefixlen), 96)
    without_u = int(first) & ~(0xFF << 56)
    return IPv6Network((without_u >> (128 - length) << (128 - length), length))


def part_for_pref64(ours: IPv6Network) -> IPv6Network:
    """A /96 inside the network's prefix: in its subnet 0x64 or its last one; in …:64:64::/96 of a single subnet."""
    if ours.prefixlen > 64:
        return WKP
    last = 2 ** (64 - ours.prefixlen) - 1
    inside = min(0x64, last) << 64 if last else 0x64_0064 << 32
    return IPv6Network((int(ours.network_address) | inside, 96))
