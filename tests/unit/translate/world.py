# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of translate/ share: one network's addresses, its translators, and a check of every checksum by scapy."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import NoPayload, Packet

from v6native.translate.destinations import Destinations
from v6native.translate.nat64 import Nat64
from v6native.translate.pool4 import PoolRange
from v6native.translate.rules import Rules
from v6native.translate.siit import AddressMap, Eam, Siit
from v6native.translate.verdict import Answered, Dropped, Passed, Result, Settings, Slow, Translated

PREF64 = IPv6Network("2001:db8:64:64::/96")
CLAT96 = IPv6Network("2001:db8:64:a:64::/96")
NODE6 = "2001:db8:64:1::1"
NODE4 = "192.0.2.1"
SETTINGS = Settings(IPv6Address(NODE6), IPv4Address(NODE4), identification=0x1234)

CLIENT6 = "2001:db8:64:1::5"
SERVER4 = "198.51.100.80"
SERVER6 = "2001:db8:64:64::c633:6450"
POOL4 = "203.0.113.1"
ROUTER4 = "198.18.0.1"
ROUTER4_IN_6 = "2001:db8:64:64::c612:1"
DOCUMENTATION = (IPv4Network("198.51.100.0/24"), IPv4Network("198.18.0.0/15"), IPv4Network("192.0.2.0/24"))

LAPTOP4 = "100.64.0.2"
LAPTOP6 = "2001:db8:64:a:64:0:6440:2"


def make_siit(settings: Settings = SETTINGS) -> Siit:
    """The CLAT of the lab: 100.64/10 in its own /96, all else in the pref64."""
    return Siit(
        AddressMap((Eam(IPv4Network("100.64.0.0/10"), IPv6Network("2001:db8:64:a:64:0:6440:0/106")),), PREF64), settings
    )


def make_rules(
    pool: tuple[PoolRange, ...] = (PoolRange(IPv4Address(POOL4), 1024, 65535),),
    pref64: tuple[IPv6Network, ...] = (PREF64,),
    open4: tuple[IPv4Network, ...] = DOCUMENTATION,
    max_sessions: int = 1000,
) -> Rules:
    sources = (IPv6Network("2001:db8:64::/48"),)
    return Rules(
        pref64=pref64, pool=pool, sources=sources, destinations=Destinations(open4=open4), max_sessions=max_sessions
    )


def make_nat64(rules: Rules | None = None, settings: Settings = SETTINGS) -> Nat64:
    """Its search for a free port begins at the first one."""
    return Nat64(rules or make_rules(), settings, lambda ports: 0)


def translated(result: Result) -> bytes:
    assert isinstance(result, Translated), result
    assert_valid(result.packet)
    return result.packet


def answered(result: Result) -> tuple[bytes, str]:
    assert isinstance(result, Answered), result
    assert_valid(result.packet)
    return result.packet, result.reason.name


def refused(result: Result) -> str:
    assert isinstance(result, Dropped | Passed | Slow), result
    return result.reason.name


def scapy(data: bytes) -> Packet:
    return IP(data) if data[0] >> 4 == 4 else IPv6(data)


def assert_valid(data: bytes) -> None:
    """Lengths and checksums of the headers, quoted ones left aside, are what scapy makes of the packet."""
    packet = scapy(data)
    assert len(data) == (packet.len if isinstance(packet, IP) else packet.plen + 40)
    clean = packet.copy()
    layer: Packet = clean
    while not isinstance(layer, NoPayload) and not layer.name.endswith("in ICMP"):
        if isinstance(layer, IP | ICMP | TCP) or (isinstance(layer, UDP) and layer.chksum != 0):
            del layer.chksum
        elif hasattr(layer, "cksum"):
            del layer.cksum
        layer = layer.payload
    if _is_part(packet):
        return  # a fragment does not hold all that its checksum covers
    rebuilt = bytes(clean)
    assert rebuilt == data, f"{rebuilt.hex()} expected, {data.hex()} made"


def _is_part(packet: Packet) -> bool:
    if isinstance(packet, IP):
        return bool(packet.flags.MF or packet.frag)
    return "IPv6ExtHdrFragment" in packet and bool(
        packet["IPv6ExtHdrFragment"].m or packet["IPv6ExtHdrFragment"].offset
    )
