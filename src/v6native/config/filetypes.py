# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The kinds of values that stand in network.toml: how each is read, and its word in the JSON Schema."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from v6native.config import values, valuesdns
from v6native.config.model import (
    Collector,
    FastPath,
    Filtering,
    Mark,
    OwnIPv4,
    Pool4Entry,
    PortRange,
    Proto,
    Udp0,
)
from v6native.config.modeldns import (
    AaaaFailure,
    DnsEngine,
    RecordType,
    Upstream,
)


def _listed(value: object) -> object:
    """A single value where a list of one is meant."""
    return [value] if isinstance(value, str) else value


def _string(format_: str, **more: object) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "format": format_, **more})


Prefix6 = Annotated[IPv6Network, BeforeValidator(values.prefix6), _string("ipv6-prefix")]
Prefix4 = Annotated[IPv4Network, BeforeValidator(values.prefix4), _string("ipv4-prefix")]
Prefix = Annotated[IPv4Network | IPv6Network, BeforeValidator(values.prefix), _string("ip-prefix")]
Mapped6 = Annotated[IPv6Network, BeforeValidator(values.mapped6), _string("ipv6-prefix")]
Mapped4 = Annotated[IPv4Network, BeforeValidator(values.mapped4), _string("ipv4-prefix")]
Address6 = Annotated[IPv6Address, BeforeValidator(values.address6), _string("ipv6")]
Address4 = Annotated[IPv4Address, BeforeValidator(values.address4), _string("ipv4")]
Address = Annotated[IPv4Address | IPv6Address, BeforeValidator(values.address), _string("ip-address")]
Pool4 = Annotated[Pool4Entry, BeforeValidator(values.pool4_entry), _string("pool4-entry")]
Transport4 = Annotated[
    tuple[IPv4Address | None, PortRange], BeforeValidator(values.transport4), _string("ipv4-transport-address")
]
Transport6 = Annotated[
    tuple[IPv6Address, PortRange], BeforeValidator(values.transport6), _string("ipv6-transport-address")
]
Domain = Annotated[str, BeforeValidator(values.domain), _string("domain")]
Server = Annotated[Upstream, BeforeValidator(valuesdns.resolver), _string("resolver")]
RecordWord = Annotated[
    RecordType, BeforeValidator(values.word(RecordType)), WithJsonSchema({"enum": [str(r) for r in RecordType]})
]
EngineWord = Annotated[
    DnsEngine, BeforeValidator(values.word(DnsEngine)), WithJsonSchema({"enum": [str(e) for e in DnsEngine]})
]
FailureWord = Annotated[
    AaaaFailure, BeforeValidator(values.word(AaaaFailure)), WithJsonSchema({"enum": [str(f) for f in AaaaFailure]})
]
Resolver = Annotated[Upstream | str, BeforeValidator(valuesdns.upstream), _string("resolver")]
WireGuardKey = Annotated[
    str,
    BeforeValidator(values.wireguard_key),
    _string("wireguard-key", pattern="^[A-Za-z0-9+/]{43}=$"),
]
Duration = Annotated[str, BeforeValidator(values.duration), _string("duration", pattern="^[0-9]+[hdw]$")]
SyslogServer = Annotated[Collector, BeforeValidator(values.syslog_server), _string("collector")]
IpfixCollector = Annotated[Collector, BeforeValidator(values.ipfix_collector), _string("collector")]
Interface = Annotated[str, BeforeValidator(values.interface), _string("interface", minLength=1, maxLength=15)]
Name = Annotated[str, BeforeValidator(values.name), _string("name", pattern="^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
Host = Annotated[str, BeforeValidator(values.host), _string("host")]
ProtoWord = Annotated[Proto, BeforeValidator(values.word(Proto)), WithJsonSchema({"enum": [str(p) for p in Proto]})]
FilteringWord = Annotated[
    Filtering, BeforeValidator(values.word(Filtering)), WithJsonSchema({"enum": [str(f) for f in Filtering]})
]
MarkWord = Annotated[Mark, BeforeValidator(values.mark), _string("mark")]
FastWord = Annotated[
    FastPath, BeforeValidator(values.word(FastPath)), WithJsonSchema({"enum": [str(f) for f in FastPath]})
]
OwnWord = Annotated[OwnIPv4, BeforeValidator(values.word(OwnIPv4)), WithJsonSchema({"enum": [str(o) for o in OwnIPv4]})]
Udp0Word = Annotated[
    Udp0,
    BeforeValidator(values.word(Udp0)),
    WithJsonSchema({"enum": [str(u) for u in Udp0]}),
    Field(
        description="IPv4 UDP without checksum: `calculate` one, as IPv6 needs it, or `drop` (RFC 7915 §4.5).",
        examples=["calculate"],
    ),
]
IcmpRate = Annotated[
    int,
    Field(
        ge=0,
        le=1000000,
        description="ICMP errors a second and CPU at most that the translator makes itself; 0: none (RFC 7915 §4.4, §5.4).",
        examples=[1000],
    ),
]
IcmpPool4 = Annotated[
    Prefix4 | None,
    Field(
        description="IPv4 addresses for IPv6 routers in the ICMP errors that they send, so that a traceroute tells them "
        "apart (RFC 6791).",
        examples=["192.0.2.64/27"],
    ),
]
Tos = Annotated[
    int | None,
    Field(
        ge=0,
        le=255,
        description="The TOS octet of all that becomes IPv4, ECN bits included (RFC 7915 §5.1). Absent: copied.",
        examples=[0],
    ),
]
TrafficClass = Annotated[
    int | None,
    Field(
        ge=0,
        le=255,
        description="The traffic class of all that becomes IPv6, ECN bits included (RFC 7915 §4.1). Absent: copied.",
        examples=[0],
    ),
]
_ONE_OR_MORE = {
    "anyOf": [
        {"type": "string", "format": "ipv6-prefix"},
        {"type": "array", "items": {"type": "string", "format": "ipv6-prefix"}, "minItems": 1},
    ]
}
OneOrMorePrefixes = Annotated[
    list[Prefix6], Field(min_length=1), BeforeValidator(_listed), WithJsonSchema(_ONE_OR_MORE)
]


class Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=True)
