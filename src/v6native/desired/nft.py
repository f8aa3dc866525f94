# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Our nftables table. It filters nothing: its rules only switch the kernel's defragmentation on, for both families.

A translator and the steering of a shared address need the ports, which only a first fragment has. nf_defrag hands
fragments on in order, first one first, and bounds their memory. A `tproxy` expression switches it on without connection
tracking (nft_tproxy_init calls nf_defrag_ipv4_enable); the rules compare the mark with two values, so none ever matches.
"""

from __future__ import annotations

from hashlib import sha256

from v6native.desired.node import Here
from v6native.desired.state import NftTable

TABLE = "v6native"

_NEVER = "meta mark 0x1 meta mark 0x2 meta l4proto tcp"


def nft(here: Here) -> tuple[NftTable, ...]:
    if not (here.nat64 or here.clat):
        return ()
    rules = [f"{_NEVER} tproxy {family} to :1" for family in ("ip", "ip6")]
    # Where the kernel has no nft_tproxy, connection tracking brings the defragmentation with it.
    fallback = ["meta mark 0x1 meta mark 0x2 ct state new"]
    digest = sha256("\n".join([*rules, *fallback]).encode()).hexdigest()[:16]
    return (NftTable(TABLE, _table(digest, rules), digest, _table(digest, fallback)),)


def _table(digest: str, rules: list[str]) -> str:
    """The comment tells the next run what it finds: nft prints rules in other words than it was given."""
    body = "".join(f"        {rule}\n" for rule in rules)
    hook = "        type filter hook prerouting priority mangle; policy accept;\n"
    return f'table inet {TABLE} {{\n    comment "v6native {digest}"\n    chain defrag {{\n{hook}{body}    }}\n}}\n'
