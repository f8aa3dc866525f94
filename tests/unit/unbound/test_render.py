# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""unbound.conf for the settings, and that unbound itself finds nothing wrong with it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network
from pathlib import Path

import pytest

from v6native.config.model import (
    PortRange,
)
from v6native.config.modeldns import (
    DnsRecord,
    DnsZone,
    RecordType,
    Upstream,
    UpstreamTls,
)
from v6native.errors import UnboundError
from v6native.unbound.render import render
from v6native.unbound.settings import UnboundSettings

BEHIND = UnboundSettings(
    listen=(IPv6Address("::1"),),
    port=5364,
    allow=(ip_network("127.0.0.0/8"), ip_network("::1/128")),
    trust_anchor="/usr/share/dns/root.key",
    serve_stale=False,
)
IN_FRONT = UnboundSettings(
    listen=(IPv6Address("2001:db8:1::1"), IPv4Address("100.64.0.1")),
    port=53,
    allow=(ip_network("2001:db8::/40"),),
    trust_anchor="/usr/share/dns/root.key",
    pref64=IPv6Network("2001:db8:64:64::/96"),
    forward=(Upstream(IPv6Address("2001:db8::853"), 853, UpstreamTls("dns.example.net")),),
    zones=(
        DnsZone("dn42", (Upstream(IPv6Address("2001:db8::d42"), 5353),)),
        DnsZone("10.in-addr.arpa", (Upstream(IPv4Address("192.0.2.53")),)),
    ),
    records=(
        DnsRecord("printer.home.arpa", RecordType.AAAA, "2001:db8:1::9"),
        DnsRecord("printer.home.arpa", RecordType.A, "192.0.2.9", 60),
        DnsRecord("9.2.0.192.in-addr.arpa", RecordType.PTR, "printer.home.arpa"),
    ),
    avoid_ports=(PortRange(40000, 59999),),
    client_per_second=1000,
)


def lines(settings: UnboundSettings) -> list[str]:
    return [line.strip() for line in render(settings, Path("/var/lib/unbound/v6native-x")).splitlines()]


def test_behind_the_dns64() -> None:
    found = lines(BEHIND)
    for line in (
        "interface: ::1",
        "port: 5364",
        'module-config: "validator iterator"',
        'trust-anchor-file: "/usr/share/dns/root.key"',
        "access-control: ::1/128 allow",
        'control-interface: "/var/lib/unbound/v6native-x/control.sock"',
    ):
        assert line in found
    text = "\n".join(found)
    assert "forward-zone" not in text and "dns64" not in text and "serve-expired" not in text


def test_as_the_dns64() -> None:
    found = lines(IN_FRONT)
    for line in (
        'module-config: "dns64 validator iterator"',
        "dns64-prefix: 2001:db8:64:64::/96",
        'outgoing-port-avoid: "40000-59999"',
        'forward-addr: "2001:db8::853@853#dns.example.net"',
        "forward-tls-upstream: yes",
        'tls-cert-bundle: "/etc/ssl/certs/ca-certificates.crt"',
        'forward-addr: "2001:db8::d42@5353"',
        'domain-insecure: "dn42"',
        'local-zone: "10.in-addr.arpa" nodefault',
        'local-data: "printer.home.arpa. 60 IN A 192.0.2.9"',
        'local-data: "9.2.0.192.in-addr.arpa. 300 IN PTR printer.home.arpa."',
        "ip-ratelimit: 1000",
        "serve-expired: yes",
    ):
        assert line in found, line
    assert found.count('local-zone: "printer.home.arpa" static') == 1
    assert 'local-zone: "dn42" nodefault' not in found
    assert lines(replace(IN_FRONT, authorities="/etc/ca.pem")).count('tls-cert-bundle: "/etc/ca.pem"') == 1


@pytest.mark.parametrize("settings", [BEHIND, IN_FRONT], ids=["behind", "in front"])
def test_unbound_takes_it(settings: UnboundSettings, tmp_path: Path) -> None:
    file = tmp_path / "unbound.conf"
    file.write_text(render(settings, tmp_path))
    done = subprocess.run(["unbound-checkconf", str(file)], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr + done.stdout


def test_nothing_leaves_its_quotes() -> None:
    with pytest.raises(ValueError, match="cannot stand"):
        render(replace(BEHIND, trust_anchor='/x"\nserver:\n interface: 0.0.0.0\n#'), Path("/x"))


@pytest.mark.parametrize("settings", [BEHIND, IN_FRONT], ids=["behind", "in front"])
def test_settings_go_through_json(settings: UnboundSettings) -> None:
    assert UnboundSettings.from_json(settings.to_json()) == settings


def test_what_is_wrong_is_told_at_once() -> None:
    with pytest.raises(UnboundError, match="port: "):
        UnboundSettings.from_json('{"listen": ["::1"], "allow": [], "trust_anchor": "/x"}')
    with pytest.raises(UnboundError, match="not JSON"):
        UnboundSettings.from_json("{")
