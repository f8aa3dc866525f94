# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the unbound of this node is told: as resolver behind the DNS64, or as the DNS64 itself."""

from __future__ import annotations

from v6native.config.modeldns import (
    OWN_UNBOUND,
    DnsEngine,
    Upstream,
)
from v6native.desired.dns64 import LOOPBACK, allowed, answers, listeners, records, upstream_servers
from v6native.desired.node import Here
from v6native.desired.state import SettingsFile
from v6native.desired.sysctls import reserved_ports
from v6native.unbound.settings import FILE, UnboundSettings

PORT = 53


def files(here: Here) -> tuple[SettingsFile, ...]:
    """The settings file; none where the node runs no unbound."""
    told = here.config.dns64
    if not told.runs_unbound or not answers(here):
        return ()
    if told.engine is DnsEngine.UNBOUND:
        settings = UnboundSettings(
            listen=tuple(listeners(here)),
            port=PORT,
            allow=tuple(allowed(here)),
            trust_anchor=told.trust_anchor,
            pref64=told.pref64[0],
            forward=_forward(here),
            zones=told.zones,
            records=records(here),
            avoid_ports=reserved_ports(here),
            authorities=told.authorities,
            client_per_second=told.client_per_second,
            serve_stale=told.serve_stale,
        )
    else:
        # The DNS64 in front knows the clients, the zones and what is past its time.
        settings = UnboundSettings(
            listen=(OWN_UNBOUND.address,),
            port=OWN_UNBOUND.port,
            allow=LOOPBACK,
            trust_anchor=told.trust_anchor,
            avoid_ports=reserved_ports(here),
            serve_stale=False,
        )
    return (SettingsFile(FILE, settings.to_json()),)


def _forward(here: Here) -> tuple[Upstream, ...]:
    """Whom it asks; nobody but the authoritative servers where the file says "own"."""
    if OWN_UNBOUND in here.config.dns64.upstream:
        return ()
    return tuple(Upstream(server.address, server.port, server.tls) for server in upstream_servers(here))
