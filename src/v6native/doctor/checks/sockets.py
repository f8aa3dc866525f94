# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""No program of the node listens on a port of the shared address that the NAT64 has reserved."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.config.model import Proto
from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity


def check(facts: Facts) -> Iterator[Finding]:
    address = facts.host.ipv4_of(facts.node.uplink)
    shared = [entry.ports for entry in facts.node.pool4 if entry.shared]
    for sock in facts.host.sockets:
        if sock.ours or sock.proto is Proto.ICMP or not (sock.address.is_unspecified or sock.address == address):
            continue
        for ports in shared:
            if ports.first <= sock.port <= ports.last:
                who = sock.process or "a program"
                yield Finding(
                    "socket_in_range",
                    Severity.WARNING,
                    f"{who} listens on {sock.proto} port {sock.port} of {address}, which belongs to the NAT64 "
                    f"({ports.first}-{ports.last}): nobody outside reaches it",
                    "let it listen on another port, or choose another range in pool4",
                )
