# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The keys of network.toml: types, defaults, one line of documentation and an example each.

The only place where a key is written down: the loader, the JSON Schema and the reference table are all made of it.
These models see one value at a time; what concerns several values is in rules/.
"""

from __future__ import annotations

from ipaddress import IPv6Network

from pydantic import Field

from v6native.config.filedns import Dns64Table
from v6native.config.filetypes import (
    Address4,
    Address6,
    Domain,
    Duration,
    FastWord,
    FilteringWord,
    Host,
    IcmpPool4,
    IcmpRate,
    Interface,
    IpfixCollector,
    Mapped4,
    Mapped6,
    MarkWord,
    Name,
    OneOrMorePrefixes,
    OwnWord,
    Pool4,
    Prefix4,
    Prefix6,
    ProtoWord,
    SyslogServer,
    Table,
    Tos,
    TrafficClass,
    Transport4,
    Transport6,
    Udp0Word,
    WireGuardKey,
)
from v6native.config.model import FastPath, Filtering, OwnIPv4, Udp0


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
    domain: Domain | None = Field(
        default=None,
        description="Where the names of nodes and tunnel clients lie, which the DNS64 answers, forward and reverse: the client `laptop` is "
        "laptop.DOMAIN. Absent: they have none.",
        examples=["home.example.net"],
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


class HealthTable(Table):
    """Whether translation works: looked at by the nodes themselves."""

    probe: list[Address4] = Field(
        default=[],
        description="IPv4 hosts that are pinged through each of `network.pref64`, once an interval; one answer is enough. "
        "Empty: only the node's own state is looked at.",
        examples=[["198.51.100.1"]],
    )
    interval: int = Field(default=5, ge=1, le=3600, description="Seconds between two looks.", examples=[5])


class NetworkFile(Table):
    """network.toml"""

    network: NetworkTable
    node: dict[str, NodeTable] = Field(default={})
    nat64: Nat64Table = Nat64Table()
    clat: ClatTable = ClatTable()
    dns64: Dns64Table = Dns64Table()
    log: LogTable = LogTable()
    health: HealthTable = HealthTable()
    tunnel: dict[str, TunnelTable] = Field(default={})
    client: dict[str, ClientTable] = Field(default={})
