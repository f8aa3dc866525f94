# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""One change to a valid file, one problem, at the changed line. The golden files have the texts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from v6native.config.problem import Severity
from v6native.config.rules.names import LONGEST
from v6native.config.rules.pools import MAX_POOL
from v6native.config.rules.prefixes import MAX_PREF64
from v6native.config.rules.shares import BLOCKS_OF_A_CLIENT, MOST_POOLS
from v6native.desired.node import tunnel_interface

from .conftest import Load, Problems, changed

ABI = Path(__file__).parents[3] / "bpf" / "abi.h"
STATIC = '[[nat64.static]]\nproto = "{}"\nipv4 = "{}"\nipv6 = "[2001:db8:1::{}]:80"\n'
RANGE = '[[nat64.static]]\nproto = "tcp"\nipv4 = "{}"\nipv6 = "[2001:db8:1::5]:{}"\n'
TLS = '[dns64.tls]\nname = "dns.example"\ncertificate = "{certificate}"\nkey = "/k"\n{more}'
POOL = '[[nat64.pool]]\npool4 = ["{}"]\n{}\n'
EAM = '[[clat.eam]]\nipv4 = "{}/32"\nipv6 = "2001:db8:e::{}/128"\n'
EAM_STATIC = '[[clat.eam]]\nipv4 = "192.0.2.8/32"\nipv6 = "2001:db8:1::5/128"\n'
EAM_RANGE = '[[clat.eam]]\nipv4 = "192.0.2.0/28"\nipv6 = "2001:db8:e::/124"\n'
NODE2 = '[node.edge2]\nuplink = "eth0"\npool4 = ["{}"]\n'
ON_EDGE1 = ("[tunnel.friends]", '[tunnel.friends]\nnode = "edge1"')
PHONE = '[client.phone]\ntunnel = "friends"\npublic_key = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="\n'

LOG = "[log]\n{}\n"

ERRORS = [
    # replacements, more text, the code, the text of the line that is meant
    ([("64:ff9b::/96", "2001:db8:64::/95")], "", "pref64", "pref64 ="),
    ([("64:ff9b::/96", "2001:db8:0:1:ff00::/96")], "", "pref64", "pref64 ="),
    ([("64:ff9b::/96", "64:ff9b::/64")], "", "pref64", "pref64 ="),
    ([("64:ff9b::/96", "2001:db8::/32")], "", "overlap", "pref64 ="),
    ([("64:ff9b::/96", "2001:db8:a::/96")], "", "overlap", "pref64 ="),
    ([('"64:ff9b::/96"', '["64:ff9b::/96", "64:ff9b::/96"]')], "", "duplicate", "pref64 ="),
    ([('"2001:db8::/40"', '"2001:db8::/40", "fe80::/64"')], "", "prefix", "prefix = ["),
    ([('"2001:db8:a::/64"', '"2001:db9:a::/64"'), ("db8:a::2", "db9:a::2")], "", "outside", "2001:db9:a::/64"),
    ([("100.64.0.0/16", "198.51.100.0/24"), ("100.64.0.2", "198.51.100.2")], "", "outside", "clat4"),
    ([], '[tunnel.family]\nprefix = "2001:db8:b::/64"\nlisten = 51820\n', "duplicate", "listen = 51820"),
    ([], '[tunnel.family]\nlisten = 51821\nprefix = "2001:db8:a::/48"\n', "overlap", "2001:db8:a::/48"),
    (
        [],
        '[tunnel.family]\nlisten = 51821\nprefix = "2001:db8:b::/64"\nclat4 = "100.64.0.0/24"\n',
        "overlap",
        "100.64.0.0/24",
    ),
    ([], '[tunnel.a-name-too-long]\nlisten = 51821\nprefix = "2001:db8:b::/64"\n', "name", "too-long"),
    ([], '[tunnel.family]\nlisten = 1\nprefix = "2001:db8:b::/64"\nnode = "edg1"\n', "no-such-node", "edg1"),
    ([("[tunnel", NODE2.format("203.0.113.1") + "[tunnel")], "", "missing", "[tunnel.friends]"),
    ([], '[clat]\nprefix = "2001:db8:c::/64"\n', "clat", "2001:db8:c::/64"),
    ([], '[clat]\nprefix = "2001:db9:c::/96"\n', "outside", "2001:db9:c::/96"),
    ([("64:ff9b::/96", "2001:db8:c::/64")], '[clat]\nprefix = "2001:db8:c::/96"\n', "overlap", "2001:db8:c::/96"),
    ([], '[clat]\nprefix = "2001:db8:a::/96"\n', "taken", "address6"),
    ([], '[[clat.eam]]\nipv4 = "192.0.2.8/31"\nipv6 = "2001:db8:8::1/128"\n', "eam", "2001:db8:8::1/128"),
    ([], '[[clat.eam]]\nipv4 = "192.0.2.8/32"\nipv6 = "64:ff9b::1/128"\n', "overlap", "64:ff9b::1/128"),
    ([], '[nat64]\nsources = ["64:ff9b::/97"]\n', "overlap", "sources"),
    ([], LOG.format('syslog = ["udp://192.0.2.9", "udp://192.0.2.9:514"]'), "duplicate", "syslog"),
    ([], LOG.format('ipfix = ["tcp://[::]:4739"]'), "collector", "ipfix"),
    ([], LOG.format('syslog = ["udp://log.example.net"]'), "collector", "syslog"),
    ([], LOG.format('retention = "0d"'), "duration", "retention"),
    ([], LOG.format('retention = "11y"'), "duration", "retention"),
    ([('40000-59999"', '40000-59999", "uplink:50000-60000"')], "", "overlap", "pool4"),
    ([("uplink:40000-59999", "203.0.0.0/20")], "", "too-many", "pool4"),
    ([("uplink:40000-59999", "100.64.3.0/32")], "", "overlap", "pool4"),
    ([("uplink:40000-59999", "uplink:51820")], "", "pool4", "pool4"),
    ([("uplink:40000-59999", "203.0.113.1"), ON_EDGE1], NODE2.format("203.0.113.1:80"), "overlap", ":80"),
    ([], STATIC.format("tcp", "uplink:80", 5) + STATIC.format("tcp", "uplink:80", 6), "duplicate", "uplink:80"),
    ([], STATIC.format("udp", "uplink:51820", 5), "port-taken", "[tunnel.friends]"),
    ([], STATIC.format("tcp", "127.0.0.1:80", 5), "static", "127.0.0.1"),
    ([("2001:db8:a::2", "2001:db8:b::2")], "", "outside", "address6"),
    ([("2001:db8:a::2", "2001:db8:a::1")], "", "taken", "address6"),
    ([("2001:db8:a::2", "2001:db8:a::")], "", "taken", "address6"),
    ([("100.64.0.2", "100.65.0.2")], "", "outside", "address4"),
    ([("100.64.0.2", "100.64.255.255")], "", "taken", "address4"),
    ([('clat4 = "100.64.0.0/16"\n', "")], "", "outside", "address4"),
    ([], PHONE + 'address6 = "2001:db8:a::2"\n', "duplicate", 'address6 = "2001:db8:a::2"'),
    ([], "[nat64.timeout]\nudp = 119\n", "timeout", "udp"),
    ([], "[nat64.timeout]\ntcp_est = 7439\n", "timeout", "tcp_est"),
    ([], "[nat64.timeout]\ntcp_trans = 239\n", "timeout", "tcp_trans"),
    ([], "[nat64.timeout]\nicmp = 59\n", "timeout", "icmp"),
    ([], '[nat64]\nallow_ipv4 = ["127.0.0.0/8"]\n', "allow-ipv4", "allow_ipv4"),
    ([], '[dns64]\nlisten = ["2001:db8:1::1"]\nupstream = ["2001:db8:1::1"]\n', "loop", "upstream"),
    ([], '[dns64]\nupstream = ["100.64.0.1"]\n', "loop", "upstream"),
    ([], '[dns64]\nupstream = ["system", "unbound"]\n', "upstream", "upstream"),
    ([], '[dns64]\nupstream = ["tls://dns.example.net"]\n', "upstream", "upstream"),
    ([], '[dns64]\nupstream = ["tls://2001:db8::53"]\n', "upstream", "upstream"),
    ([], '[dns64]\nupstream = ["tls://192.0.2.53#853"]\n', "upstream", "upstream"),
    ([], '[dns64]\nupstream = ["tls://192.0.2.53#"]\n', "upstream", "upstream"),
    ([], '[dns64]\nupstream = ["tls://192.0.2.53/dns-query"]\n', "upstream", "upstream"),
    ([], '[dns64]\nupstream = ["tls://192.0.2.53:99999"]\n', "port", "upstream"),
    ([], '[dns64]\nupstream = ["quic://192.0.2.53"]\n', "upstream", "upstream"),
    ([], '[dns64]\nauthorities = "ca.pem"\n', "path", "authorities"),
    ([], '[health]\nprobe = ["192.168.1.1"]\n', "probe", "probe"),
    ([], '[health]\nprobe = ["8.8.8.8"]\n[nat64]\nrefuse_ipv4 = ["8.8.8.0/24"]\n', "probe", "probe"),
    ([], '[health]\nprobe = ["8.8.8.8", "8.8.8.8"]\n', "duplicate", "probe"),
    ([], '[dns64]\ntrust_anchor = "root.key"\n', "path", "trust_anchor"),
    ([], '[dns64]\nengine = "bind"\n', "word", "engine"),
    ([], '[dns64]\nengine = "unbound"\nexclude_ipv4 = ["192.0.2.0/24"]\n', "engine", "exclude_ipv4"),
    ([], '[dns64]\nengine = "unbound"\naaaa_failure = "fail"\n', "engine", "aaaa_failure"),
    ([], '[dns64]\nengine = "unbound"\nblock = ["/b"]\n', "engine", "block"),
    ([], '[dns64]\nengine = "unbound"\nupstream = ["https://192.0.2.53"]\n', "engine", "upstream"),
    ([], '[dns64]\nengine = "unbound"\nupstream = ["tls://192.0.2.53", "192.0.2.54"]\n', "engine", "upstream"),
    ([], '[dns64]\nengine = "unbound"\nupstream = ["own", "192.0.2.54"]\n', "engine", "upstream"),
    ([], '[dns64]\nengine = "unbound"\n[[dns64.view]]\nsource = ["192.0.2.0/24"]\npref64 = []\n', "engine", "view"),
    (
        [],
        '[dns64]\nengine = "unbound"\n' + TLS.format(certificate="/c", more="").removeprefix("[dns64]\n"),
        "engine",
        "tls",
    ),
    ([], '[dns64]\nupstream = ["tls://100.64.0.1"]\n' + TLS.format(certificate="/c", more=""), "loop", "upstream"),
    ([], '[[dns64.zone]]\nname = "dn42"\nupstream = ["100.64.0.1"]\n', "loop", "upstream"),
    ([], '[[dns64.zone]]\nname = "dn42"\nupstream = ["system"]\n', "upstream", "upstream"),
    ([], '[[dns64.zone]]\nname = "a b"\nupstream = ["192.0.2.1"]\n', "domain", "name"),
    ([], '[dns64]\npref64 = ["2001:db8:65::/96"]\n', "pref64", "pref64"),
    ([], '[dns64]\npref64 = ["64:ff9b::/96", "64:ff9b::/96"]\n', "duplicate", "pref64"),
    ([], '[[dns64.view]]\nsource = ["192.0.2.0/24"]\npref64 = ["2001:db8:65::/96"]\n', "pref64", "pref64"),
    ([], '[dns64]\nblock = ["block.txt"]\n', "path", "block"),
    ([], TLS.format(certificate="cert.pem", more=""), "path", "certificate"),
    ([], TLS.format(certificate="/c", more="dot = 443\ndoh = 443\n"), "port", "doh"),
    ([], TLS.format(certificate="/c", more="dot = 0\ndoh = 0\n"), "port", "doh"),
    ([], TLS.format(certificate="/c", more="doh = 53\n"), "port", "doh"),
    ([], 2 * '[[dns64.view]]\nsource = ["192.0.2.0/24"]\npref64 = []\n', "duplicate", "source"),
    ([], '[[dns64.view]]\nsource = ["192.0.2.1/24"]\npref64 = []\n', "host-bits", "source"),
    ([], 2 * '[[dns64.zone]]\nname = "dn42"\nupstream = ["192.0.2.1"]\n', "duplicate", "name"),
    ([], '[dns64]\nnever_synthesize = ["bücher.example"]\n', "domain", "never_synthesize"),
    ([], '[[dns64.record]]\nname = "a.example"\ntype = "A"\nvalue = "2001:db8::1"\n', "record", "value"),
    ([], '[[dns64.record]]\nname = "a.example"\ntype = "AAAA"\nvalue = "x"\n', "record", "value"),
    ([], '[[dns64.record]]\nname = "a.example"\ntype = "PTR"\nvalue = "a..b"\n', "record", "value"),
    ([('lan = ["br0"]', 'lan = ["eth0"]')], "", "duplicate", "lan"),
    ([], '[dns64]\nupstream = ["192.0.2.53", "192.0.2.53"]\n', "duplicate", "upstream"),
    ([], '[clat]\nprefix = "2001:db8:c:0:ff00::/96"\n', "clat", "ff00::/96"),
    (
        [],
        '[tunnel.tiny]\nlisten = 51821\nprefix = "2001:db8:c:0:64::/112"\n[clat]\nprefix = "2001:db8:c:0:64::/96"\n',
        "overlap",
        '"2001:db8:c:0:64::/96"',
    ),
    ([], EAM.format("192.0.2.8", "a") + EAM.format("192.0.2.8", "b"), "duplicate", "192.0.2.8"),
    ([], EAM.format("192.0.2.8", "a") + EAM.format("192.0.2.9", "a"), "duplicate", "2001:db8:e::a"),
    ([], '[[clat.eam]]\nipv4 = "192.0.2.0/24"\nipv6 = "2001:db8:e::/121"\n', "eam", "/121"),
    ([], EAM.format("100.64.0.7", "a"), "overlap", "100.64.0.7"),
    ([("uplink:40000-59999", "192.0.2.0/28")], EAM.format("192.0.2.8", "a"), "overlap", "192.0.2.8"),
    ([], STATIC.format("tcp", "uplink:80", 5) + EAM_STATIC, "overlap", "2001:db8:1::5/128"),
    ([], '[nat64]\nallow_ipv4 = ["10.0.0.0"]\n', "prefix", "allow_ipv4"),
    ([], '[nat64]\nicmp_pool4 = "127.0.0.0/28"\n', "icmp-pool4", "127.0.0.0"),
    ([], '[clat]\nicmp_pool4 = "240.0.0.0/28"\n', "icmp-pool4", "240.0.0.0"),
    (
        [("2001:db8::/40", "2001:db8::/65"), ('"2001:db8:a::/64"', '"2001:db8::/80"'), ("db8:a::2", "db8::2")],
        "",
        "clat",
        "/80",
    ),
    ([('lan = ["br0"]', 'lan = ["clat-x"]')], "", "interface", "lan"),
    ([], "[nat64]\nport_block = 300\n", "port-block", "port_block"),
    ([], "[nat64]\nport_block = 8\n", "port-block", "port_block"),
    ([], "[nat64]\nport_block = 64\n[nat64.limit]\nports = 4096\n", "port-block", "ports"),
    ([], '[[nat64.pool]]\npool4 = ["203.0.113.9"]\n', "pool", "[[nat64.pool]]"),
    ([], POOL.format("203.0.113.9", 'node = "edg1"\nsource = ["2001:db8:5::/48"]'), "no-such-node", "edg1"),
    (
        [],
        POOL.format("203.0.113.8", 'source = ["2001:db8:5::/48"]')
        + POOL.format("203.0.113.9", 'source = ["2001:db8:6::/48", "2001:db8:5::/48"]'),
        "duplicate",
        "2001:db8:6::/48",
    ),
    ([], POOL.format("203.0.113.8", 'mark = "1"') + POOL.format("203.0.113.9", 'mark = "1"'), "duplicate", "mark"),
    ([], POOL.format("203.0.113.9", 'mark = "0x10000000"'), "mark", "mark"),
    ([], POOL.format("203.0.113.9", 'mark = "green"'), "mark", "mark"),
    ([], POOL.format("203.0.113.9", 'mark = "0x11/0x10"'), "mark", "mark"),
    ([], POOL.format("uplink:50000-50001", 'mark = "1"'), "overlap", "uplink:50000-50001"),
    ([("40000-59999", "40000-59999/sctp")], "", "word", "pool4"),
    ([], RANGE.format("uplink:8000-8010", "8000-8009"), "static", "8000-8009"),
    (
        [],
        RANGE.format("uplink:8000-8010", "8000-8010") + RANGE.format("uplink:8010", "9000"),
        "duplicate",
        "uplink:8010",
    ),
    ([], RANGE.format("uplink:80", "80") + 'pref64 = "2001:db8:77::/96"\n', "static", "pref64 ="),
]


@pytest.mark.parametrize(("replacements", "more", "code", "where"), ERRORS)
def test_error(problems: Problems, replacements: list[tuple[str, str]], more: str, code: str, where: str) -> None:
    text = changed(*replacements, more=more)
    errors = [p for p in problems(text) if p.severity is Severity.ERROR]
    assert [p.code for p in errors] == [code], errors
    line = errors[0].line
    assert line is not None
    assert where.strip() in text.split("\n")[line - 1], errors
    assert errors[0].remedy


FINE = [
    ([], '[dns64]\nenabled = false\nupstream = ["2001:db8:a::1"]\n'),
    ([], EAM.format("192.0.2.8", "a") + EAM.format("192.0.2.9", "b")),
    ([], '[[clat.eam]]\nipv4 = "192.0.2.0/26"\nipv6 = "2001:db8:e::/64"\n'),
    # The inner row says what the outer one says.
    ([], EAM_RANGE + EAM.format("192.0.2.9", "9")),
    ([], '[clat]\nicmp_pool4 = "192.0.2.64/28"\nicmp_rate = 0\n[nat64]\ntos = 0\nudp_without_checksum = "drop"\n'),
    ([("64:ff9b::/96", "2001:db8:64:64::/96")], ""),
    ([('"64:ff9b::/96"', '["2001:db8:64:64::/96", "64:ff9b::/96", "64:ff9b:1::/48"]')], ""),
    ([], STATIC.format("tcp", "uplink:80", 5) + STATIC.format("udp", "uplink:80", 5)),
    ([], STATIC.format("tcp", "203.0.113.77:80", 5)),
    ([("uplink:40000-59999", "203.0.113.1:1-999"), ON_EDGE1], NODE2.format("203.0.113.1:1000-1999")),
    ([ON_EDGE1], NODE2.format("uplink:40000-59999")),
    ([], "[nat64.timeout]\nudp = 120\nicmp = 60\ntcp_trans = 240\ntcp_est = 7440\n"),
    ([], '[dns64]\nlisten = ["2001:db8:1::1"]\nupstream = ["2001:db8:1::1#5353", "unbound"]\n'),
    ([], PHONE + 'address6 = "2001:db8:a::3"\naddress4 = "100.64.0.3"\n'),
    ([], '[clat]\nprefix = "2001:db8:64::/96"\n[[clat.eam]]\nipv4 = "192.0.2.0/24"\nipv6 = "2001:db8:8::/120"\n'),
    ([("64:ff9b::/96", "2001:db8::/64")], ""),
    *[([('"64:ff9b::/96"', f'"2001:db8:{n}::/{n}"')], "") for n in (48, 56, 64)],
    ([("2001:db8::/40", "2000::/12"), ("64:ff9b::/96", "2001:4000::/32")], ""),
    ([("2001:db8::/40", "2000::/12"), ("64:ff9b::/96", "2001:4000::/40")], ""),
    ([], "[nat64]\nport_block = 0\n[nat64.limit]\nports = 0\nsessions = 0\nnew_per_second = 0\n"),
    ([], "[nat64]\nport_block = 16\n[nat64.limit]\nports = 512\n"),
    ([], '[nat64]\nfiltering = "address-dependent"\nreset_orphans = false\nrefuse_ipv4 = ["198.51.100.0/24"]\n'),
    ([("40000-59999", '40000-59999/tcp", "uplink:40000-59999/udp')], ""),
    ([], POOL.format("203.0.113.9", 'source = ["2001:db8:5::/48"]\nmark = "0x1"')),
    ([], RANGE.format("uplink:8000-8010", "9000-9010") + RANGE.format("uplink:8011", "9011")),
    ([], RANGE.format("uplink:80", "80") + 'pref64 = "64:ff9b::/96"\n'),
]


@pytest.mark.parametrize(("replacements", "more"), FINE)
def test_fine(load_text: Load, replacements: list[tuple[str, str]], more: str) -> None:
    assert load_text(changed(*replacements, more=more)).warnings == ()


WARNINGS = [
    ('[nat64]\nallow_ipv4 = ["169.254.0.0/16"]\n', "allow-ipv4", "169.254.169.254"),
    ('[nat64]\nallow_ipv4 = ["10.1.0.0/16"]\n', "allow-ipv4", "private networks"),
    ('[nat64]\nallow_ipv4 = ["10.1.0.0/16"]\n', "wkp-non-global", "RFC 6052 §3.1"),
    ('[nat64]\nallow_ipv4 = ["9.0.0.0/8"]\n', "allow-ipv4", "open anyway"),
    ('[nat64]\nsources = ["::/0"]\n', "open", "strangers"),
    ('[nat64]\nsources = ["2001:db9::/32"]\n', "open", "strangers"),
    ("[nat64.timeout]\nudp = 5\nallow_short = true\n", "timeout", "floor"),
    (EAM_RANGE + EAM.format("192.0.2.9", "ffff"), "eam-overlap", "192.0.2.9/32 and 192.0.2.0/28"),
    (EAM.format("198.51.100.9", "9") + EAM_RANGE, "eam-overlap", "2001:db8:e::/124 and 2001:db8:e::9/128"),
    ('[nat64]\nicmp_pool4 = "10.0.0.0/28"\n', "icmp-pool4", "RFC 6791"),
    ('[dns64]\nlisten = ["::"]\n', "open", "everybody"),
    ('[log]\nenabled = false\nsyslog = ["udp://192.0.2.9"]\n', "unused", "nothing is sent"),
    ("[nat64]\nport_block = 0\n[log]\nenabled = true\n", "log", "every BIB entry"),
    (STATIC.format("tcp", "uplink:80", "1").replace("2001:db8:1", "2001:db9:1"), "outside", "not inside"),
    ("[nat64.limit]\nports = 0\n", "port-block", "8192 ports"),
]


def test_a_network_without_a_whole_subnet_is_shown_the_well_known_prefix(problems: Problems) -> None:
    small = changed(("2001:db8::/40", "2001:db8::/80"), ("64:ff9b::/96", "2001:db8::/64"))
    found = [p for p in problems(small) if p.key == "network.pref64"]
    assert [(p.code, p.remedy) for p in found] == [("overlap", 'write another one, like "64:ff9b::/96"')]


@pytest.mark.parametrize(("more", "code", "what"), WARNINGS)
def test_warning(load_text: Load, more: str, code: str, what: str) -> None:
    warnings = load_text(changed(more=more)).warnings
    assert any(w.code == code and what in w.what for w in warnings), warnings


def test_limits_are_those_of_the_data_plane() -> None:
    limits = dict(re.findall(r"#define (MAX_\w+) (\d+)", ABI.read_text()))
    assert (int(limits["MAX_PREF64"]), int(limits["MAX_POOL"])) == (MAX_PREF64, MAX_POOL)
    assert (int(limits["MAX_CLIENT_BLOCKS"]), int(limits["MAX_GROUPS"])) == (BLOCKS_OF_A_CLIENT, MOST_POOLS + 1)


def test_the_longest_tunnel_has_an_interface_name() -> None:
    name = "x" * LONGEST["tunnel"]
    assert tunnel_interface(name).endswith(name) and len(tunnel_interface(name)) == 15
