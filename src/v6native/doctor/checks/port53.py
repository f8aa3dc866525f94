# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Nobody else holds port 53 on an address that our DNS64 listens on."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.config.facts import ListeningSocket
from v6native.config.model import Proto
from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity

DNS_PORT = 53


def check(facts: Facts) -> Iterator[Finding]:
    if not facts.config.dns64.enabled:
        return
    for sock in facts.host.sockets:
        if sock.port != DNS_PORT or sock.ours or sock.proto is Proto.ICMP or not _collides(sock, facts):
            continue
        yield Finding(
            "port_53_taken",
            Severity.ERROR,
            f"{_holder(sock)} holds port 53/{sock.proto} on {sock.address}, where the DNS64 shall listen",
            "let it listen on other addresses (for unbound: `interface:`; for systemd-resolved: "
            "`DNSStubListener=no`), or set dns64.listen to addresses that are free",
        )


def _collides(sock: ListeningSocket, facts: Facts) -> bool:
    wanted = facts.config.dns64.listen
    if sock.address.is_unspecified:
        # A wildcard of one family holds every address of it; `::` holds IPv4 too unless it says IPV6_V6ONLY.
        return (
            not wanted
            or any(address.version == sock.address.version for address in wanted)
            or sock.address.version == 6
        )
    if wanted:
        return sock.address in wanted
    held = [found for found in facts.host.interfaces if found.name in facts.node.lan]
    return any(sock.address in [a.ip for a in found.ipv4] + [a.ip for a in found.ipv6] for found in held)


def _holder(sock: ListeningSocket) -> str:
    return f"{sock.process} (process {sock.pid})" if sock.process is not None else "another program"
