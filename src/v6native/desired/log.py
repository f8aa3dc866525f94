# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the log's worker of this node is told: how long to keep, whom to tell, who is who, what is static."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.address import embed
from v6native.desired.node import OWN_CLAT4, Here, first_address4, first_address6
from v6native.desired.state import SettingsFile
from v6native.desired.translators import static
from v6native.log.settings import FILE, LogSettings, NamedClient, StaticHolding


def files(here: Here) -> tuple[SettingsFile, ...]:
    if not here.logs:
        return ()
    log = here.config.log
    settings = LogSettings(
        node=here.node.name,
        retention=log.retention,
        syslog=log.syslog,
        ipfix=log.ipfix,
        clients=(*_node(here), *_clients(here)),
        static=tuple(StaticHolding(e.proto, e.ipv4, e.port4, e.ipv6, e.port6) for e in static(here)),
    )
    return (SettingsFile(FILE, settings.to_json()),)


def _node(here: Here) -> Iterator[NamedClient]:
    """The node is a client of its own NAT64, too, with all of its addresses."""
    addresses = [*here.own_ipv6(), *(first_address6(tunnel).ip for tunnel in here.tunnels)]
    if here.clat96 is not None:
        own4 = [a.ip for tunnel in here.tunnels if (a := first_address4(tunnel)) is not None]
        addresses += [embed(here.clat96, address) for address in (*own4, *((OWN_CLAT4,) if here.own_clat else ()))]
    return (NamedClient(address, here.node.name, None) for address in dict.fromkeys(addresses))


def _clients(here: Here) -> Iterator[NamedClient]:
    """Each with its own address, and the CLAT's for its IPv4 (RFC 6877 §6.3)."""
    for tunnel in here.tunnels:
        for client in here.clients(tunnel):
            yield NamedClient(client.address6, client.name, tunnel.name)
            if here.clat96 is not None and client.address4 is not None:
                yield NamedClient(embed(here.clat96, client.address4), client.name, tunnel.name)
