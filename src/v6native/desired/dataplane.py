# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the BPF translators are told: values only, no kernel objects. dataplane/ writes them into maps."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from v6native.config.model import RFC7915_DEFAULTS, Eam, PortRange, Proto, Timeouts, TranslationOptions

ANY_MTU = 65535


@dataclass(frozen=True, slots=True)
class PoolRange:
    """One usable range of pool4: an address with ports. `shared`: the node uses the rest of the address itself."""

    address: IPv4Address
    ports: PortRange
    shared: bool
    protos: frozenset[Proto] = frozenset(Proto)
    group: int = 0


@dataclass(frozen=True, slots=True)
class PoolGroup:
    """Ranges of pool4 that serve together. `mark`/`mask`: the packets that they serve; mask 0: by source alone."""

    mark: int = 0
    mask: int = 0


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom sources count for limits, port blocks and the log, and which group of ranges serves them.

    `client` None: each prefix of `length` bits in `network` is a client of its own.
    """

    network: IPv6Network
    client: IPv6Address | None = None
    length: int = 64
    group: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may have at most; 0 is no limit. `ports` of each protocol, `rate` in new sessions a second."""

    ports: int = 0
    sessions: int = 0
    rate: int = 0


@dataclass(frozen=True, slots=True)
class StaticEntry:
    """A static BIB entry with its addresses resolved; `pref64` is the index of the one that its remote hosts are in."""

    proto: Proto
    ipv4: IPv4Address
    port4: int
    ipv6: IPv6Address
    port6: int
    pref64: int = 0


@dataclass(frozen=True, slots=True)
class Nat64Settings:
    """The stateful translator (RFC 6146).

    `refused4` are refused destinations, `open4` the ranges the operator opened in them (longest match wins).
    `icmp6_source`/`icmp4_source` are the node's addresses for errors the translator itself makes.
    `mtu4`, `mtu6`: of the largest links that may be the next hop.
    `own4` are the node's IPv4 addresses: sessions on a shared one that it has lost to another end.
    `identities` are of networks inside `sources`, the longest match counts; without one each /`client_prefix` is a client.
    `port_block` is how many ports a client gets at once (a power of two); 0: ports are given one by one.
    `log`: who gets and gives back which is told to whoever reads the ring buffer log_events.
    """

    pref64: tuple[IPv6Network, ...]
    pool: tuple[PoolRange, ...]
    sources: tuple[IPv6Network, ...]
    static: tuple[StaticEntry, ...]
    refused4: tuple[IPv4Network, ...]
    open4: tuple[IPv4Network, ...]
    icmp6_source: IPv6Address
    icmp4_source: IPv4Address
    timeout: Timeouts
    lowest_ipv6_mtu: int
    sessions: int
    own4: tuple[IPv4Address, ...] = ()
    identities: tuple[Identity, ...] = ()
    client_prefix: int = 64
    groups: tuple[PoolGroup, ...] = (PoolGroup(),)
    port_block: int = 0
    limits: Limits = Limits()
    address_dependent: bool = False
    reset_orphans: bool = True
    options: TranslationOptions = RFC7915_DEFAULTS
    mtu4: int = ANY_MTU
    mtu6: int = ANY_MTU
    log: bool = False

    def lost(self, shared: IPv4Address) -> bool:
        """Whether an address that was shared is nobody's here any more, and there is another to go on with.

        Without another one its sessions wait: the same address often comes back.
        """
        return shared not in self.own4 and any(e.shared and e.address != shared for e in self.pool)


@dataclass(frozen=True, slots=True)
class SiitSettings:
    """The stateless translator (RFC 7915 with RFC 7757): the CLAT's /96 is an EAM entry like any other.

    `explicit`: there are mappings that the operator wrote, beside the CLAT's own. `refused4` and `open4`: as the NAT64's.
    """

    pref64: IPv6Network
    eam: tuple[Eam, ...]
    icmp6_source: IPv6Address
    icmp4_source: IPv4Address
    lowest_ipv6_mtu: int
    refused4: tuple[IPv4Network, ...] = ()
    open4: tuple[IPv4Network, ...] = ()
    explicit: bool = False
    options: TranslationOptions = RFC7915_DEFAULTS
    mtu4: int = ANY_MTU
    mtu6: int = ANY_MTU


@dataclass(frozen=True, slots=True)
class Attachment:
    """A BPF program at tc ingress of an interface, by name."""

    interface: str
    program: str


@dataclass(frozen=True, slots=True)
class FastPair:
    """Packets that the fast path would like to send from one interface straight out of another.

    `from6`: from IPv6 hosts to IPv4; else the other way. Whether it may is judged while the node runs.
    """

    ingress: str
    egress: str
    from6: bool


@dataclass(frozen=True, slots=True)
class DataPlaneConfig:
    """All that dataplane/ needs; `slow_interface` receives what BPF cannot do, `nat64_interface` takes redirects."""

    nat64: Nat64Settings | None
    siit: SiitSettings | None
    attachments: tuple[Attachment, ...]
    nat64_interface: str
    clat_interface: str
    slow_interface: str | None
    fast: tuple[FastPair, ...] = ()
