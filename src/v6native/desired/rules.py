# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Policy routing: what the translators marked, and the tunnels' IPv4, leave the main table's path.

The kernel looks at its own addresses first (preference 0), so a packet to an address that is the node's and the NAT64's
would never reach the NAT64. Therefore the rule for local addresses moves behind ours.
"""

from __future__ import annotations

from ipaddress import IPv4Network

from v6native.desired.node import OWN_CLAT4, Here, tunnel_interface
from v6native.desired.routes import stateless_pref64
from v6native.desired.state import (
    CLAT_SMALL_TABLE,
    CLAT_TABLE,
    MAIN_TABLE,
    NAT64_SMALL_TABLE,
    NAT64_TABLE,
    OWN_LOCAL_RULE,
    OWN_TABLE,
    Rule,
)

# skb marks that the BPF programs set (bpf/abi.h), and the mask of all of them.
MASK = 0xF8000000
STEER = 0x40000000
FRAG = 0x80000000
FRAG_CLAT = 0x88000000

HAIRPIN_PREF, NAT64_FRAG_PREF, CLAT_FRAG_PREF, STEER_PREF, TUNNEL_PREF = 59, 60, 61, 62, 1000
OWN_MAIN_PREF, OWN_PREF = 1001, 1002

UNBOUND = IPv4Network("0.0.0.0/32")
"""What a program sends whose socket has no address yet: the route chooses it."""
MULTICAST = IPv4Network("224.0.0.0/4")


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
        if here.own_clat_first:
            wanted |= _own()
    if wanted:
        wanted.add(OWN_LOCAL_RULE)
    return frozenset(wanted)


def _own() -> set[Rule]:
    """What the node begins itself takes the CLAT, past its native default route; answers leave from where they were asked.

    On-link hosts and multicast groups stay native: main knows them better than a default route.
    """
    return {
        Rule(OWN_MAIN_PREF, MAIN_TABLE, iif="lo", source=UNBOUND, but_default=True),
        Rule(OWN_MAIN_PREF, MAIN_TABLE, iif="lo", source=UNBOUND, destination=MULTICAST),
        Rule(OWN_PREF, OWN_TABLE, iif="lo", source=UNBOUND),
        Rule(OWN_PREF, OWN_TABLE, iif="lo", source=IPv4Network(OWN_CLAT4)),
    }
