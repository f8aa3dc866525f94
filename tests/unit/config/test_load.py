# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A valid file becomes a Config with its defaults; what cannot be read is said in one sentence."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path

import pytest

from v6native.config.load import load, this_node
from v6native.config.model import (
    Eam,
    Mark,
    OwnIPv4,
    Pool4Entry,
    PortRange,
    Proto,
    Timeouts,
)
from v6native.config.modeldns import (
    OWN_UNBOUND,
    AaaaFailure,
    Dns64,
    DnsRecord,
    DnsTls,
    DnsView,
    DnsZone,
    RecordType,
    Upstream,
    UpstreamTls,
)
from v6native.errors import ConfigError

from .conftest import SMALL, Load, Problems, changed

SERVER6 = IPv6Address("2001:db8::53")
KEY = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="


def test_defaults(load_text: Load) -> None:
    config = load_text()
    assert config.warnings == ()
    assert config.network.prefix == (IPv6Network("2001:db8::/40"),)
    assert config.network.pref64 == (IPv6Network("64:ff9b::/96"),)
    assert config.nat64.timeout == Timeouts() and config.nat64.sources == () and config.nat64.sessions == 131072
    assert config.dns64.upstream == () and config.dns64.listen == ()
    assert config.clat.prefix == IPv6Network("2001:db8:a:0:64::/96")
    assert config.nodes[0].own_ipv4 is OwnIPv4.AUTO
    assert config.tunnels[0].node == "edge1" and config.tunnels[0].mtu == 1420


def test_a_network_without_a_prefix_of_its_own(load_text: Load, problems: Problems) -> None:
    """Where the provider changes it, nothing in the file can say what is ours; strangers must still be named."""
    own = 'prefix = ["2001:db8::/40"]\n'
    static = '[[nat64.static]]\nproto = "tcp"\nipv4 = "uplink:80"\nipv6 = "[2001:db8:1::5]:80"\n'
    config = load_text(changed((own, ""), ("64:ff9b::/96", "2001:db8:64:64::/96"), more=static))
    assert (config.network.prefix, config.warnings) == ((), ())
    assert config.clat.prefix == IPv6Network("2001:db8:a:0:64::/96")
    open_ = problems(changed((own, ""), more='[nat64]\nsources = ["::/0"]\n'))
    assert "open" in [problem.code for problem in open_]


def test_a_tunnels_port_stays_the_nodes(load_text: Load) -> None:
    assert load_text().nodes[0].pool4 == (
        Pool4Entry(None, PortRange(40000, 51819)),
        Pool4Entry(None, PortRange(51821, 59999)),
    )
    edge = changed(('uplink:40000-59999"', 'uplink:51820-51821", "203.0.113.1"'))
    assert load_text(edge).nodes[0].pool4 == (
        Pool4Entry(None, PortRange(51821, 51821)),
        Pool4Entry(IPv4Network("203.0.113.1/32"), PortRange(1, 65535)),
    )


def test_pools_for_some_packets_are_groups_of_their_nodes_pool(load_text: Load) -> None:
    config = load_text(
        changed(
            ("uplink:40000-59999", "203.0.113.1:1024-65535/tcp"),
            more='[[nat64.pool]]\npool4 = ["203.0.113.9"]\nsource = ["2001:db8:5::/48"]\nmark = "0x10/0xf0"\n',
        )
    )
    own, other = config.nodes[0].pool4
    assert (own.protos, own.group, other.protos, other.group) == (frozenset({Proto.TCP}), 0, frozenset(Proto), 1)
    (pool,) = config.nat64.pools
    assert (pool.node, pool.source, pool.mark) == ("edge1", (IPv6Network("2001:db8:5::/48"),), Mark(0x10, 0xF0))


def test_static_entries_may_be_ranges(load_text: Load) -> None:
    text = '[[nat64.static]]\nproto = "tcp"\nipv4 = "uplink:8000-8010"\nipv6 = "[2001:db8:1::5]:9000-9010"\n'
    (entry,) = load_text(changed(more=text)).nat64.static
    assert (entry.port4, entry.port6, entry.count, entry.pref64) == (8000, 9000, 11, None)


def test_an_explicit_mapping_without_lengths_is_of_one_address(load_text: Load) -> None:
    """RFC 7757 §3.2."""
    config = load_text(changed(more='[[clat.eam]]\nipv4 = "192.0.2.8"\nipv6 = "2001:db8:e::8"\n'))
    assert config.clat.eam == (Eam(IPv4Network("192.0.2.8/32"), IPv6Network("2001:db8:e::8/128")),)


def test_unbound_means_this_machine(load_text: Load) -> None:
    config = load_text(changed(more='[dns64]\nupstream = ["unbound", "2001:db8::53#5353"]\n'))
    assert [str(u.address) for u in config.dns64.upstream] == ["127.0.0.1", "::1", "2001:db8::53"]
    assert config.dns64.upstream[2] == Upstream(IPv6Address("2001:db8::53"), 5353)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("192.0.2.53", Upstream(IPv4Address("192.0.2.53"))),
        ("192.0.2.53#5353", Upstream(IPv4Address("192.0.2.53"), 5353)),
        ("tls://192.0.2.53", Upstream(IPv4Address("192.0.2.53"), 853, UpstreamTls())),
        ("tls://[2001:db8::53]:8853#dns.example", Upstream(SERVER6, 8853, UpstreamTls("dns.example"))),
        ("https://[2001:db8::53]/q#dns.example", Upstream(SERVER6, 443, UpstreamTls("dns.example", "/q"))),
        ("https://192.0.2.53:8443/dns-query", Upstream(IPv4Address("192.0.2.53"), 8443, UpstreamTls("", "/dns-query"))),
    ],
)
def test_an_upstream_as_text(load_text: Load, given: str, meant: Upstream) -> None:
    config = load_text(changed(more=f'[dns64]\nupstream = ["{given}"]\n'))
    assert config.dns64.upstream == (meant,)
    assert str(meant) == given


def test_an_unbound_of_the_nodes_own(load_text: Load) -> None:
    config = load_text(changed(more='[dns64]\nupstream = ["own"]\n'))
    assert config.dns64.upstream == (OWN_UNBOUND,) and config.dns64.runs_unbound
    assert load_text(changed(more='[dns64]\nengine = "unbound"\n')).dns64.runs_unbound
    assert not load_text(changed(more='[dns64]\nengine = "unbound"\nenabled = false\n')).dns64.runs_unbound
    assert not load_text(changed(more='[dns64]\nupstream = ["unbound"]\n')).dns64.runs_unbound


def test_https_without_a_path_has_the_usual_one(load_text: Load) -> None:
    config = load_text(changed(more='[dns64]\nupstream = ["https://192.0.2.53#dns.example"]\n'))
    assert [str(u) for u in config.dns64.upstream] == ["https://192.0.2.53/dns-query#dns.example"]


def test_what_the_dns64_may_be_told(load_text: Load) -> None:
    config = load_text(
        changed(
            more="""
[dns64]
exclude_ipv4 = ["192.0.2.0/24"]
never_synthesize = ["Example.COM."]
aaaa_failure = "fail"
serve_stale = false
client_per_second = 50
block = ["/etc/v6native/block.txt"]
never_block = ["Good.example"]
synthesize_for_dual = true
[dns64.tls]
name = "dns.example.net"
certificate = "/etc/v6native/tls/fullchain.pem"
key = "/etc/v6native/tls/key.pem"
doh = 8443
[[dns64.view]]
source = ["2001:db8:5::/48", "192.0.2.0/24"]
pref64 = []
[[dns64.zone]]
name = "dn42"
upstream = ["2001:db8::d42", "192.0.2.53#5353"]
[[dns64.record]]
name = "printer.home.arpa"
type = "AAAA"
value = "2001:db8:1::9"
ttl = 60
"""
        )
    )
    assert config.dns64 == Dns64(
        exclude_ipv4=(IPv4Network("192.0.2.0/24"),),
        never_synthesize=("example.com",),
        aaaa_failure=AaaaFailure.FAIL,
        serve_stale=False,
        client_per_second=50,
        block=("/etc/v6native/block.txt",),
        never_block=("good.example",),
        pref64=(IPv6Network("64:ff9b::/96"),),
        synthesize_for_dual=True,
        tls=DnsTls("dns.example.net", "/etc/v6native/tls/fullchain.pem", "/etc/v6native/tls/key.pem", 853, 8443),
        views=(DnsView((IPv6Network("2001:db8:5::/48"), IPv4Network("192.0.2.0/24")), ()),),
        zones=(DnsZone("dn42", (Upstream(IPv6Address("2001:db8::d42")), Upstream(IPv4Address("192.0.2.53"), 5353))),),
        records=(DnsRecord("printer.home.arpa", RecordType.AAAA, "2001:db8:1::9", 60),),
    )


def test_own_prefix_of_the_clat_avoids_what_is_there(load_text: Load) -> None:
    taken = changed(("64:ff9b::/96", "2001:db8:a:0:64::/96"), ('"2001:db8:a::/64"', '"2001:db8:a::/80"'))
    assert load_text(taken).clat.prefix == IPv6Network("2001:db8:0:64::/96")
    no_tunnel = SMALL.partition("[tunnel")[0]
    assert load_text(no_tunnel).clat.prefix is None
    assert load_text(no_tunnel.replace("pool4", 'own_ipv4 = "clat"\npool4')).clat.prefix is not None


def test_clients_files_are_merged(load_text: Load) -> None:
    phone = f'tunnel = "friends"\npublic_key = "{KEY}"\naddress6 = "2001:db8:a::3"\nenabled = false\n'
    config = load_text(SMALL, phone=phone)
    assert [(c.name, c.enabled, c.address4) for c in config.clients][1] == ("phone", False, None)


def test_the_same_file_twice_is_equal(load_text: Load) -> None:
    assert load_text() == load_text()


def test_which_node(load_text: Load, problems: Problems) -> None:
    two = changed(("[tunnel.friends]", '[tunnel.friends]\nnode = "edge2"'), more='[node.edge2]\nuplink = "eth0"\n')
    assert this_node(load_text(), "anything.example.net").name == "edge1"
    config = load_text(two, "edge2")
    assert this_node(config, "edge2.example.net").name == "edge2"
    with pytest.raises(ConfigError, match='no node "egde2"') as error:
        this_node(config, "egde2")
    assert error.value.problems[0].remedy == "did you mean edge2?"
    assert [p.code for p in problems(two, "edge3")] == ["no-such-node"]


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (b'[network]\nname = "caf\xe9"\n', 2, "not UTF-8"),
        (b"\xef\xbb\xbf[network]\n", 1, "byte order mark"),
        (b"a = " + b"[" * 5000, None, "nested too deep"),
        (b"[network\n", 1, "no valid TOML"),
        (b'[network]\n\nname = "x', 3, "no valid TOML"),
        (b"\x00", 1, "no valid TOML"),
    ],
)
def test_unreadable_content(tmp_path: Path, content: bytes, line: int | None, what: str) -> None:
    path = tmp_path / "network.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        load(path, None)
    (problem,) = error.value.problems
    assert problem.line == line and what in problem.what and problem.remedy


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file") as missing:
        load(tmp_path / "network.toml", None)
    assert "v6native init" in missing.value.problems[0].remedy
    with pytest.raises(ConfigError, match="a folder, not a file"):
        load(tmp_path, None)
    (tmp_path / "network.toml").write_text(SMALL)
    with pytest.raises(ConfigError, match="not a folder"):
        load(tmp_path / "network.toml", tmp_path / "network.toml")
    assert load(tmp_path / "network.toml", tmp_path / "nothing").clients


def test_a_bad_clients_file_does_not_hide_the_rest(problems: Problems) -> None:
    found = problems(changed(("uplink =", "uplnik =")), phone="x = ", tv='tunnel = "friends"\n')
    assert {(p.file.name, p.code) for p in found} == {
        ("network.toml", "unknown-key"),
        ("network.toml", "missing"),
        ("phone.toml", "syntax"),
        ("tv.toml", "missing"),
    }
