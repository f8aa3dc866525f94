# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Session lifetimes (RFC 6146 §4) and the non-global IPv4 space that the file opens."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from v6native.address import GLOBAL_IPV4_EXCEPTIONS, NON_GLOBAL_IPV4, is_wkp
from v6native.config.positions import KeyPath
from v6native.config.problem import ConfigProblem
from v6native.config.rules.draft import Draft

FLOORS = {
    # RFC 6146 §4, which takes them from RFC 5382 REQ-5, RFC 4787 REQ-5 and RFC 5508 REQ-2.
    "tcp_est": 7440,
    "tcp_trans": 240,
    "tcp_incoming_syn": 6,
    "udp": 120,
    "icmp": 60,
}
EXPOSES = {
    "10.0.0.0/8": "the private networks behind this node",
    "172.16.0.0/12": "the private networks behind this node",
    "192.168.0.0/16": "the private networks behind this node",
    "100.64.0.0/10": "the provider's inside, and clients' addresses in tunnels",
    "169.254.0.0/16": "link-local services, in clouds the metadata service 169.254.169.254 with its credentials",
}
NEVER = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32")))


def check(draft: Draft) -> Iterator[ConfigProblem]:
    yield from _timeouts(draft)
    yield from _allowed(draft)


def _timeouts(draft: Draft) -> Iterator[ConfigProblem]:
    table = draft.file.nat64.timeout
    for key, floor in FLOORS.items():
        value = getattr(table, key)
        if value >= floor:
            continue
        path: KeyPath = ("nat64", "timeout", key)
        what = f"{value} s is below the floor of {floor} s (RFC 6146 §4): idle sessions of clients would break"
        if table.allow_short:
            yield draft.warning("timeout", path, what, f"write {key} = {floor}")
        else:
            yield draft.error("timeout", path, what, f"write {key} = {floor}, or allow_short = true beside it")


def _allowed(draft: Draft) -> Iterator[ConfigProblem]:
    wkp = [i for i, prefix in enumerate(draft.config.network.pref64) if is_wkp(prefix)]
    opened = False
    for i, network in enumerate(draft.config.nat64.allow_ipv4):
        path: KeyPath = ("nat64", "allow_ipv4", i)
        if never := next((n for n in NEVER if network.subnet_of(n)), None):
            what = f"{network} lies in {never}, which is never a destination of other hosts"
            yield draft.error("allow-ipv4", path, what, "remove it")
            continue
        blocks = [(block, name) for block, name in NON_GLOBAL_IPV4 if block.overlaps(network) and block not in NEVER]
        if not blocks or any(network.subnet_of(g) for g in GLOBAL_IPV4_EXCEPTIONS):
            what = f"{network} is in the global internet, which is open anyway"
            yield draft.warning("allow-ipv4", path, what, "remove it")
            continue
        opened = True
        exposed = dict.fromkeys(EXPOSES.get(str(block), f"{block}, {name}") for block, name in blocks)
        what = f"{network} lets every client reach {'; '.join(exposed)}"
        yield draft.warning("allow-ipv4", path, what, "keep it only if that is meant, and as narrow as it can be")
    if opened and wkp:
        path = ("network", "pref64", wkp[0])
        what = (
            "the well-known prefix must not stand for non-global IPv4 (RFC 6052 §3.1), and nat64.allow_ipv4 opens some"
        )
        yield draft.warning("wkp-non-global", path, what, "use a /96 of network.prefix as pref64 for that")
