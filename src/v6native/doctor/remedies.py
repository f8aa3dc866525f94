# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What an operator can do about each refusal of bpf/reasons.h: one table for findings, `explain`, `trace` and the guide.

docs/guides/troubleshooting.md tells the same words; a test holds both together, and that no refusal is without.
"""

from __future__ import annotations

REMEDIES = {
    "SLOW_AWAY": "look whether the worker `slowpath` runs: `v6native status`; if not, `journalctl -u v6native`",
    "LOOP": "a route or rule leads translated packets back: look at `ip route` and `ip rule`",
    "TRUNCATED": "nothing to do here: a broken or hostile sender",
    "BAD_HEADER": "nothing to do here: a broken or hostile sender",
    "BAD_CHECKSUM": "find the machine or card on the way that damages packets, or offloads checksums wrongly",
    "BAD_SOURCE": "nothing to do here: a source that is loopback, multicast, link-local or private is broken or forged",
    "SOURCE_IN_PREF64": "look whether two NAT64s lead to each other; else somebody forges sources",
    "NOT_PREF64": "look which route leads foreign packets into `nat64`; or octet u of the address is not zero (RFC 6052 §2.2)",
    "NOT_POOL4": "look which route leads foreign packets into `nat64`; after a reload, strangers still knock at a removed address",
    "NO_MAPPING": "look at `clat.eam` and the clients' `address4`: one of both addresses is in neither",
    "SOURCE_NOT_ALLOWED": "if they are yours, add their prefix to `nat64.sources`; if not, somebody tries your NAT64",
    "DESTINATION_REFUSED": "if clients shall reach it, `nat64.allow_ipv4` opens it (`nat64.refuse_ipv4` closes); mind what listens there",
    "NO_BIB_UDP": "for a service, a static entry (`[[nat64.static]]`); else scans of the internet, and late answers to ended sessions",
    "NO_BIB_TCP": "for a service, a static entry (`[[nat64.static]]`); else scans of the internet, and late segments of ended sessions",
    "NO_BIB_ICMP": "nothing to do here: pings to a pool address; nobody there answers",
    "NO_SESSION_TCP": "switch keepalives on: the connection was idle for longer than `tcp_est`, or is from before a restart",
    "NO_SESSION_ERROR": "nothing to do here: errors that come late, or forged ones",
    "POOL4_EXHAUSTED": "add addresses or ports to `pool4`; see who holds them with `v6native bib`",
    "TABLE_FULL": "raise `nat64.sessions`; see who holds them with `v6native sessions`",
    "SOURCE_ROUTE": "nothing to do here: nobody needs source routes; a hostile sender",
    "ROUTING_HEADER": "nothing to do here: such packets end at the node that the header names",
    "EXTENSION_HEADERS": "nothing to do here: more than six, or where none may be; a hostile sender",
    "UNKNOWN_ICMP": "nothing to do: RFC 7915 drops these",
    "QUOTE_TOO_SHORT": "nothing to do here: a router on the way quotes too little",
    "QUOTE_IS_ERROR": "nothing to do here: a broken sender",
    "UNKNOWN_PROTOCOL": "use IPv6 alone for SCTP, GRE, ESP and the like, or have them in UDP",
    "UDP_NO_CHECKSUM": "have the sender make checksums: IPv6 forbids UDP without; some tunnels do it",
    "FRAGMENT_NO_FIRST": "look whether the table `inet v6native` is there: `nft list ruleset`; it puts fragments in order",
    "FRAGMENT_OF_DROPPED": "look for the reason why the first fragment was refused",
    "FRAGMENT_TOO_SMALL": "nothing to do here: a hostile sender",
    "STILL_TOO_BIG": "look which rule of another program comes before ours: `ip rule`",
    "HELPER_FAILED": "a bug, or lack of memory: please report it with `v6native counters --json`",
    "CLIENT_PORTS": "raise `nat64.limit.ports`, or see what the client does: `v6native bib --client ADDRESS`",
    "CLIENT_SESSIONS": "raise `nat64.limit.sessions`, or see what the client does: `v6native sessions --client ADDRESS`",
    "CLIENT_RATE": "look for a scanner or a broken program on that client; else raise `nat64.limit.new_per_second`",
    "FILTERED": 'games and calls need `nat64.filtering = "endpoint-independent"`; else wanted: the host has not spoken to the sender',
    "SYN_STORED": 'for a service, a static entry (`[[nat64.static]]`); else a scan, which gets "port unreachable" after `tcp_incoming_syn`',
}
