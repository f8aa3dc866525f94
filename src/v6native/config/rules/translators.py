# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The CLAT's /96 and explicit address mappings (RFC 6877, RFC 7757), and who may use the NAT64."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Network

from v6native.address import valid_pref64
from v6native.config.model import OwnIPv4
from v6native.config.positions import KeyPath
from v6native.config.problem import ConfigProblem
from v6native.config.rules.draft import Draft

_MOVE = "write [clat] prefix = a /96 of the network's prefix that nothing else uses"


def check(draft: Draft) -> Iterator[ConfigProblem]:
    yield from _clat(draft)
    yield from _eam(draft)
    yield from _sources(draft)


def _clat(draft: Draft) -> Iterator[ConfigProblem]:
    """Also for a derived prefix, at the key that it was derived from."""
    config, prefix = draft.config, draft.config.clat.prefix
    given = draft.file.clat.prefix is not None
    with_ipv4 = [t for t in config.tunnels if t.clat4]
    forced = [n for n in config.nodes if n.own_ipv4 is OwnIPv4.CLAT]
    derived: KeyPath = ("tunnel", with_ipv4[0].name, "prefix") if with_ipv4 else ("network", "prefix")
    path: KeyPath = ("clat", "prefix") if given else derived
    word = f"the CLAT's prefix {prefix}" + ("" if given else " (derived from this)")
    if prefix is None:
        if with_ipv4 or forced:
            yield draft.error("clat", path, "here is no room for the CLAT's own /96", _MOVE)
        return
    if prefix.prefixlen != 96:
        what = f"{word} has length {prefix.prefixlen}, and 32 bits behind it hold the client's IPv4 address"
        yield draft.error("clat", path, what, f'write "{prefix.network_address}/96"')
        return
    if problem := valid_pref64(prefix):
        yield draft.error("clat", path, problem, _MOVE)
    if given and config.network.prefix and not any(prefix.subnet_of(ours) for ours in config.network.prefix):
        yield draft.error("outside", path, f"{word} is not inside network.prefix: answers would not come back", _MOVE)
    for other, pref64 in draft.pref64:
        if prefix.overlaps(pref64):
            place = draft.line(other)
            what = f"{word} overlaps the pref64 {pref64} ({place}): source and destination could not be told apart"
            yield draft.error("overlap", path, what, _MOVE)
    for tunnel in config.tunnels:
        if tunnel.prefix.subnet_of(prefix):
            place = draft.line(("tunnel", tunnel.name, "prefix"))
            what = f"{word} holds {tunnel.prefix}, the clients of the tunnel {tunnel.name} ({place})"
            yield draft.error("overlap", path, what, _MOVE)


def _eam(draft: Draft) -> Iterator[ConfigProblem]:
    """Overlapping rows are fine, the longest prefix wins (RFC 7757 §3.3.2); equal ones are not."""
    rows = draft.config.clat.eam
    for i, row in enumerate(rows):
        here: KeyPath = ("clat", "eam", i)
        bits4, bits6 = 32 - row.ipv4.prefixlen, 128 - row.ipv6.prefixlen
        if bits4 != bits6:
            what = f"{row.ipv4} stands for 2^{bits4} addresses and {row.ipv6} for 2^{bits6}; they map one to one"
            remedy = f'write ipv6 = "{IPv6Network((row.ipv6.network_address, 128 - bits4), strict=False)}"'
            yield draft.error("eam", (*here, "ipv6"), what, remedy)
        for j, before in enumerate(rows[:i]):
            place = draft.line(("clat", "eam", j))
            if row.ipv4 == before.ipv4:
                what = f"{row.ipv4} is already mapped ({place})"
                yield draft.error("duplicate", (*here, "ipv4"), what, "keep one of the two")
            if row.ipv6 == before.ipv6:
                what = f"{row.ipv6} is already mapped ({place})"
                yield draft.error("duplicate", (*here, "ipv6"), what, "keep one of the two")
        for _, pref64 in draft.pref64:
            if row.ipv6.overlaps(pref64):
                what = f"{row.ipv6} overlaps the pref64 {pref64}, which stands for IPv4 hosts already"
                yield draft.error("overlap", (*here, "ipv6"), what, "write the IPv6 host's own address")


def _sources(draft: Draft) -> Iterator[ConfigProblem]:
    """RFC 6146 §3.5: a source inside pref64 would be a translated packet coming around again."""
    for i, source in enumerate(draft.config.nat64.sources):
        for _, pref64 in draft.pref64:
            if source.subnet_of(pref64):
                what = f"{source} lies inside the pref64 {pref64}, whose addresses are never a client's"
                yield draft.error("overlap", ("nat64", "sources", i), what, "write the prefix that clients have")
        if not any(source.subnet_of(ours) for ours in draft.config.network.prefix):
            what = f"{source} is not ours (network.prefix): strangers may use this NAT64"
            yield draft.warning(
                "open", ("nat64", "sources", i), what, "make sure that only your clients can send from it"
            )
