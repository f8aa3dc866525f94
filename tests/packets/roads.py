# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A node's interfaces and routes in a network namespace of the test's thread: what the fast path asks for its way."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

from tests.packets.harness import NODE4, NODE6, PHONE, POOL, PREF64, TRANSLATOR_MAC
from tests.system.dataplane.bpffs import private_netns
from v6native.dataplane.door import FastPermit
from v6native.desired.dataplane import FastPair

LAN, UPLINK, OTHER = "lan0", "up0", "oth0"
GATEWAY = IPv4Address("192.0.2.254")
OUT, BACK = FastPair(LAN, UPLINK, True), FastPair(UPLINK, LAN, False)
PERMITS = (FastPermit(OUT), FastPermit(BACK))
PHONE_MAC, GATEWAY_MAC = "02:00:00:00:00:05", "02:00:00:00:00:fe"

_MAC = TRANSLATOR_MAC.hex(":")


def ip(*commands: str) -> None:
    for command in commands:
        subprocess.run(["ip", *command.split()], check=True, timeout=10)


def sysctl(key: str, value: str) -> None:
    (Path("/proc/sys/net") / key).write_text(value)


@contextlib.contextmanager
def roads(mtu: int = 1500) -> Iterator[None]:
    """LAN with the phone, UPLINK with a gateway, a third interface with nobody; pref64 and pool lead to nat64."""
    with private_netns("link add nat64 type veth peer name nat64-x"):
        for name in ("all", "default", "nat64"):
            sysctl(f"ipv6/conf/{name}/forwarding", "1")
            sysctl(f"ipv6/conf/{name}/accept_dad", "0")
        sysctl("ipv4/ip_forward", "1")
        for name in (LAN, UPLINK, OTHER):
            ip(f"link add {name} address {_MAC} mtu {mtu} type veth peer name {name}-p", f"link set {name} up")
            ip(f"link set {name}-p up")
        ip("link set nat64 up", "link set nat64-x up", "neigh add fe80::64 lladdr 02:00:00:00:00:64 dev nat64")
        ip(f"address add {NODE6}/64 dev {LAN} nodad", f"address add {NODE4}/24 dev {UPLINK}")
        ip(f"neigh add {PHONE} lladdr {PHONE_MAC} dev {LAN}", f"neigh add {GATEWAY} lladdr {GATEWAY_MAC} dev {UPLINK}")
        ip(f"route add default via {GATEWAY}", f"route add {PREF64} via fe80::64 dev nat64")
        ip(f"route add {POOL} via inet6 fe80::64 dev nat64")
        yield
