# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""unbound.conf(5) for the settings. Whatever a name or an address holds, it stays within its quotes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path

from v6native.config.modeldns import (
    DnsRecord,
    RecordType,
    Upstream,
)
from v6native.unbound.settings import UnboundSettings

CONF, CONTROL, PID = "unbound.conf", "control.sock", "unbound.pid"
"""Its files, all in one folder."""
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_STALE_SECONDS = 86_400
"""As long as the DNS64's own."""


def render(settings: UnboundSettings, folder: Path) -> str:
    """The text of unbound.conf; `folder` is where its files lie."""
    parts = (_server(settings, folder), _records(settings.records), _remote(folder), *_forwards(settings))
    return "\n".join(f"{head}:\n" + "".join(f"    {line}\n" for line in lines) for head, lines in parts)


def _server(s: UnboundSettings, folder: Path) -> tuple[str, list[str]]:
    lines = [
        "do-daemonize: no",
        "use-syslog: no",
        'logfile: ""',
        f"pidfile: {_quoted(str(folder / PID))}",
        'chroot: ""',
        # Without anything else the file's folder would have to be the package's.
        'directory: ""',
        "hide-identity: yes",
        "hide-version: yes",
        "prefetch: yes",
        "aggressive-nsec: yes",
        "harden-below-nxdomain: yes",
        "qname-minimisation: yes",
        "ip-freebind: yes",
        f"port: {s.port}",
        *(f"interface: {address}" for address in s.listen),
        *(f"access-control: {network} allow" for network in s.allow),
        f"trust-anchor-file: {_quoted(s.trust_anchor)}",
        *(f'outgoing-port-avoid: "{ports.first}-{ports.last}"' for ports in s.avoid_ports),
    ]
    if s.pref64 is None:
        lines.append('module-config: "validator iterator"')
    else:
        lines += ['module-config: "dns64 validator iterator"', f"dns64-prefix: {s.pref64}"]
    if s.serve_stale:
        lines += ["serve-expired: yes", f"serve-expired-ttl: {_STALE_SECONDS}", "serve-expired-client-timeout: 1800"]
    if s.client_per_second:
        lines.append(f"ip-ratelimit: {s.client_per_second}")
    asked = [*s.forward, *(upstream for zone in s.zones for upstream in zone.upstream)]
    if any(upstream.address.is_loopback for upstream in asked):
        lines.append("do-not-query-localhost: no")
    if any(upstream.tls for upstream in asked):
        lines.append(f"tls-cert-bundle: {_quoted(s.authorities or CERTIFICATES)}")
    # Zones that others answer are seldom signed from the root.
    lines += [f"domain-insecure: {_quoted(zone.name)}" for zone in s.zones]
    # Names of private addresses would be answered with "nowhere" otherwise (RFC 6303), which those zones are to tell.
    lines += [f"local-zone: {_quoted(zone.name)} nodefault" for zone in s.zones if zone.name.endswith(".arpa")]
    return "server", lines


def _records(records: Iterable[DnsRecord]) -> tuple[str, list[str]]:
    """A name of these exists with these records only."""
    records = tuple(records)
    lines = [f"local-zone: {_quoted(name)} static" for name in dict.fromkeys(record.name for record in records)]
    for record in records:
        value = f"{record.value}." if record.type is RecordType.PTR else str(ip_address(record.value))
        lines.append(f"local-data: {_quoted(f'{record.name}. {record.ttl} IN {record.type} {value}')}")
    return "server", lines


def _remote(folder: Path) -> tuple[str, list[str]]:
    """For statistics, and for root only: a socket of the file system."""
    return "remote-control", [
        "control-enable: yes",
        "control-use-cert: no",
        f"control-interface: {_quoted(str(folder / CONTROL))}",
    ]


def _forwards(s: UnboundSettings) -> Iterator[tuple[str, list[str]]]:
    for name, upstreams in ((".", s.forward), *((zone.name, zone.upstream) for zone in s.zones)):
        if not upstreams:
            continue
        tls = "yes" if upstreams[0].tls else "no"
        yield (
            "forward-zone",
            [f"name: {_quoted(name)}", f"forward-tls-upstream: {tls}", *(f"forward-addr: {_at(u)}" for u in upstreams)],
        )


def _at(upstream: Upstream) -> str:
    name = f"#{upstream.tls.name}" if upstream.tls and upstream.tls.name else ""
    return _quoted(f"{upstream.address}@{upstream.port}{name}")


def _quoted(text: str) -> str:
    """unbound.conf knows no escapes: what would end the string cannot be in one."""
    if any(c in '"\n\r\0' for c in text):
        raise ValueError(f"{text!r} cannot stand in unbound.conf")
    return f'"{text}"'
