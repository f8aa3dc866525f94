# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Policy routing: what the translators marked, and the tunnels' IPv4, leave the main table's path.

The kernel looks at its own addresses first (preference 0), so a packet to an address that is the node's and the NAT64's
would never reach the NAT64. Therefore the rule for local addresses moves behind ours.
"""

from __future__ import annotations

from ipaddress import IPv4Network

from v6native.desired.node import Here, tunnel_interface
from v6native.desired.routes import stateless_pref64
from v6native.desired.state import (
    CLAT_SMALL_TABLE,
    CLAT_TABLE,
    NAT64_SMALL_TABLE,
    NAT64_TABLE,
    OWN_LOCAL_RULE,
    Rule,
)

# skb marks that the BPF programs set (bpf/abi.h); the mask of all of them is 0xf8000000.
STEER = 0x40000000
FRAG = 0x80000000
FRAG_CLAT = 0x88000000

HAIRPIN_PREF, NAT64_FRAG_PREF, CLAT_FRAG_PREF, STEER_PREF, TUNNEL_PREF = 59, 60, 61, 62, 1000


def rules(here: Here) -> frozenset[Rule]:
    wanted: set[Rule] = set()
    if here.nat64:
        wanted.add(Rule(NAT64_FRAG_PREF, NAT64_SMALL_TABLE, fwmark=FRAG, fwmask=FRAG_CLAT))
        for address in here.shared:
            to = IPv4Network(address)
            wanted.add(Rule(STEER_PREF, NAT64_TABLE, fwmark=STEER, fwmask=STEER, destination=to))
    if here.clat:
        wanted.add(Rule(CLAT_FRAG_PREF, CLAT_SMALL_TABLE, fwmark=FRAG_CLAT, fwmask=FRAG_CLAT))
        for tunnel in here.tunnels:
            if tunnel.clat4 is not None:
                iif = tunnel_interface(tunnel.name)
                wanted.add(Rule(TUNNEL_PREF, CLAT_TABLE, iif=iif, source=tunnel.clat4))
                if here.nat64 and here.shared:
                    # By literal to the shared address: through the CLAT to the NAT64, which hairpins.
                    wanted.add(Rule(HAIRPIN_PREF, CLAT_TABLE, fwmark=STEER, fwmask=STEER, iif=iif, source=tunnel.clat4))
        for eam in here.config.clat.eam:
            wanted.add(Rule(TUNNEL_PREF, CLAT_TABLE, family=6, source=eam.ipv6, destination=stateless_pref64(here)))
    if wanted:
        wanted.add(OWN_LOCAL_RULE)
    return frozenset(wanted)
