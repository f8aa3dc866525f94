# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The keys of network.toml: types, defaults, one line of documentation and an example each.

The only place where a key is written down: the loader, the JSON Schema and the reference table are all made of it.
These models see one value at a time; what concerns several values is in rules/.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from v6native.config import values
from v6native.config.model import (
    AaaaFailure,
    Collector,
    FastPath,
    Filtering,
    Mark,
    OwnIPv4,
    Pool4Entry,
    PortRange,
    Proto,
    RecordType,
    Udp0,
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
Server = Annotated[Upstream, BeforeValidator(values.resolver), _string("resolver")]
RecordWord = Annotated[
    RecordType, BeforeValidator(values.word(RecordType)), WithJsonSchema({"enum": [str(r) for r in RecordType]})
]
FailureWord = Annotated[
    AaaaFailure, BeforeValidator(values.word(AaaaFailure)), WithJsonSchema({"enum": [str(f) for f in AaaaFailure]})
]
Resolver = Annotated[Upstream | str, BeforeValidator(values.upstream), _string("resolver")]
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


class NetworkTable(Table):
    """The whole network, the same on every node."""

    name: Name = Field(description="A name for the network, for humans.", examples=["example"])
    prefix: OneOrMorePrefixes = Field(
        default=[],
        description="The IPv6 prefixes that are ours and routed to us. Without them, whatever the LANs have on link is ours, "
        "also when the provider changes it.",
        examples=[["2001:db8::/40"], "2001:db8::/40"],
    )
    pref64: OneOrMorePrefixes = Field(
        default=[IPv6Network("64:ff9b::/96")],
        description="The IPv6 prefixes that stand for the IPv4 internet (RFC 6052); DNS64 uses the first, or `dns64.pref64`.",
        examples=["2001:db8:64:64::/96", ["2001:db8:64:64::/96", "64:ff9b::/96"]],
    )


class NodeTable(Table):
    """One machine that runs v6native."""

    uplink: Interface = Field(description="The interface towards the internet.", examples=["eth0"])
    lan: list[Interface] = Field(
        default=[], description="Interfaces whose hosts use this node as their router.", examples=[["br0"]]
    )
    pool4: list[Pool4] = Field(
        default=[],
        description="IPv4 addresses and ports that the NAT64 translates to: `uplink:PORTS` (the uplink's own address, "
        "followed when it changes; without the ports of its tunnels), `ADDRESS`, `ADDRESS:PORTS`, `PREFIX`, each with "
        "`/tcp`, `/udp` or `/icmp` behind it for one protocol alone. Empty: no NAT64 on this node.",
        examples=[["uplink:40000-59999"], ["203.0.113.1", "203.0.113.2:1024-65535", "203.0.113.16/28"]],
    )
    own_ipv4: OwnWord = Field(
        default=OwnIPv4.AUTO,
        description="How the node's own IPv4 leaves: `native`, through the `clat`, or `auto`: through the CLAT where "
        "there is no IPv4 default route.",
        examples=["auto"],
    )


class TimeoutTable(Table):
    """Seconds after which an idle session ends (RFC 6146 §4)."""

    tcp_est: int = Field(default=7440, ge=1, le=604800, description="An established TCP session.", examples=[7440])
    tcp_trans: int = Field(default=240, ge=1, le=86400, description="TCP that opens or closes.", examples=[240])
    tcp_incoming_syn: int = Field(
        default=6, ge=1, le=600, description="How long an unexpected SYN from IPv4 is kept.", examples=[6]
    )
    udp: int = Field(default=300, ge=1, le=86400, description="A UDP session.", examples=[300])
    icmp: int = Field(default=60, ge=1, le=86400, description="An ICMP echo session.", examples=[60])
    allow_short: bool = Field(
        default=False,
        description="Accept values below the floors of RFC 6146 §4 (for tests, and for a node under attack).",
        examples=[True],
    )


class StaticTable(Table):
    """A static BIB entry (RFC 6146 §3.1): a service of an IPv6 host, reachable from the IPv4 internet."""

    proto: ProtoWord = Field(description="`tcp`, `udp` or `icmp` (the port is the identifier then).", examples=["tcp"])
    ipv4: Transport4 = Field(
        description="Where IPv4 reaches it, one port or a range; may lie outside pool4.", examples=["uplink:80"]
    )
    ipv6: Transport6 = Field(
        description="The host's own address and port, or as many ports as on the IPv4 side.",
        examples=["[2001:db8:1::5]:80"],
    )
    node: str | None = Field(default=None, description="Only on this node; else on every node.", examples=["edge1"])
    pref64: Prefix6 | None = Field(
        default=None,
        description="The pref64 in which the host sees its remote hosts. Default: the first.",
        examples=["2001:db8:64:64::/96"],
    )


class LimitTable(Table):
    """What one client may have at most (RFC 6888 §3); 0 is no limit. More is answered with "address unreachable"."""

    ports: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Ports of each protocol. Default: a quarter of the pool's, from 1024 to 8192.",
        examples=[2048],
    )
    sessions: int | None = Field(
        default=None,
        ge=0,
        le=16777216,
        description="Sessions at a time, of which a quarter cannot be opened from outside. Default: an eighth of `nat64.sessions`.",
        examples=[8192],
    )
    new_per_second: int = Field(
        default=1000, ge=0, le=10000000, description="Sessions that it opens in a second.", examples=[1000]
    )


class PoolTable(Table):
    """A pool4 of its own for some packets: by their source, or by a mark that the firewall set before."""

    pool4: list[Pool4] = Field(description="As in `[node.NAME]`.", examples=[["203.0.113.64/28"]], min_length=1)
    source: list[Prefix6] = Field(
        default=[], description="Sources that it serves; they are allowed as well.", examples=[["2001:db8:5::/48"]]
    )
    mark: MarkWord | None = Field(
        default=None,
        description="Packets that it serves, whatever their source: `MARK` or `MARK/MASK`.",
        examples=["0x10/0xff"],
    )
    node: str | None = Field(default=None, description="Whose pool it is. Default: the only node.", examples=["edge1"])


class Nat64Table(Table):
    """The stateful translator (RFC 6146)."""

    enabled: bool = Field(default=True, description="Whether nodes with a pool4 translate.", examples=[True])
    sources: list[Prefix6] = Field(
        default=[],
        description="Who may be translated beside the tunnels' clients. Empty: the LANs' prefixes inside `network.prefix`.",
        examples=[["2001:db8:5::/64"]],
    )
    allow_ipv4: list[Prefix4] = Field(
        default=[],
        description="IPv4 destinations outside the global internet (private, link-local, …) that clients may reach.",
        examples=[["10.0.0.0/8"]],
    )
    refuse_ipv4: list[Prefix4] = Field(
        default=[],
        description="IPv4 destinations that clients may not reach although they are global: own infrastructure, say.",
        examples=[["198.51.100.0/24"]],
    )
    filtering: FilteringWord = Field(
        default=Filtering.ENDPOINT_INDEPENDENT,
        description="Who may come in through a bound port: everybody, or only addresses that the host has spoken to.",
        examples=["endpoint-independent"],
    )
    reset_orphans: bool = Field(
        default=True,
        description="Answer TCP segments of no session with a reset, so that programs connect anew at once.",
        examples=[True],
    )
    client_prefix: int = Field(
        default=64,
        ge=16,
        le=128,
        description="Sources that agree in so many bits are one client, for limits, port blocks and the log. A device of a "
        "tunnel is always a client of its own.",
        examples=[64],
    )
    port_block: int = Field(
        default=256,
        ge=0,
        le=4096,
        description="A client gets its ports by blocks of so many, a power of two from 16 on; 0: one by one, and "
        "every BIB entry is logged.",
        examples=[256],
    )
    lowest_ipv6_mtu: int = Field(
        default=1280,
        ge=1280,
        le=65535,
        description="The smallest MTU behind the translator; fragments are cut to it (RFC 7915 §4).",
        examples=[1280],
    )
    sessions: int = Field(
        default=131072,
        ge=1024,
        le=16777216,
        description="Most sessions at a time; memory for them is taken at start.",
        examples=[131072],
    )
    icmp_rate: IcmpRate = 1000
    icmp_pool4: IcmpPool4 = None
    tos: Tos = None
    traffic_class: TrafficClass = None
    udp_without_checksum: Udp0Word = Udp0.CALCULATE
    limit: LimitTable = Field(default=LimitTable(), description="What one client may have.")
    pool: list[PoolTable] = Field(default=[], description="Pools for some packets, one `[[nat64.pool]]` each.")
    fast_path: FastWord = Field(
        default=FastPath.AUTO,
        description="Whether packets of known sessions go straight from one interface to the other, past the host's stack: "
        "`auto`: where no firewall, tc filter, policy rule or IPsec policy of yours applies to them; `off`: never.",
        examples=["off"],
    )
    timeout: TimeoutTable = Field(default=TimeoutTable(), description="Session lifetimes, in seconds.")
    static: list[StaticTable] = Field(default=[], description="Static BIB entries, one `[[nat64.static]]` each.")


class EamTable(Table):
    """An explicit address mapping (RFC 7757)."""

    ipv4: Mapped4 = Field(description="The IPv4 side; without a length, one address.", examples=["192.0.2.8/32"])
    ipv6: Mapped6 = Field(
        description="The IPv6 side, with as many free bits or more: those behind the IPv4 side's are zero.",
        examples=["2001:db8:8::1/128"],
    )


class ClatTable(Table):
    """The stateless translator for the clients' IPv4 (RFC 6877)."""

    prefix: Prefix6 | None = Field(
        default=None,
        description="The CLAT's own /96. Default: `…:64::/96` in the first tunnel that has `clat4` and is no longer "
        "than /64, else in `network.prefix`.",
        examples=["2001:db8:a:64::/96"],
    )
    icmp_rate: IcmpRate = 1000
    icmp_pool4: IcmpPool4 = None
    tos: Tos = None
    traffic_class: TrafficClass = None
    udp_without_checksum: Udp0Word = Udp0.CALCULATE
    eam: list[EamTable] = Field(default=[], description="Explicit address mappings, one `[[clat.eam]]` each.")


class DnsZoneTable(Table):
    """A domain, and what is below it, that other resolvers are asked about."""

    name: Domain = Field(description="The domain.", examples=["dn42"])
    upstream: list[Server] = Field(
        description="Whom to ask: addresses, `ADDRESS#PORT`.", examples=[["2001:db8::d42"]], min_length=1
    )


class DnsRecordTable(Table):
    """A record that nodes answer themselves. A name of these exists with these records only."""

    name: Domain = Field(description="Whose it is.", examples=["printer.home.arpa"])
    type: RecordWord = Field(description="`A`, `AAAA` or `PTR`.", examples=["AAAA"])
    value: str = Field(description="An address, or for `PTR` a name.", examples=["2001:db8:1::9"])
    ttl: int = Field(default=300, ge=0, le=2**31 - 1, description="Seconds for which clients keep it.", examples=[300])


class DnsViewTable(Table):
    """What some clients are answered otherwise. A client in several views has that with the longest prefix."""

    source: list[Prefix] = Field(
        description="The clients. They may ask only if they might without this.",
        examples=[["2001:db8:5::/48"]],
        min_length=1,
    )
    pref64: list[Prefix6] = Field(
        description="With which of `network.pref64` AAAA records are made for them; empty: real ones only.",
        examples=[["2001:db8:64:64::/96"]],
    )


class Dns64Table(Table):
    """The resolver that synthesizes AAAA records (RFC 6147)."""

    enabled: bool = Field(default=True, description="Whether nodes answer DNS.", examples=[True])
    listen: list[Address] = Field(
        default=[],
        description="Addresses to answer on. Empty: the node's addresses on its LANs and tunnels.",
        examples=[["2001:db8:1::1"]],
    )
    upstream: list[Resolver] = Field(
        default=["system"],
        description="Resolvers to ask: `system` (/etc/resolv.conf), `unbound` (on this machine), addresses, "
        "`ADDRESS#PORT`.",
        examples=[["2001:db8::53", "192.0.2.53#5353"]],
        min_length=1,
    )
    pref64: list[Prefix6] = Field(
        default=[],
        description="With which of `network.pref64` AAAA records are made, one with each. Empty: with the first.",
        examples=[["2001:db8:64:64::/96"]],
    )
    synthesize_for_dual: bool = Field(
        default=False,
        description="Whether tunnel clients that have an IPv4 address are told AAAA records that were made, too. Without, "
        "they reach IPv4 by IPv4, which their tunnel's CLAT carries.",
        examples=[True],
    )
    exclude_aaaa: list[Prefix6] = Field(
        default=[IPv6Network("::ffff:0:0/96")],
        description="AAAA answers in these are treated as absent (RFC 6147 §5.1.4).",
        examples=[["::ffff:0:0/96"]],
    )
    exclude_ipv4: list[Prefix4] = Field(
        default=[],
        description="No AAAA is made of A records in these. With 64:ff9b::/96 none is made of non-global ones either, but "
        "for `nat64.allow_ipv4` (RFC 6052 §3.1).",
        examples=[["192.0.2.0/24"]],
    )
    never_synthesize: list[Domain] = Field(
        default=[],
        description="Domains that, with all below them, have their real AAAA records only.",
        examples=[["example.com"]],
    )
    aaaa_failure: FailureWord = Field(
        default=AaaaFailure.SYNTHESIZE,
        description="What a question for AAAA leads to whose answer is an error, or does not come: `synthesize` from the A "
        "records, which keeps names usable whose servers are deaf to AAAA (RFC 6147 §5.1.2), or `fail`.",
        examples=["fail"],
    )
    serve_stale: bool = Field(
        default=True,
        description="Whether answers up to a day past their time are given where resolvers fail, or take longer than 1.8 "
        "seconds (RFC 8767).",
        examples=[True],
    )
    view: list[DnsViewTable] = Field(
        default=[], description="What some clients are answered, one `[[dns64.view]]` each."
    )
    zone: list[DnsZoneTable] = Field(
        default=[], description="Domains that other resolvers are asked about, one `[[dns64.zone]]` each."
    )
    record: list[DnsRecordTable] = Field(
        default=[], description="Records that nodes answer themselves, one `[[dns64.record]]` each."
    )


class LogTable(Table):
    """Who had which addresses and ports of the NAT64, and when (`v6native who-had`). To whom they spoke is never logged."""

    enabled: bool | None = Field(
        default=None,
        description="Whether it is logged. Default: where ports are given in blocks (`nat64.port_block`), a line a block.",
        examples=[True],
    )
    retention: Duration = Field(
        default="180d",
        description="How long it is kept: a number with `h`, `d` or `w`. The law of your country may know a longest or shortest time.",
        examples=["180d"],
    )
    syslog: list[SyslogServer] = Field(
        default=[],
        description="Syslog servers that are told as well (RFC 5424): `udp://ADDRESS:PORT` or `tcp://ADDRESS:PORT`.",
        examples=[["udp://[2001:db8::1]:514"]],
    )
    ipfix: list[IpfixCollector] = Field(
        default=[],
        description="IPFIX collectors that are told as well (RFC 8158): `udp://ADDRESS:PORT` or `tcp://ADDRESS:PORT`.",
        examples=[["tcp://192.0.2.9:4739"]],
    )


class TunnelTable(Table):
    """A WireGuard interface on one node."""

    node: str | None = Field(default=None, description="Where it ends. Default: the only node.", examples=["edge1"])
    listen: int = Field(default=51820, ge=1, le=65535, description="Its UDP port.", examples=[51820])
    prefix: Prefix6 = Field(
        description="The clients' IPv6 addresses; the node has the first.", examples=["2001:db8:a::/64"]
    )
    clat4: Prefix4 | None = Field(
        default=None,
        description="The clients' IPv4 addresses, in 100.64.0.0/10 or private space; the node has the first. "
        "Absent: clients have IPv6 only.",
        examples=["100.64.0.0/16"],
    )
    mtu: int = Field(default=1420, ge=1280, le=65535, description="The interface's MTU.", examples=[1420])
    endpoint: Host | None = Field(
        default=None,
        description="What clients dial. Default: the uplink's address.",
        examples=["edge1.example.net"],
    )


class ClientTable(Table):
    """A person's device. Usually a file of its own, clients.d/NAME.toml, without the table header."""

    tunnel: str = Field(description="The tunnel that it uses.", examples=["friends"])
    public_key: WireGuardKey = Field(
        description="Its WireGuard public key.", examples=["HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw="]
    )
    address6: Address6 = Field(description="Its IPv6 address, in the tunnel's `prefix`.", examples=["2001:db8:a::2"])
    address4: Address4 | None = Field(
        default=None, description="Its IPv4 address, in the tunnel's `clat4`.", examples=["100.64.0.2"]
    )
    enabled: bool = Field(default=True, description="Whether it may connect.", examples=[True])


class NetworkFile(Table):
    """network.toml"""

    network: NetworkTable
    node: dict[str, NodeTable] = {}
    nat64: Nat64Table = Nat64Table()
    clat: ClatTable = ClatTable()
    dns64: Dns64Table = Dns64Table()
    log: LogTable = LogTable()
    tunnel: dict[str, TunnelTable] = {}
    client: dict[str, ClientTable] = {}
