# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The CLAT's /96 and explicit address mappings (RFC 6877, RFC 7757), and who may use the NAT64."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network

from v6native.address import valid_pref64
from v6native.config.model import Eam, OwnIPv4
from v6native.config.positions import KeyPath
from v6native.config.problem import ConfigProblem
from v6native.config.rules.draft import Draft
from v6native.config.rules.pools import NEVER_IN_POOL

# RFC 1918 and RFC 6598.
PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
_MOVE = "write [clat] prefix = a /96 of the network's prefix that nothing else uses"


def check(draft: Draft) -> Iterator[ConfigProblem]:
    yield from _clat(draft)
    yield from _eam(draft)
    yield from _icmp_pools(draft)
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
    """Overlapping rows are fine, the longest prefix wins (RFC 7757 §3.3); equal ones are not."""
    rows = draft.config.clat.eam
    for i, row in enumerate(rows):
        here: KeyPath = ("clat", "eam", i)
        bits4, bits6 = 32 - row.ipv4.prefixlen, 128 - row.ipv6.prefixlen
        if bits4 > bits6:
            what = f"{row.ipv4} stands for 2^{bits4} addresses and {row.ipv6} for 2^{bits6}, which are too few for them"
            remedy = f'write ipv6 = "{IPv6Network((row.ipv6.network_address, 128 - bits4), strict=False)}"'
            yield draft.error("eam", (*here, "ipv6"), what, remedy)
        for j, before in enumerate(rows[:i]):
            yield from _eam_pair(draft, here, row, before, draft.line(("clat", "eam", j)))
        for _, pref64 in draft.pref64:
            if row.ipv6.overlaps(pref64):
                what = f"{row.ipv6} overlaps the pref64 {pref64}, which stands for IPv4 hosts already"
                yield draft.error("overlap", (*here, "ipv6"), what, "write the IPv6 host's own address")
        yield from _eam_beside(draft, here, row)


def _eam_pair(draft: Draft, here: KeyPath, row: Eam, before: Eam, place: str) -> Iterator[ConfigProblem]:
    """Two rows: equal on one side, or one inside the other, so that there and back may not be the same way (RFC 7757 §5)."""
    if row.ipv4 == before.ipv4:
        yield draft.error(
            "duplicate", (*here, "ipv4"), f"{row.ipv4} is already mapped ({place})", "keep one of the two"
        )
    if row.ipv6 == before.ipv6:
        yield draft.error(
            "duplicate", (*here, "ipv6"), f"{row.ipv6} is already mapped ({place})", "keep one of the two"
        )
    if row.ipv4 == before.ipv4 or row.ipv6 == before.ipv6 or not (valid_eam(row) and valid_eam(before)):
        return
    narrow, wide = sorted((row, before), key=lambda r: (r.ipv4.prefixlen, r.ipv6.prefixlen), reverse=True)
    in4, in6 = narrow.ipv4.subnet_of(wide.ipv4), narrow.ipv6.overlaps(wide.ipv6)
    if (in4 or in6) and narrow.ipv6 != image6(wide, narrow.ipv4):
        side = "ipv4" if in4 else "ipv6"
        what = (
            f"{getattr(row, side)} and {getattr(before, side)} ({place}) overlap, and the rows do not agree: "
            "what one of them translates comes back by the other (RFC 7757 §5)"
        )
        yield draft.warning("eam-overlap", (*here, side), what, "make sure that no host has an address of both rows")


def valid_eam(row: Eam) -> bool:
    """The IPv4 suffix is at most as long as the IPv6 one (RFC 7757 §3.2)."""
    return 32 - row.ipv4.prefixlen <= 128 - row.ipv6.prefixlen


def image6(row: Eam, inside: IPv4Network) -> IPv6Network | None:
    """What the row makes of a part of its IPv4 side, None where it is no part."""
    if not inside.subnet_of(row.ipv4):
        return None
    padding = (128 - row.ipv6.prefixlen) - (32 - row.ipv4.prefixlen)
    offset = int(inside.network_address) - int(row.ipv4.network_address)
    length = row.ipv6.prefixlen + inside.prefixlen - row.ipv4.prefixlen
    return IPv6Network((int(row.ipv6.network_address) + (offset << padding), length))


def _eam_beside(draft: Draft, here: KeyPath, row: Eam) -> Iterator[ConfigProblem]:
    """IPv4 addresses that something else has already."""
    for tunnel in draft.config.tunnels:
        if tunnel.clat4 is not None and tunnel.clat4.overlaps(row.ipv4):
            place = draft.line(("tunnel", tunnel.name, "clat4"))
            what = f"{row.ipv4} overlaps the clat4 {tunnel.clat4} of the tunnel {tunnel.name} ({place})"
            yield draft.error("overlap", (*here, "ipv4"), what, "write an address that no client has")
    for node in draft.config.nodes:
        for entry in node.pool4:
            if entry.network is not None and entry.network.overlaps(row.ipv4):
                place = draft.line(("node", node.name, "pool4"))
                what = f"{row.ipv4} overlaps {entry.network} in the pool4 of {node.name} ({place})"
                yield draft.error("overlap", (*here, "ipv4"), what, "give every address to one of the two")
    for i, static in enumerate(draft.config.nat64.static):
        if static.ipv6 in row.ipv6:
            place = draft.line(("nat64", "static", i))
            what = f"{static.ipv6} has a static BIB entry ({place}), but all that it sends takes this mapping"
            yield draft.error("overlap", (*here, "ipv6"), what, "give the service another address of its host")


def _icmp_pools(draft: Draft) -> Iterator[ConfigProblem]:
    """RFC 6791 §3.1: what filters discard as a forged source helps nobody."""
    file = draft.file
    for table, pool in (("nat64", file.nat64.icmp_pool4), ("clat", file.clat.icmp_pool4)):
        path: KeyPath = (table, "icmp_pool4")
        if pool is None:
            continue
        if never := next((n for n in NEVER_IN_POOL if n.overlaps(pool)), None):
            what = f"{pool} lies in {never}, from where nothing can be sent"
            yield draft.error("icmp-pool4", path, what, "write IPv4 addresses that are routed to your network")
        elif private := next((n for n in PRIVATE if n.overlaps(pool)), None):
            what = f"{pool} lies in {private}, which filters in the internet discard as forged (RFC 6791 §3.1)"
            yield draft.warning("icmp-pool4", path, what, "write IPv4 addresses that are routed to your network")


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
