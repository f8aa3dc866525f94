# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What network.toml says of the DNS64 and of whom it asks, as frozen data; see model.py."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network


@dataclass(frozen=True, slots=True)
class UpstreamTls:
    """DNS over TLS, or with a `path` over HTTPS. `name`: what the certificate has to be of; empty: the server's address."""

    name: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A resolver to ask; `tls` None: plainly. As text it is what stands in the file."""

    address: IPv4Address | IPv6Address
    port: int = 53
    tls: UpstreamTls | None = None

    def __str__(self) -> str:
        if self.tls is None:
            return f"{self.address}" if self.port == 53 else f"{self.address}#{self.port}"
        scheme, usual = ("https", 443) if self.tls.path else ("tls", 853)
        host = f"[{self.address}]" if self.address.version == 6 else f"{self.address}"
        port = "" if self.port == usual else f":{self.port}"
        return f"{scheme}://{host}{port}{self.tls.path}" + (f"#{self.tls.name}" if self.tls.name else "")


OWN_UNBOUND = Upstream(IPv6Address("::1"), 5364)
"""Where an unbound that the node runs itself answers."""


class DnsEngine(StrEnum):
    """Who answers: the DNS64 of our own, or an unbound with its dns64 module."""

    BUILTIN = "builtin"
    UNBOUND = "unbound"


class AaaaFailure(StrEnum):
    """What an AAAA query leads to that ends in an error other than NXDOMAIN, or in a timeout (RFC 6147 §5.1.2, §5.1.3).

    SYNTHESIZE is the RFC's: as if there were no AAAA, which keeps names usable whose servers are deaf to AAAA.
    """

    SYNTHESIZE = "synthesize"
    FAIL = "fail"


class RecordType(StrEnum):
    A = "A"
    AAAA = "AAAA"
    PTR = "PTR"


@dataclass(frozen=True, slots=True)
class DnsView:
    """With which pref64s the clients of some prefixes are answered; none: real AAAA records only."""

    source: tuple[IPv4Network | IPv6Network, ...]
    pref64: tuple[IPv6Network, ...]


@dataclass(frozen=True, slots=True)
class DnsTls:
    """DNS over TLS and HTTPS; a port of 0: not that one."""

    name: str
    certificate: str
    key: str
    dot: int = 853
    doh: int = 443


@dataclass(frozen=True, slots=True)
class DnsZone:
    """A domain that other resolvers are asked about."""

    name: str
    upstream: tuple[Upstream, ...]


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """A record that the node answers itself; `value` is an address, or for PTR a name; `ttl` in seconds."""

    name: str
    type: RecordType
    value: str
    ttl: int = 300


@dataclass(frozen=True, slots=True)
class Dns64:
    """`listen` empty: the node's addresses on LANs and tunnels; `upstream` empty: the system's resolvers; `pref64`: filled
    in with the network's first where the file says nothing."""

    enabled: bool = True
    engine: DnsEngine = DnsEngine.BUILTIN
    listen: tuple[IPv4Address | IPv6Address, ...] = ()
    upstream: tuple[Upstream, ...] = ()
    trust_anchor: str = "/usr/share/dns/root.key"
    pref64: tuple[IPv6Network, ...] = ()
    synthesize_for_dual: bool = False
    exclude_aaaa: tuple[IPv6Network, ...] = (IPv6Network("::ffff:0:0/96"),)
    exclude_ipv4: tuple[IPv4Network, ...] = ()
    never_synthesize: tuple[str, ...] = ()
    aaaa_failure: AaaaFailure = AaaaFailure.SYNTHESIZE
    block: tuple[str, ...] = ()
    never_block: tuple[str, ...] = ()
    serve_stale: bool = True
    client_per_second: int = 1000
    authorities: str = ""
    count_names: bool = True
    query_log: str = ""
    tls: DnsTls | None = None
    views: tuple[DnsView, ...] = ()
    zones: tuple[DnsZone, ...] = ()
    records: tuple[DnsRecord, ...] = ()

    @property
    def runs_unbound(self) -> bool:
        """Whether nodes run an unbound of their own."""
        return self.enabled and (self.engine is DnsEngine.UNBOUND or OWN_UNBOUND in self.upstream)
