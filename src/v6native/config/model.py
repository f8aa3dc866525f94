# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The network as its file describes it: frozen, valid, with every default filled in.

[network]
name = "example"
prefix = ["2001:db8::/40"]            # ours, routed to us; without it: what the LANs have on link, followed
pref64 = "64:ff9b::/96"               # or a list; the first is the one DNS64 uses

[node.edge1]
uplink = "eth0"
lan = ["br0"]
pool4 = ["uplink:40000-59999"]        # the uplink's own IPv4 address, without its tunnels' ports;
                                      # or "203.0.113.1", "203.0.113.2:1024-65535/tcp", "203.0.113.0/28"
own_ipv4 = "auto"                     # the node's own IPv4: "auto" | "native" | "clat"

[nat64]
sources = ["2001:db8:5::/64"]         # may be translated beside clients and the node; default: LANs in network.prefix
allow_ipv4 = ["10.0.0.0/8"]           # non-global IPv4 destinations that are open
refuse_ipv4 = ["198.51.100.0/24"]     # IPv4 destinations that are closed, own infrastructure say
filtering = "endpoint-independent"    # who may come in: or "address-dependent"
reset_orphans = true                  # TCP of no session is answered with a reset
lowest_ipv6_mtu = 1280
sessions = 131072
fast_path = "auto"                    # "auto" | "off": packets of known sessions past the host's stack where no rule wants them
icmp_rate = 1000                      # these five in [clat] too; see TranslationOptions
icmp_pool4 = "192.0.2.64/28"
tos = 0
traffic_class = 0
udp_without_checksum = "calculate"    # calculate | drop
client_prefix = 64                    # so many bits of a source are one client
port_block = 256                      # a client gets ports by blocks of so many; 0: one by one
[nat64.limit]                         # of one client; 0: none
ports = 2048                          # of each protocol; default: a quarter of the pool's, 8192 at most
sessions = 8192                       # default: an eighth of nat64.sessions
new_per_second = 1000
[nat64.timeout]                       # seconds: tcp_est tcp_trans udp icmp tcp_incoming_syn; allow_short = true
[[nat64.static]]
proto = "tcp"                         # tcp | udp | icmp
ipv4 = "uplink:80"                    # address:port, or uplink:port; or as many ports as the IPv6 side
ipv6 = "[2001:db8:1::5]:80"           # or "[…]:8000-8010"
node = "edge1"                        # default: every node
pref64 = "2001:db8:64:64::/96"        # what remote hosts are in; default: the first
[[nat64.pool]]                        # a pool for some sources, or packets with a mark
pool4 = ["203.0.113.64/28"]
source = ["2001:db8:5::/48"]
mark = "0x10/0xff"
node = "edge1"                        # default: the only node

[clat]
prefix = "2001:db8:a:64::/96"         # the CLAT's own /96; default: derived from the first tunnel's prefix
[[clat.eam]]
ipv4 = "192.0.2.8/32"
ipv6 = "2001:db8:8::1/128"

[dns64]
enabled = true
engine = "builtin"                    # or "unbound", with its dns64 module
listen = ["2001:db8:1::1"]            # default: the node's addresses on its LANs and tunnels
upstream = ["system"]                 # "system", "unbound" (127.0.0.1/::1), "own" (one that we run), addresses, "address#port",
                                      # "tls://address#name", "https://address/path#name"
pref64 = ["2001:db8:64:64::/96"]      # which of network.pref64; default: the first
synthesize_for_dual = false           # clients with IPv4 have the CLAT
exclude_aaaa = ["::ffff:0:0/96"]
exclude_ipv4 = ["192.0.2.0/24"]       # never synthesized from; default: none
never_synthesize = ["example.com"]    # these domains have real AAAA records only
aaaa_failure = "synthesize"           # or "fail": what a broken answer to AAAA leads to
block = ["/etc/v6native/block.txt"]   # names that are not answered
never_block = ["example.com"]
client_per_second = 1000              # questions of one client; 0: any number
count_names = true                    # which domains are asked for, for `v6native dns top`
query_log = ""                        # a file for each question, a JSON object a line
serve_stale = true                    # where resolvers fail, answers up to a day past their time
[dns64.tls]                           # DNS over TLS and HTTPS
name = "dns.example.net"
certificate = "/etc/v6native/tls/fullchain.pem"
key = "/etc/v6native/tls/key.pem"
dot = 853                             # 0: none
doh = 443
[[dns64.view]]                        # some clients are answered otherwise
source = ["2001:db8:5::/48"]
pref64 = []                           # real AAAA records only
[[dns64.zone]]                        # other resolvers for a domain
name = "dn42"
upstream = ["2001:db8::d42"]
[[dns64.record]]                      # answered here
name = "printer.home.arpa"
type = "AAAA"                         # A | AAAA | PTR
value = "2001:db8:1::9"

[log]
enabled = true                        # who had which ports; never to whom they spoke
retention = "180d"
syslog = ["udp://[2001:db8::1]:514"]  # "udp://ADDRESS:PORT" or "tcp://ADDRESS:PORT"
ipfix = ["tcp://192.0.2.9:4739"]

[health]
probe = ["198.51.100.1"]              # pinged through each pref64; default: nobody is
interval = 5                          # seconds

[tunnel.friends]
node = "edge1"                        # default: the only node
listen = 51820
prefix = "2001:db8:a::/64"            # clients' addresses; the node has the first
clat4 = "100.64.0.0/16"               # clients' IPv4 addresses; the node has the first
mtu = 1420
endpoint = "edge1.example.net"        # what clients are told; default: the uplink's address

[client.laptop]                       # or clients.d/laptop.toml, without the table header
tunnel = "friends"
public_key = "…"
address6 = "2001:db8:a::2"
address4 = "100.64.0.2"
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path

from v6native.config.modeldns import Dns64
from v6native.config.positions import Positions
from v6native.config.problem import ConfigProblem


class Proto(StrEnum):
    """The protocols that have a BIB (RFC 6146 §3.1)."""

    TCP = "tcp"
    UDP = "udp"
    ICMP = "icmp"


class OwnIPv4(StrEnum):
    """How the node's own IPv4 leaves: AUTO is CLAT where there is no IPv4 default route."""

    AUTO = "auto"
    NATIVE = "native"
    CLAT = "clat"


class Filtering(StrEnum):
    """Who may come in through a BIB entry (RFC 6146 §3.5, RFC 4787 §5)."""

    ENDPOINT_INDEPENDENT = "endpoint-independent"
    ADDRESS_DEPENDENT = "address-dependent"


class Udp0(StrEnum):
    """What IPv4 UDP without checksum meets (RFC 7915 §4.5)."""

    CALCULATE = "calculate"
    DROP = "drop"


class FastPath(StrEnum):
    """Whether packets of known sessions may pass by the host's stack; AUTO: where nothing of the operator's wants them."""

    AUTO = "auto"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class PortRange:
    """Inclusive ports (or ICMP identifiers)."""

    first: int
    last: int


ALL_PORTS = PortRange(1, 65535)


@dataclass(frozen=True, slots=True)
class Pool4Entry:
    """One entry of pool4; `network` None means the uplink's own address, which is then shared with the node.

    `group` 0 is the node's pool4; from 1 on they are the pools of `[[nat64.pool]]`.
    """

    network: IPv4Network | None
    ports: PortRange
    protos: frozenset[Proto] = frozenset(Proto)
    group: int = 0

    @property
    def shared(self) -> bool:
        return self.network is None


@dataclass(frozen=True, slots=True)
class StaticBib:
    """Static BIB entries, `count` of them at consecutive ports; `ipv4` None means the uplink's own address.

    `node` None means every node, `pref64` None the first.
    """

    proto: Proto
    ipv4: IPv4Address | None
    port4: int
    ipv6: IPv6Address
    port6: int
    node: str | None = None
    pref64: IPv6Network | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Mark:
    """A firewall mark as ip-rule(8) has it: packets with (mark & mask) == value."""

    value: int
    mask: int


@dataclass(frozen=True, slots=True)
class Pool:
    """For which packets a pool of its own is: those from `source`, or with `mark`. Its entries are in its node's pool4."""

    node: str
    source: tuple[IPv6Network, ...] = ()
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may have. None is the default that depends on the pool or the table, 0 no limit."""

    ports: int | None = None
    sessions: int | None = None
    new_per_second: int = 1000


@dataclass(frozen=True, slots=True)
class Network:
    name: str
    prefix: tuple[IPv6Network, ...]
    pref64: tuple[IPv6Network, ...]
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    uplink: str
    lan: tuple[str, ...] = ()
    pool4: tuple[Pool4Entry, ...] = ()
    own_ipv4: OwnIPv4 = OwnIPv4.AUTO


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; RFC 6146 §4 gives defaults and floors."""

    tcp_est: int = 7440
    tcp_trans: int = 240
    tcp_incoming_syn: int = 6
    udp: int = 300
    icmp: int = 60


@dataclass(frozen=True, slots=True)
class TranslationOptions:
    """What RFC 7915 leaves to the operator, for one translator.

    `icmp_rate`: ICMP errors a second and CPU that the translator makes itself, 0: none (RFC 4443 §2.4 f wants a limit).
    `icmp_pool4`: lent to IPv6 routers in the ICMP errors that they send (RFC 6791). `tos` and `traffic_class` None: copied.
    """

    icmp_rate: int = 1000
    icmp_pool4: IPv4Network | None = None
    tos: int | None = None
    traffic_class: int | None = None
    udp_without_checksum: Udp0 = Udp0.CALCULATE


RFC7915_DEFAULTS = TranslationOptions()
"""RFC 7915's defaults."""


@dataclass(frozen=True, slots=True)
class Nat64:
    enabled: bool = True
    sources: tuple[IPv6Network, ...] = ()
    allow_ipv4: tuple[IPv4Network, ...] = ()
    lowest_ipv6_mtu: int = 1280
    sessions: int = 131072
    fast_path: FastPath = FastPath.AUTO
    timeout: Timeouts = Timeouts()
    static: tuple[StaticBib, ...] = ()
    refuse_ipv4: tuple[IPv4Network, ...] = ()
    filtering: Filtering = Filtering.ENDPOINT_INDEPENDENT
    reset_orphans: bool = True
    client_prefix: int = 64
    port_block: int = 256
    limit: Limits = Limits()
    pools: tuple[Pool, ...] = ()
    options: TranslationOptions = RFC7915_DEFAULTS


@dataclass(frozen=True, slots=True)
class Eam:
    """An explicit address mapping (RFC 7757 §3.2): the IPv4 suffix is at most as long as the IPv6 one."""

    ipv4: IPv4Network
    ipv6: IPv6Network


@dataclass(frozen=True, slots=True)
class Clat:
    """`prefix` is the /96 in which 100.64.a.b stands for a tunnel client (RFC 6877 §6.3).

    Filled in (`convert.clat_prefix`) where a tunnel has IPv4 or a node's own IPv4 takes the CLAT. None: the file needs
    none; a node with own_ipv4 "auto" and no IPv4 default route derives one itself (`convert.derive_clat96`).
    """

    prefix: IPv6Network | None = None
    eam: tuple[Eam, ...] = ()
    options: TranslationOptions = RFC7915_DEFAULTS


class Transport(StrEnum):
    UDP = "udp"
    TCP = "tcp"


@dataclass(frozen=True, slots=True)
class Collector:
    """Where events are sent: a syslog server or an IPFIX collector."""

    transport: Transport
    address: IPv4Address | IPv6Address
    port: int

    def __str__(self) -> str:
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{self.transport}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Log:
    """Who had which ports. `enabled` None: where port blocks keep it small; `retention` in seconds."""

    enabled: bool | None = None
    retention: int = 180 * 86400
    syslog: tuple[Collector, ...] = ()
    ipfix: tuple[Collector, ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """`probe`: IPv4 hosts that are pinged through each pref64; `interval` in seconds."""

    probe: tuple[IPv4Address, ...] = ()
    interval: int = 5


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A WireGuard interface on one node; the node has the first address of `prefix` and of `clat4`."""

    name: str
    node: str
    listen: int
    prefix: IPv6Network
    clat4: IPv4Network | None
    mtu: int = 1420
    endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """A person's device in a tunnel."""

    name: str
    tunnel: str
    public_key: str
    address6: IPv6Address
    address4: IPv4Address | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Config:
    path: Path
    network: Network
    nodes: tuple[Node, ...]
    nat64: Nat64
    clat: Clat
    dns64: Dns64
    tunnels: tuple[Tunnel, ...] = ()
    clients: tuple[Client, ...] = ()
    log: Log = Log()
    health: Health = Health()
    warnings: tuple[ConfigProblem, ...] = field(default=(), compare=False)
    positions: Positions | None = field(default=None, compare=False, repr=False)

    def node(self, name: str) -> Node:
        """The node of that name; KeyError where the file has none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)
