# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""NAT64s that differ in what one may configure: filtering, limits, port blocks, pools, static entries under either pref64.

Each is told to the program as the file would tell it, and to the reference translator in its own words.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

from tests.packets.harness import PHONE, POOL, PREF64, nat64_settings
from v6native.config.model import PortRange, Proto, Timeouts, TranslationOptions, Udp0
from v6native.desired.dataplane import Identity, Limits, Nat64Settings, PoolGroup, PoolRange, StaticEntry
from v6native.translate import clients, pool4
from v6native.translate.bib import Binding
from v6native.translate.destinations import Destinations
from v6native.translate.rules import Rules
from v6native.translate.tcp_states import Timer

SECOND = IPv6Network("64:ff9b::/96")
PREFIXES = (PREF64, SECOND)
NUMBERS = {Proto.TCP: 6, Proto.UDP: 17, Proto.ICMP: 1}
POOL2, POOL3 = IPv4Address("203.0.113.2"), IPv4Address("203.0.113.3")
LAPTOP = IPv6Address("2001:db8:64:1::6")
"""In PHONE's /64, so of the same client."""
OTHER = IPv6Address("2001:db8:64:2::5")
DEVICE, DEVICE_CLAT = IPv6Address("2001:db8:64:a::2"), IPv6Address("2001:db8:64:a:64::6440:2")
"""A device of a tunnel, a client with both of its addresses."""

# Odd where the tests' waits are even: none of these ends at the same moment as a wait.
TIMES = Timeouts(tcp_est=7441, tcp_trans=241, tcp_incoming_syn=7, udp=301, icmp=61)
COPYING = TranslationOptions(icmp_pool4=IPv4Network("192.0.2.64/27"))
FIXING = TranslationOptions(tos=0x28, traffic_class=0x51, udp_without_checksum=Udp0.DROP)
# Below all pools' ports; PHONE's are under the first pref64, LAPTOP's under the second.
STATIC = [(Proto.TCP, 443), (Proto.UDP, 53), (Proto.ICMP, 7)]
STATIC2 = [(Proto.TCP, 80), (Proto.UDP, 123), (Proto.ICMP, 9)]
DEVICES = tuple(Identity(IPv6Network(address), DEVICE) for address in (DEVICE, DEVICE_CLAT))
BOTH, ONLY_TCP, NOT_TCP = frozenset(Proto), frozenset({Proto.TCP}), frozenset({Proto.UDP, Proto.ICMP})


def _nat64(**changes: Any) -> Nat64Settings:
    static = [StaticEntry(proto, POOL, port, PHONE, port) for proto, port in STATIC]
    static += [StaticEntry(proto, POOL, port, LAPTOP, port, pref64=1) for proto, port in STATIC2]
    given = {"pref64": PREFIXES, "static": static, "refused4": ("10.0.0.0/8",), "identities": DEVICES, "timeout": TIMES}
    return nat64_settings(**{**given, **changes})


def _range(address: IPv4Address, first: int, last: int, protos: frozenset[Proto] = BOTH, group: int = 0) -> PoolRange:
    return PoolRange(address, PortRange(first, last), False, protos, group)


# Three blocks for four clients; a range begins and ends in the middle of a block, and a static entry's port lies in one.
_CROWDED = (_range(POOL, 2050, 2075), _range(POOL2, 4096, 4111))
_IN_A_BLOCK = [StaticEntry(proto, POOL, 2070, PHONE, 8080) for proto in Proto]

ARRANGEMENTS: dict[str, Nat64Settings] = {
    "one address": _nat64(options=COPYING, port_block=0),
    "fixed fields": _nat64(options=FIXING),
    "filtered": _nat64(address_dependent=True, port_block=64),
    "limited": _nat64(port_block=16, limits=Limits(ports=5, sessions=8)),
    "limited by the second": _nat64(port_block=0, limits=Limits(sessions=9, rate=4), address_dependent=True),
    "crowded": replace(_nat64(port_block=16, static=_IN_A_BLOCK, client_prefix=128), pool=_CROWDED),
    "full": _nat64(sessions=16),
    "pools": replace(
        _nat64(port_block=32),
        pool=(
            _range(POOL, 2048, 2300),
            _range(POOL, 3000, 3100, ONLY_TCP),
            _range(POOL2, 1024, 1500, ONLY_TCP, group=1),
            _range(POOL2, 2000, 2500, NOT_TCP, group=1),
            _range(POOL3, 50000, 50200, group=2),
        ),
        groups=(PoolGroup(), PoolGroup(), PoolGroup(0x10, 0xF0)),
        identities=(*DEVICES, Identity(IPv6Network("2001:db8:64:2::/64"), group=1)),
    ),
    "shared": replace(_nat64(shared=True, port_block=16), pool=(PoolRange(POOL, PortRange(40000, 40999), True),)),
}


def reference_rules(settings: Nat64Settings) -> Rules:
    """The same NAT64 in the reference translator's words."""
    return Rules(
        pref64=settings.pref64,
        pool=tuple(
            pool4.PoolRange(
                entry.address,
                entry.ports.first,
                entry.ports.last,
                entry.shared,
                frozenset(NUMBERS[proto] for proto in entry.protos),
                entry.group,
            )
            for entry in settings.pool
        ),
        sources=settings.sources,
        static=tuple(
            Binding(NUMBERS[e.proto], e.pref64, e.ipv6, e.port6, e.ipv4, e.port4, static=True) for e in settings.static
        ),
        destinations=Destinations(settings.refused4, settings.open4),
        timeouts={
            Timer.TCP_EST: settings.timeout.tcp_est,
            Timer.TCP_TRANS: settings.timeout.tcp_trans,
            Timer.TCP_INCOMING_SYN: settings.timeout.tcp_incoming_syn,
            Timer.UDP: settings.timeout.udp,
            Timer.ICMP: settings.timeout.icmp,
        },
        max_sessions=settings.sessions,
        address_dependent=settings.address_dependent,
        identities=tuple(clients.Identity(i.network, i.client, i.length, i.group) for i in settings.identities),
        client_prefix=settings.client_prefix,
        marks=tuple((group.mark, group.mask) for group in settings.groups),
        port_block=settings.port_block,
        limits=clients.Limits(settings.limits.ports, settings.limits.sessions, settings.limits.rate),
    )
