# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the DNS64 is told, as frozen data, and its one file, dns64.json.

Whoever renders the file builds a `Dns64Settings` and writes `to_json()`; the worker reads it with `from_json()`, which
takes nothing that it does not know and reports all mistakes at once.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from v6native.address import valid_pref64
from v6native.config.modeldns import (
    AaaaFailure,
    DnsRecord,
    RecordType,
    UpstreamTls,
)
from v6native.decode import read
from v6native.dns64.wire import WireError, name_from_text
from v6native.errors import Dns64SettingsError

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Listen:
    """An address of the node's own. Never `::` or `0.0.0.0`: an answer has to leave from the address that was asked."""

    address: IPAddress
    port: int = 53


@dataclass(frozen=True, slots=True)
class Tls:
    """Encrypted listening. `certificate` and `key` are files in PEM form; `name` is in the certificate, and what clients are
    told (RFC 9462). `dot` and `doh`: where DNS over TLS (RFC 7858) and over HTTPS (RFC 8484) are spoken."""

    certificate: str
    key: str
    name: str
    dot: tuple[Listen, ...] = ()
    doh: tuple[Listen, ...] = ()


@dataclass(frozen=True, slots=True)
class UpstreamServer:
    """A recursive resolver. `tls`: it is asked encrypted. `trust_ad`: whether its AD bit is passed on; None: where nobody on
    the way can set it, on loopback or encrypted (RFC 6840 §5.7)."""

    address: IPAddress
    port: int = 53
    trust_ad: bool | None = None
    tls: UpstreamTls | None = None

    @property
    def authentic(self) -> bool:
        return self.address.is_loopback or self.tls is not None if self.trust_ad is None else self.trust_ad


@dataclass(frozen=True, slots=True)
class Pref64:
    """A prefix to synthesize with; `ipv4`: the ranges it serves (RFC 6147 §5.1.7), empty: all."""

    prefix: IPv6Network
    ipv4: tuple[IPv4Network, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """Other prefixes for clients in `sources`; the longest match counts. No pref64: real records only."""

    sources: tuple[IPNetwork, ...]
    pref64: tuple[Pref64, ...]


@dataclass(frozen=True, slots=True)
class Zone:
    """A domain, and all below it, that other resolvers are asked about; of several that fit, the longest counts."""

    name: str
    upstreams: tuple[UpstreamServer, ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. `query`: until an upstream question is given up; `hedge`: the longest wait before the next upstream is
    asked as well; `parallel_a`: how long the AAAA may take before the A is asked for beside it (RFC 6147 §5.1.8);
    `failure`: how long a failure is remembered (RFC 9520 §3.2); `tcp_idle`: a silent TCP connection is closed; `stale`:
    how long past its time an answer stands in where upstream fails (RFC 8767 §5), 0: never; `stale_after`: how long
    upstream may take before it does."""

    query: float = 4.0
    hedge: float = 0.2
    parallel_a: float = 0.5
    failure: int = 5
    tcp_idle: float = 10.0
    stale: int = 86_400
    stale_after: float = 1.8


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of memory: cached answers, their octets, questions under way, TCP connections. `client_per_second`: questions of
    one client, 0: any number. TTL ceilings in seconds."""

    cache_entries: int = 200_000
    cache_bytes: int = 128 << 20
    pending: int = 4096
    tcp_connections: int = 256
    client_per_second: int = 1000
    max_ttl: int = 86_400
    max_negative_ttl: int = 10_800


@dataclass(frozen=True, slots=True)
class Dns64Settings:
    """Everything of dns64.json. `allow`: who may ask, and nobody else may. `exclude_aaaa`: real addresses that count
    as absent (§5.1.4). `exclude_ipv4`: never embedded in any prefix; non-global IPv4 is never embedded in the
    well-known prefix either (RFC 6052 §3.1), except what `open_ipv4` names. `never_synthesize`: domains left alone.
    `block`: files with names that are not answered, but for the domains in `never_block`.
    `zones`: whom to ask about what else than `upstreams`. `authorities`: a file with certificates that encrypted upstreams'
    may come from besides those that the system trusts; empty: none. `count_names`: whether it is counted which domains are
    asked for. `query_log`: a file to which each question is written, a JSON object a line; empty: none."""

    listen: tuple[Listen, ...]
    upstreams: tuple[UpstreamServer, ...]
    pref64: tuple[Pref64, ...]
    allow: tuple[IPNetwork, ...]
    views: tuple[View, ...] = ()
    exclude_aaaa: tuple[IPv6Network, ...] = (IPv6Network("::ffff:0:0/96"),)
    exclude_ipv4: tuple[IPv4Network, ...] = ()
    open_ipv4: tuple[IPv4Network, ...] = ()
    never_synthesize: tuple[str, ...] = ()
    block: tuple[str, ...] = ()
    never_block: tuple[str, ...] = ()
    aaaa_failure: AaaaFailure = AaaaFailure.SYNTHESIZE
    local: tuple[DnsRecord, ...] = ()
    zones: tuple[Zone, ...] = ()
    authorities: str = ""
    count_names: bool = True
    query_log: str = ""
    tls: Tls | None = None
    timing: Timing = Timing()
    limits: Limits = Limits()

    def to_json(self) -> str:
        """The text of dns64.json."""
        return json.dumps(asdict(self), default=str, indent=2) + "\n"

    @staticmethod
    def from_json(text: str | bytes) -> Dns64Settings:
        """The settings in `text`; Dns64SettingsError with every mistake in it."""
        return read(Dns64Settings, text, Dns64SettingsError, _mistakes)


def _mistakes(settings: Dns64Settings) -> list[str]:
    problems = [
        f"{key}: is empty; give at least one"
        for key, value in (("listen", settings.listen), ("upstreams", settings.upstreams), ("allow", settings.allow))
        if not value
    ]
    encrypted = (*settings.tls.dot, *settings.tls.doh) if settings.tls else ()
    problems += [
        f"listen: {entry.address} means every address; name the node's own, since answers must leave from them"
        for entry in (*settings.listen, *encrypted)
        if entry.address.is_unspecified
    ]
    if settings.tls and (wrong := _name_mistake(settings.tls.name)) is not None:
        problems.append(f"tls: {wrong}")
    if len(set(encrypted)) < len(encrypted):
        problems.append("tls: an address and port is given twice")
    problems += _port_mistakes(settings)
    own = {(entry.address, entry.port) for entry in settings.listen}
    asked = [("upstreams", settings.upstreams), *((f"zones: {zone.name}", zone.upstreams) for zone in settings.zones)]
    problems += [
        f"{key}: {server.address} port {server.port} is this DNS64 itself; name another resolver"
        for key, servers in asked
        for server in servers
        if (server.address, server.port) in own
    ]
    problems += [f"zones: {wrong}" for zone in settings.zones if (wrong := _name_mistake(zone.name))]
    problems += [f"zones: {zone.name} has no upstreams" for zone in settings.zones if not zone.upstreams]
    rules = settings.pref64 + tuple(rule for view in settings.views for rule in view.pref64)
    problems += [f"pref64: {wrong}" for rule in rules if (wrong := valid_pref64(rule.prefix))]
    problems += [f"never_synthesize: {wrong}" for name in settings.never_synthesize if (wrong := _name_mistake(name))]
    problems += [f"never_block: {wrong}" for name in settings.never_block if (wrong := _name_mistake(name))]
    problems += [f"local: {wrong}" for record in settings.local if (wrong := _local_mistake(record))]
    return problems + _number_mistakes(settings)


def _port_mistakes(settings: Dns64Settings) -> list[str]:
    ports = [("listen", entry.port) for entry in settings.listen]
    ports += [("tls", entry.port) for entry in (*settings.tls.dot, *settings.tls.doh)] if settings.tls else []
    ports += [("upstreams", server.port) for server in settings.upstreams]
    ports += [("zones", server.port) for zone in settings.zones for server in zone.upstreams]
    return [f"{key}: port {port} is not one of 1 to 65535" for key, port in ports if not 1 <= port <= 65535]


def _number_mistakes(settings: Dns64Settings) -> list[str]:
    numbers = {f"timing.{key}": value for key, value in asdict(settings.timing).items()}
    numbers |= {f"limits.{key}": value for key, value in asdict(settings.limits).items()}
    if settings.timing.stale == 0:
        del numbers["timing.stale"]  # These two may be off.
    if settings.limits.client_per_second == 0:
        del numbers["limits.client_per_second"]
    return [f"{key}: {value} is not above zero" for key, value in numbers.items() if value <= 0]


def _name_mistake(name: str) -> str | None:
    try:
        name_from_text(name)
    except WireError as error:
        return f"{name!r} is no domain name: {error}"
    return None


def _local_mistake(record: DnsRecord) -> str | None:
    if (wrong := _name_mistake(record.name)) is not None:
        return wrong
    if not 0 <= record.ttl < 1 << 31:
        return f"{record.name}: ttl {record.ttl} is not one of 0 to {(1 << 31) - 1}"
    if record.type is RecordType.PTR:
        return _name_mistake(record.value)
    try:
        version = ip_address(record.value).version
    except ValueError:
        return f"{record.name}: {record.value!r} is no IP address"
    wanted = 4 if record.type is RecordType.A else 6
    return None if version == wanted else f"{record.name}: {record.value} is no IPv{wanted} address"
