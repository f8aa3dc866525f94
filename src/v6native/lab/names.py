# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A real authoritative DNS server on a node (NSD): the names of the web sites, and the reverse zones of every address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address
from pathlib import Path

from v6native.lab import topology as t
from v6native.lab.node import Node

FOLDER = Path("/run/lab/nsd")

SITES: Mapping[str, tuple[t.Address, ...]] = {
    "v4only.example": (t.SERVER4,),
    "v6only.example": (t.SERVER6,),
    "dual.example": (t.SERVER4, t.SERVER6),
}
ALIASES = {"www.v4only.example": "alias.example", "alias.example": "v4only.example"}
HOSTS: Mapping[str, tuple[t.Address, ...]] = {
    "ns.example": (t.SERVER4, t.SERVER6),
    "edge1.example": (t.EDGE4, t.EDGE6),
    "r1.example": (t.R1_EDGE4, t.R1_EDGE6, t.R1_CORE4, t.R1_CORE6, t.R1_ACCESS4),
    "r2.example": (t.R2_CORE4, t.R2_CORE6, t.R2_SERVER4, t.R2_SERVER6),
    "internet.example": (t.SERVER4, t.SERVER6),
    "phone.example": (t.PHONE6,),
}

CONFIGURATION = """
server:
  ip-address: {server4}
  ip-address: {server6}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  zonelistfile: "{folder}/zone.list"
  server-count: 1
  hide-version: yes
  rrl-ratelimit: 0
remote-control:
  control-enable: no
"""
SOA = "@ 300 IN SOA ns.example. hostmaster.example. 1 3600 600 86400 60\n@ 300 IN NS ns.example.\n"


def zones() -> dict[str, str]:
    """Each zone's name and its master file."""
    # The root is there too, so that a name that is nowhere does not exist, as on the internet, rather than be refused.
    text = {".": SOA, "example": SOA, "ip6.arpa": SOA, "in-addr.arpa": SOA}
    for name, addresses in [*SITES.items(), *HOSTS.items()]:
        for address in addresses:
            kind = "A" if isinstance(address, IPv4Address) else "AAAA"
            text["example"] += f"{name}. 300 IN {kind} {address}\n"
    for alias, target in ALIASES.items():
        text["example"] += f"{alias}. 300 IN CNAME {target}.\n"
    for name, address in _reverse(HOSTS.items()):
        text[address.reverse_pointer.split(".", address.reverse_pointer.count(".") - 1)[-1]] += (
            f"{address.reverse_pointer}. 300 IN PTR {name}.\n"
        )
    return text


def _reverse(hosts: Iterable[tuple[str, tuple[t.Address, ...]]]) -> Iterable[tuple[str, t.Address]]:
    """One name for each address: the first that claims it but the name server's."""
    return [(name, address) for name, addresses in hosts for address in addresses if name != "ns.example"]


def serve_names(node: Node) -> None:
    folder = node.path(FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    conf = CONFIGURATION.format(server4=t.SERVER4, server6=t.SERVER6, folder=FOLDER)
    for zone, text in zones().items():
        file = f"{zone.strip('.') or 'root'}.zone"
        (folder / file).write_text(text)
        conf += f'zone:\n  name: "{zone}"\n  zonefile: "{file}"\n'
    (folder / "nsd.conf").write_text(conf)
    node.start("nsd", "nsd", "-d", "-c", f"{FOLDER}/nsd.conf")
    node.wait_listening("tcp", 53)
    node.wait_listening("udp", 53)
