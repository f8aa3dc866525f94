# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Our nftables table: it keeps forged sources off the translators, and switches the kernel's defragmentation on.

Linux has no reverse path filter for IPv6, and behind a translator nobody knows any more where a packet came in. So what
arrives on the uplink with a source that lives elsewhere, as in a tunnel or on a LAN, may not enter a translator: it would
be translated for whoever forged it, and reach a client's IPv4 past the NAT64. Everything else is left alone.

A translator and the steering of a shared address need the ports, which only a first fragment has. nf_defrag hands
fragments on in order, first one first, and bounds their memory. A `tproxy` expression switches it on without connection
tracking (nft_tproxy_init calls nf_defrag_ipv4_enable). The rules are in a chain that no hook and no rule leads to: to be
there is their whole work, and so they cost no packet anything.

Connection tracking would see of a connection only what the fast path leaves to the host's stack: its beginning, perhaps an
end that does not fit to it. Such an entry stays for five days (nf_conntrack_tcp_timeout_established), and calls packets
invalid that are not. So while the fast path is on beside connection tracking, nothing that the NAT64 translates is tracked.
That is a table of its own, which is there only as long as it is needed: its chain costs every packet that comes in. Its
rules work while its set has elements, and these run out by themselves where no daemon renews them.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from ipaddress import IPv6Address, IPv6Network, collapse_addresses

from v6native.desired.node import Here
from v6native.desired.rules import MASK, STEER
from v6native.desired.state import NAT64_X, NftTable

TABLE, UNTRACKED = "v6native", "v6native_untracked"
FAST_SET = "fast"


def nft(here: Here) -> tuple[NftTable, ...]:
    if not (here.nat64 or here.clat):
        return ()
    rules = [f"meta l4proto tcp tproxy {family} to :1" for family in ("ip", "ip6")]
    # Where the kernel has no nft_tproxy, connection tracking brings the defragmentation with it.
    fallback = ["ct state new"]
    rest = _gate("forged", list(_forged(here)))
    digest = _digest(*rules, *fallback, rest)
    with_tproxy, without = (f"    chain defrag {{\n{_body(lines)}    }}\n{rest}" for lines in (rules, fallback))
    return (NftTable(TABLE, _table(TABLE, digest, with_tproxy), digest, _table(TABLE, digest, without)),)


def untracked(here: Here) -> NftTable:
    """Beside connection tracking, while the fast path is on."""
    holder = f"    set {FAST_SET} {{\n        type inet_proto; flags timeout;\n    }}\n"
    body = holder + _gate("untracked", list(_untracked(here)))
    digest = _digest(body)
    text = _table(UNTRACKED, digest, body)
    return NftTable(UNTRACKED, text, digest, text)


def is_forged(here: Here, source: IPv6Address, destination: IPv6Address) -> bool:
    """Whether the rule drops such a packet on the uplink."""
    inside, translated = _inside(here), _translated(here)
    return any(source in network for network in inside) and any(destination in network for network in translated)


def _forged(here: Here) -> Iterator[str]:
    """The rule for what cannot have come from the uplink's side."""
    inside, translated = _set(_inside(here)), _set(_translated(here))
    if inside and translated:
        # The family first: it is the cheapest to ask, and every IPv4 packet of the host is asked.
        yield f'meta nfproto ipv6 iifname "{here.node.uplink}" ip6 saddr {inside} ip6 daddr {translated} counter drop'


def _untracked(here: Here) -> Iterator[str]:
    """Both halves of what the NAT64 translates, both ways; but not what is for the node itself, whose `input` chain knows it."""
    yield f"meta l4proto != @{FAST_SET} accept"
    yield f'iifname "{NAT64_X}" fib daddr type local accept'
    yield f'iifname "{NAT64_X}" notrack'
    yield f"ip6 daddr {_set(iter(here.config.network.pref64))} notrack"
    if here.dedicated:
        yield f"ip daddr {{ {', '.join(str(network) for network in here.dedicated)} }} notrack"
    if here.shared:
        yield f"meta mark & {MASK:#x} == {STEER:#x} notrack"


def _inside(here: Here) -> Iterator[IPv6Network]:
    """Networks that are behind this node, whatever the uplink says. Where it shares a link's prefix, it may be right."""
    uplink = list(here.facts.onlink6(here.node.uplink))
    for name in here.node.lan:
        if name != here.node.uplink:
            yield from (p for p in here.facts.onlink6(name) if not any(p.overlaps(other) for other in uplink))
    yield from (tunnel.prefix for tunnel in here.tunnels)
    yield from (IPv6Network(address) for address in here.own_ipv6())
    if here.clat96 is not None:
        yield here.clat96
    if here.nat64:
        yield from here.config.network.pref64


def _translated(here: Here) -> Iterator[IPv6Network]:
    if here.nat64 or here.config.clat.eam:
        yield from here.config.network.pref64
    if here.clat96 is not None:
        yield here.clat96


def _set(networks: Iterator[IPv6Network]) -> str:
    listed = ", ".join(str(network) for network in collapse_addresses(networks))
    return f"{{ {listed} }}" if listed else ""


def _gate(name: str, rules: list[str]) -> str:
    """A chain that every packet is asked in as it comes in."""
    hook = "        type filter hook prerouting priority raw; policy accept;\n"
    return f"    chain {name} {{\n{hook}{_body(rules)}    }}\n" if rules else ""


def _body(rules: list[str]) -> str:
    return "".join(f"        {rule}\n" for rule in rules)


def _digest(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def _table(name: str, digest: str, content: str) -> str:
    """The comment tells the next run what it finds: nft prints rules in other words than it was given."""
    return f'table inet {name} {{\n    comment "v6native {digest}"\n{content}}}\n'
