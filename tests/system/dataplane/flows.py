# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A configuration like the lab's, and flows through it by test runs."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

from tests.packets.harness import PHONE, POOL, PREF64, SERVER, Bench, nat64_settings, siit_settings
from v6native.address import embed
from v6native.dataplane.door import Translator
from v6native.dataplane.kernel import KernelDataPlane
from v6native.desired.dataplane import DataPlaneConfig
from v6native.packet import (
    ACK,
    SYN,
    TCP,
    UDP,
    IPv4Packet,
    IPv6Packet,
    TcpHeader,
    UdpHeader,
    checksum,
    parse_ipv6,
    pseudo_header,
)

CONFIG = DataPlaneConfig(nat64_settings(), siit_settings(), (), "nat64", "clat", "v6n-slow")


def nat64(**changes: Any) -> DataPlaneConfig:
    """CONFIG with another NAT64."""
    return replace(CONFIG, nat64=nat64_settings(**changes))


def udp6(source_port: int) -> bytes:
    destination, data = embed(PREF64, SERVER), b"hello"
    header = UdpHeader(source_port, 53, 8 + len(data)).to_bytes()
    check = checksum(pseudo_header(PHONE, destination, UDP, 8 + len(data)) + header + data)
    return IPv6Packet(PHONE, destination, UDP, UdpHeader(source_port, 53, 13, check).to_bytes() + data).to_bytes()


def syn6(source_port: int) -> bytes:
    return _tcp6(source_port, SYN)


def ack6(source_port: int) -> bytes:
    return _tcp6(source_port, ACK)


def _tcp6(source_port: int, flags: int) -> bytes:
    header = TcpHeader(source_port, 80, flags=flags).to_bytes()
    return IPv6Packet(PHONE, embed(PREF64, SERVER), TCP, header).to_bytes()


def syn4(port: int) -> bytes:
    """From the server to the pool."""
    return IPv4Packet(SERVER, POOL, TCP, TcpHeader(80, port, flags=SYN).to_bytes()).to_bytes()


def udp4(port: int, source_port: int = 53, source: str = str(SERVER)) -> bytes:
    header = UdpHeader(source_port, port, 13, 1).to_bytes()
    return IPv4Packet(IPv4Address(source), POOL, UDP, header + b"world").to_bytes()


def open_flow(plane: KernelDataPlane, source_port: int) -> int:
    """A UDP session of the phone's; gives its port at the pool."""
    assert send(plane, udp6(source_port)) == "TRANSLATED_6TO4"
    return next(e.port4 for e in plane.bib() if e.port6 == source_port and not e.static)


def send(plane: KernelDataPlane, packet: bytes) -> str:
    """The verdict on one packet."""
    return Bench(plane).run("nat64", Translator.NAT64, packet).reason


def answered_to(plane: KernelDataPlane, packet: bytes) -> tuple[str, int]:
    """The host and port to which a UDP packet from the internet goes on."""
    out = Bench(plane).run("nat64", Translator.NAT64, packet)
    assert out.reason == "TRANSLATED_4TO6"
    inside = parse_ipv6(out.packet)
    return str(inside.destination), int.from_bytes(inside.payload[2:4], "big")
