# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What is decided, where a wrong decision would hurt: relaying for strangers, losing the node's own ways, wrong MTUs."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network, ip_address
from typing import Any

import pytest
from hypothesis import given

from tests.unit.system.networks import (
    DEDICATED,
    ETH0,
    FACTS,
    FRIENDS,
    LAB,
    LAN0,
    LAPTOP,
    NODE,
    ON_LINK,
    ONLINK_TUNNEL,
    TABLET,
    configs,
    facts,
)
from v6native.address import embed
from v6native.config.facts import DefaultRoute, HostFacts, InterfaceFacts
from v6native.config.model import (
    Client,
    Config,
    FastPath,
    Limits,
    Mark,
    OwnIPv4,
    Pool,
    Proto,
    StaticBib,
)
from v6native.config.modeldns import (
    OWN_UNBOUND,
    AaaaFailure,
    Dns64,
    DnsEngine,
    DnsRecord,
    DnsView,
    DnsZone,
    RecordType,
    Upstream,
)
from v6native.desired import Desired, desired
from v6native.desired.dataplane import Attachment, Nat64Settings, PoolGroup, SiitSettings
from v6native.desired.state import CLAT, CLAT_X, NAT64, NAT64_X, OWN_LOCAL_RULE, Neighbour, Rule
from v6native.dns64.server import accesses
from v6native.dns64.settings import Dns64Settings, UpstreamServer, Zone
from v6native.unbound.settings import UnboundSettings

CLAT96 = IPv6Network("2001:db8:64:a:64::/96")


def _with_clat(config: Config) -> Config:
    """As config/ hands it over: the prefix derived."""
    return replace(config, clat=replace(config.clat, prefix=CLAT96))


LAB96 = _with_clat(LAB)


def _nat64(wanted: Desired) -> Nat64Settings:
    assert wanted.dataplane is not None and wanted.dataplane.nat64 is not None
    return wanted.dataplane.nat64


def _siit(wanted: Desired) -> SiitSettings:
    assert wanted.dataplane is not None and wanted.dataplane.siit is not None
    return wanted.dataplane.siit


@given(configs(), facts())
def test_it_is_decided_the_same_every_time(config: Config, known: HostFacts) -> None:
    assert desired(config, "edge1", known) == desired(config, "edge1", known)


@given(configs(), facts())
def test_what_we_made_does_not_change_what_we_want(config: Config, known: HostFacts) -> None:
    """The interfaces of the first `up` are among the facts of the second one."""
    wanted = desired(config, "edge1", known)
    made = []
    for link in wanted.links:
        ips = [a.ip for a in wanted.addresses if a.interface == link.name]
        ipv4 = tuple(ip for ip in ips if isinstance(ip, IPv4Interface))
        ipv6 = tuple(ip for ip in ips if isinstance(ip, IPv6Interface))
        made.append(InterfaceFacts(link.name, link.mtu, ipv4=ipv4, ipv6=ipv6, ours=True))
    again = desired(config, "edge1", replace(known, interfaces=(*known.interfaces, *made)))
    assert again == wanted


def test_what_an_earlier_file_left_behind_is_no_source() -> None:
    """The tunnel of the file before still stands when the next file's values are decided."""
    left = InterfaceFacts("wg-old", 1420, ipv6=(IPv6Interface("2001:db8:64:b::1/128"),), ours=True)
    assert desired(LAB96, "edge1", replace(FACTS, interfaces=(*FACTS.interfaces, left))) == desired(
        LAB96, "edge1", FACTS
    )


@given(configs(), facts())
def test_nobody_from_outside_is_translated(config: Config, known: HostFacts) -> None:
    wanted = desired(config, "edge1", known)
    if wanted.dataplane is not None and wanted.dataplane.nat64 is not None:
        stranger = IPv6Address("2001:db8:ffff::1")
        uplink_neighbour = IPv6Address("2001:db8:64:ff::99")
        for source in wanted.dataplane.nat64.sources:
            assert stranger not in source and uplink_neighbour not in source


@given(configs(), facts())
def test_every_gateway_has_its_neighbour_and_every_device_its_link(config: Config, known: HostFacts) -> None:
    wanted = desired(config, "edge1", known)
    entries = {(n.interface, n.address) for n in wanted.neighbours}
    links = {link.name for link in wanted.links}
    for route in wanted.routes:
        assert route.device is None or route.device in links
        assert route.gateway is None or (route.device, route.gateway) in entries
    assert {a.interface for a in wanted.addresses} <= links


@given(configs(), facts())
def test_a_moved_local_rule_is_never_without_a_replacement(config: Config, known: HostFacts) -> None:
    wanted = desired(config, "edge1", known)
    assert (OWN_LOCAL_RULE in wanted.rules) == any(r.family == 4 for r in wanted.rules)


def test_a_removed_client_is_no_source_any_more() -> None:
    with_tablet = replace(LAB96, clients=(LAPTOP, TABLET))
    before = _nat64(desired(with_tablet, "edge1", FACTS)).sources
    after = _nat64(desired(replace(with_tablet, clients=(LAPTOP,)), "edge1", FACTS)).sources
    assert set(before) - set(after) == {IPv6Network(TABLET.address6)}


def test_a_disabled_client_is_neither_peer_nor_source() -> None:
    wanted = desired(replace(LAB96, clients=(replace(LAPTOP, enabled=False),)), "edge1", FACTS)
    assert wanted.wireguard[0].peers == frozenset()
    assert not any(LAPTOP.address6 in source for source in _nat64(wanted).sources)


def test_a_clients_ipv4_has_its_own_address_in_the_clats_prefix() -> None:
    wanted = desired(LAB96, "edge1", FACTS)
    (entry,) = _siit(wanted).eam
    assert entry.ipv4 == FRIENDS.clat4
    assert LAPTOP.address4 is not None
    assert embed(CLAT96, LAPTOP.address4) in entry.ipv6
    assert IPv6Network(embed(CLAT96, LAPTOP.address4)) in _nat64(wanted).sources
    assert entry.ipv4.max_prefixlen - entry.ipv4.prefixlen == entry.ipv6.max_prefixlen - entry.ipv6.prefixlen


def test_a_device_of_a_tunnel_is_one_client_with_all_its_addresses() -> None:
    """Its limits hold for the literal's flows too (RFC 6877 §6.3)."""
    assert LAPTOP.address4 is not None
    who = {i.network: i.client for i in _nat64(desired(LAB96, "edge1", FACTS)).identities}
    assert who[IPv6Network(LAPTOP.address6)] == LAPTOP.address6
    assert who[IPv6Network(embed(CLAT96, LAPTOP.address4))] == LAPTOP.address6
    assert who[IPv6Network(FRIENDS.prefix[1])] not in (None, LAPTOP.address6), "the node is another client"


def test_a_pool_of_its_own_allows_its_sources_and_finds_them_inside_a_lan() -> None:
    inside, lan = IPv6Network("2001:db8:64:1:8000::/65"), IPv6Network("2001:db8:64:1::/64")
    pool = Pool("edge1", (inside, IPv6Network("2001:db8:64:77::/64")), Mark(0x10, 0xF0))
    node = replace(NODE, pool4=(*NODE.pool4, replace(DEDICATED, group=1)))
    wanted = _nat64(desired(replace(LAB96, nodes=(node,), nat64=replace(LAB96.nat64, pools=(pool,))), "edge1", FACTS))
    assert lan in wanted.sources and pool.source[1] in wanted.sources
    assert {i.network: i.group for i in wanted.identities if i.group} == dict.fromkeys(pool.source, 1)
    assert wanted.groups == (PoolGroup(), PoolGroup(0x10, 0xF0))
    assert {entry.group for entry in wanted.pool if entry.address in DEDICATED.network} == {1}


@given(configs(), facts())
def test_identities_are_of_allowed_sources(config: Config, known: HostFacts) -> None:
    wanted = desired(config, "edge1", known)
    if wanted.dataplane is not None and wanted.dataplane.nat64 is not None:
        nat64 = wanted.dataplane.nat64
        for identity in nat64.identities:
            assert any(identity.network.subnet_of(source) for source in nat64.sources), identity


def test_one_client_leaves_room_for_others_by_default() -> None:
    limits = _nat64(desired(LAB96, "edge1", FACTS)).limits
    assert (limits.ports, limits.sessions, limits.rate) == (5000, 16384, 1000)
    given_ = replace(LAB96, nat64=replace(LAB96.nat64, limit=Limits(ports=100, sessions=0, new_per_second=7)))
    limits = _nat64(desired(given_, "edge1", FACTS)).limits
    assert (limits.ports, limits.sessions, limits.rate) == (100, 0, 7)


def test_a_range_of_static_entries_is_one_entry_a_port() -> None:
    second = IPv6Network("64:ff9b::/96")
    range_ = StaticBib(Proto.UDP, None, 8000, IPv6Address("2001:db8:64:1::5"), 9000, pref64=second, count=3)
    config = replace(
        LAB96,
        network=replace(LAB96.network, pref64=(*LAB96.network.pref64, second)),
        nat64=replace(LAB96.nat64, static=(range_,)),
    )
    found = _nat64(desired(config, "edge1", FACTS)).static
    assert [(e.port4, e.port6, e.pref64) for e in found] == [(8000, 9000, 1), (8001, 9001, 1), (8002, 9002, 1)]


def test_closed_destinations_are_refused_as_private_ones_are() -> None:
    closed = IPv4Network("198.51.100.0/24")
    wanted = _nat64(desired(replace(LAB96, nat64=replace(LAB96.nat64, refuse_ipv4=(closed,))), "edge1", FACTS))
    assert closed in wanted.refused4 and IPv4Network("10.0.0.0/8") in wanted.refused4


def test_the_pool_follows_the_uplinks_address() -> None:
    moved = replace(FACTS, interfaces=(replace(ETH0, ipv4=(IPv4Interface("192.0.2.77/24"),)), LAN0))
    wanted = desired(LAB96, "edge1", moved)
    assert {entry.address for entry in _nat64(wanted).pool} == {IPv4Address("192.0.2.77")}
    assert (
        Rule(62, 6464, fwmark=0x40000000, fwmask=0x40000000, destination=IPv4Network("192.0.2.77/32")) in wanted.rules
    )
    assert IPv4Network("192.0.2.77/32") in _nat64(wanted).open4


def test_no_uplink_address_yet_is_explained_and_stays_a_nat64() -> None:
    waiting = replace(FACTS, interfaces=(replace(ETH0, ipv4=()), LAN0))
    wanted = desired(LAB96, "edge1", waiting)
    assert [note.code for note in wanted.findings if note.code.startswith("uplink")] == ["uplink-no-ipv4"]
    assert _nat64(wanted).pool == ()
    assert wanted.reserved_ports == ()
    assert wanted.dataplane is not None
    assert not any(a.program.startswith("steer") for a in wanted.dataplane.attachments)


def test_a_shared_address_is_steered_and_its_ports_reserved() -> None:
    wanted = desired(LAB96, "edge1", FACTS)
    assert wanted.dataplane is not None
    assert Attachment("eth0", "fast_steer") in wanted.dataplane.attachments
    assert Attachment("lo", "steer_lo") in wanted.dataplane.attachments
    assert wanted.reserved_ports == (NODE.pool4[0].ports,)


def test_each_lan_and_tunnel_has_a_fast_path_to_the_uplink_and_back() -> None:
    wanted = desired(LAB96, "edge1", FACTS).dataplane
    assert wanted is not None
    ways = {(pair.ingress, pair.egress, pair.from6) for pair in wanted.fast}
    inside = {*NODE.lan, "wg-friends"}
    assert ways == {(i, "eth0", True) for i in inside} | {("eth0", i, False) for i in inside}
    programs = {a.interface: a.program for a in wanted.attachments}
    assert {programs[i] for i in NODE.lan} == {"fast"}
    assert (programs["eth0"], programs["wg-friends"]) == ("fast_steer", "fast_steer"), (
        "the shared address is steered too"
    )


def test_without_the_fast_path_there_are_the_programs_that_were() -> None:
    off = replace(LAB96, nat64=replace(LAB96.nat64, fast_path=FastPath.OFF))
    wanted = desired(off, "edge1", FACTS).dataplane
    assert wanted is not None and wanted.fast == ()
    programs = {a.interface: a.program for a in wanted.attachments}
    assert (programs["eth0"], programs["wg-friends"]) == ("steer_uplink", "steer_uplink")
    assert not set(NODE.lan) & set(programs)


def test_dedicated_addresses_are_routed_and_asked_for_only_where_nobody_routes_them() -> None:
    wanted = desired(replace(LAB96, nodes=(replace(NODE, pool4=(DEDICATED, ON_LINK)),)), "edge1", FACTS)
    routed = {r.destination for r in wanted.routes if r.device == NAT64 and r.table == 254}
    assert {DEDICATED.network, ON_LINK.network} <= routed
    proxied = {n.address for n in wanted.neighbours if n.mac is None}
    assert proxied == {IPv4Address("192.0.2.8"), IPv4Address("192.0.2.9")}
    assert not any(rule.priority == 62 for rule in wanted.rules)
    assert wanted.reserved_ports == ()


def test_a_tunnel_out_of_the_uplinks_own_prefix_is_proxied() -> None:
    client = replace(TABLET, tunnel="vm", address6=IPv6Address("2001:db8:64:ff::8002"))
    wanted = desired(replace(LAB, tunnels=(ONLINK_TUNNEL,), clients=(client,)), "edge1", FACTS)
    assert Neighbour("eth0", client.address6) in wanted.neighbours
    assert Neighbour("eth0", IPv6Address("2001:db8:64:ff::8001")) in wanted.neighbours
    assert any(s.key == "net/ipv6/conf/eth0/proxy_ndp" and s.value == "1" for s in wanted.sysctls)


def test_own_ipv4_takes_the_clat_only_where_there_is_no_other_way() -> None:
    without = replace(FACTS, default_routes=(DefaultRoute(6, "eth0", None, 1024, True),))

    def own_default(config: Config, known: HostFacts) -> bool:
        wanted = desired(config, "edge1", known)
        return any(r.destination.prefixlen == 0 and r.table == 254 and r.device == CLAT for r in wanted.routes)

    native = replace(LAB96, nodes=(replace(NODE, own_ipv4=OwnIPv4.NATIVE),))
    forced = replace(LAB96, nodes=(replace(NODE, own_ipv4=OwnIPv4.CLAT),))
    assert not own_default(LAB96, FACTS)
    assert own_default(LAB96, without)
    assert not own_default(native, without)
    assert own_default(forced, FACTS)


def test_own_ipv4_by_the_clat_beside_a_native_route() -> None:
    """Only what the node begins itself: what is forwarded or has an address already keeps its way."""

    def own(config: Config, facts: HostFacts) -> tuple[set[Rule], bool]:
        wanted = desired(config, "edge1", facts)
        found = {r for r in wanted.rules if r.priority in (1001, 1002)}
        assert bool(found) == any(r.table == 6468 for r in wanted.routes)
        return found, any(s.key.endswith("icmp_errors_use_inbound_ifaddr") for s in wanted.sysctls)

    forced = replace(LAB96, nodes=(replace(NODE, own_ipv4=OwnIPv4.CLAT),))
    without = replace(FACTS, default_routes=tuple(r for r in FACTS.default_routes if r.family == 6))
    assert own(LAB96, FACTS) == own(LAB96, without) == own(forced, without) == (set(), False)
    rules, errors_from_inbound = own(forced, FACTS)
    assert errors_from_inbound
    assert {r.iif for r in rules} == {"lo"}
    assert {str(r.source) for r in rules} == {"0.0.0.0/32", "192.0.0.2/32"}
    assert [r.priority for r in rules if r.but_default] == [1001], "on-link hosts are reached natively"


def test_mtus_follow_the_links() -> None:
    """RFC 7915 §4, §5: 20 bytes between the headers, 28 with a fragment header."""
    pppoe = replace(FACTS, interfaces=(replace(ETH0, mtu=1492), LAN0))
    wanted = desired(replace(LAB96, nat64=replace(LAB.nat64, lowest_ipv6_mtu=1400)), "edge1", pppoe)
    mtu = {(r.device, r.table, r.destination.version): r.mtu for r in wanted.routes if r.gateway}
    assert mtu[NAT64, 254, 6] == 1512
    assert mtu[NAT64, 6464, 4] == 1480
    assert mtu[NAT64, 6465, 4] == 1372
    assert mtu[CLAT, 6467, 4] == 1372
    assert mtu[CLAT, 254, 6] == FRIENDS.mtu + 20


def test_static_entries_are_this_nodes_own() -> None:
    web = StaticBib(Proto.TCP, None, 80, IPv6Address("2001:db8:64:1::5"), 80)
    other = replace(web, node="edge2", port4=81)
    wanted = desired(replace(LAB96, nat64=replace(LAB.nat64, static=(web, other))), "edge1", FACTS)
    (entry,) = _nat64(wanted).static
    assert (entry.ipv4, entry.port4) == (IPv4Address("192.0.2.1"), 80)


def test_a_router_by_advertisement_keeps_listening_to_them() -> None:
    wanted = desired(LAB96, "edge1", FACTS)
    (first, *_) = wanted.sysctls
    assert (first.key, first.value, first.instead_of, first.hosts_only) == (
        "net/ipv6/conf/eth0/accept_ra",
        "2",
        "1",
        False,
    )


@pytest.mark.parametrize(("everywhere", "translated"), [(0, "0"), (1, "2"), (2, "2"), (None, "2")])
def test_the_source_is_looked_up_again_only_where_the_host_filters(everywhere: int | None, translated: str) -> None:
    """The higher of `all` and the interface counts: only where `all` is 0 can the second look-up be spared."""
    wanted = desired(LAB96, "edge1", replace(FACTS, rp_filter=everywhere))
    set_to = {setting.key: setting.value for setting in wanted.sysctls}
    assert [set_to[f"net/ipv4/conf/{name}/rp_filter"] for name in (NAT64_X, CLAT_X)] == [translated] * 2
    assert set_to[f"net/ipv4/conf/{NAT64}/rp_filter"] == "2"


def test_dns64_answers_inside_and_asks_others() -> None:
    known = replace(FACTS, resolvers=(IPv6Address("2001:db8:53::53"), IPv6Address("2001:db8:64:1::1")))
    file = next(file for file in desired(LAB96, "edge1", known).files if file.name == "dns64.json")
    told = Dns64Settings.from_json(file.text)
    assert [str(entry.address) for entry in told.listen] == ["2001:db8:64:1::1", "2001:db8:64:a::1", "100.64.0.1"]
    # resolv.conf names our own listener, too: asking it would go round for ever.
    assert [str(server.address) for server in told.upstreams] == ["2001:db8:53::53"]
    assert not any(IPv6Address("2001:db8:ffff::1") in network for network in told.allow if network.version == 6)


def test_the_dns64_is_told_what_the_file_says() -> None:
    told = Dns64(
        exclude_ipv4=(IPv4Network("192.0.2.0/24"),),
        never_synthesize=("example.com",),
        aaaa_failure=AaaaFailure.FAIL,
        serve_stale=False,
        zones=(DnsZone("dn42", (Upstream(IPv6Address("2001:db8::d42"), 5353),)),),
        records=(DnsRecord("printer.home.arpa", RecordType.AAAA, "2001:db8:1::9", 60),),
    )
    wanted = desired(replace(LAB96, dns64=told), "edge1", replace(FACTS, resolvers=(IPv4Address("192.0.2.53"),)))
    settings = Dns64Settings.from_json(next(file for file in wanted.files if file.name == "dns64.json").text)
    assert (settings.exclude_ipv4, settings.never_synthesize) == (told.exclude_ipv4, told.never_synthesize)
    assert (settings.aaaa_failure, settings.timing.stale) == ("fail", 0)
    assert settings.zones == (Zone("dn42", (UpstreamServer(IPv6Address("2001:db8::d42"), 5353),)),)
    assert settings.local == (DnsRecord("printer.home.arpa", RecordType.AAAA, "2001:db8:1::9", 60),)


def test_names_under_the_networks_domain() -> None:
    """The node and its clients, forward and reverse; the file's own records count, and a client that is off has no name."""
    config = replace(LAB96, network=replace(LAB96.network, domain="home.example"))
    (laptop, *_) = config.clients
    config = replace(config, clients=(laptop, replace(laptop, name="old", enabled=False)))

    def local(config: Config) -> set[tuple[str, str, str]]:
        facts = replace(FACTS, resolvers=(IPv4Address("192.0.2.53"),))
        text = next(f.text for f in desired(config, "edge1", facts).files if f.name == "dns64.json")
        return {(r.name, str(r.type), r.value) for r in Dns64Settings.from_json(text).local}

    name = f"{laptop.name}.home.example"
    assert laptop.address4 is not None
    found = local(config)
    assert {
        (name, "AAAA", str(laptop.address6)),
        (name, "A", str(laptop.address4)),
        (laptop.address6.reverse_pointer, "PTR", name),
        (laptop.address4.reverse_pointer, "PTR", name),
        ("edge1.home.example", "AAAA", "2001:db8:64:1::1"),
    } <= found
    assert not any("old." in name for name, *_ in found)
    mine = DnsRecord(name, RecordType.AAAA, "2001:db8::1")
    found = local(replace(config, dns64=replace(config.dns64, records=(mine,))))
    assert [value for owner, _, value in found if owner == name] == ["2001:db8::1"]
    assert local(LAB96) == set(), "without a domain there are no names"


def told_unbound(dns64: Dns64) -> tuple[list[str], UnboundSettings | None]:
    """Which workers' settings there are, and unbound's."""
    facts = replace(FACTS, resolvers=(IPv4Address("192.0.2.53"),))
    wanted = desired(replace(LAB96, dns64=replace(dns64, pref64=LAB96.network.pref64[:1])), "edge1", facts)
    text = next((file.text for file in wanted.files if file.name == "unbound.json"), None)
    return sorted(file.name for file in wanted.files), None if text is None else UnboundSettings.from_json(text)


def test_an_unbound_behind_the_dns64() -> None:
    """It keeps clear of the ports that are lent to the NAT64, for it picks its own instead of the kernel's."""
    files, settings = told_unbound(Dns64(upstream=(OWN_UNBOUND,)))
    assert {"dns64.json", "unbound.json"} <= set(files) and settings is not None
    assert (settings.listen, settings.port, settings.pref64, settings.forward) == (
        (IPv6Address("::1"),),
        5364,
        None,
        (),
    )
    assert settings.avoid_ports == desired(LAB96, "edge1", FACTS).reserved_ports != ()
    assert not any(IPv6Address("2001:db8:64:1::5") in network for network in settings.allow if network.version == 6)


def test_an_unbound_as_the_dns64() -> None:
    told = Dns64(
        engine=DnsEngine.UNBOUND,
        zones=(DnsZone("dn42", (Upstream(IPv6Address("2001:db8::d42"), 5353),)),),
        records=(DnsRecord("printer.home.arpa", RecordType.AAAA, "2001:db8:1::9", 60),),
    )
    files, settings = told_unbound(told)
    assert "dns64.json" not in files and settings is not None
    assert (settings.port, settings.pref64) == (53, LAB96.network.pref64[0])
    assert settings.forward == (Upstream(IPv4Address("192.0.2.53")),), "the system's resolvers"
    assert (settings.zones, settings.records) == (told.zones, told.records)
    assert IPv6Address("2001:db8:64:1::1") in settings.listen
    _, recursive = told_unbound(replace(told, upstream=(OWN_UNBOUND,)))
    assert recursive is not None and recursive.forward == ()


def test_no_unbound_where_none_is_asked_for() -> None:
    assert "unbound.json" not in told_unbound(Dns64())[0]
    assert told_unbound(Dns64(enabled=False, engine=DnsEngine.UNBOUND))[0] == ["log.json"]


RESOLVER = replace(FACTS, resolvers=(IPv4Address("192.0.2.53"),))
ASKERS = [f"2001:db8:64:a::{last:x}" for last in (2, 3, 9)] + ["100.64.0.2"]


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ({}, [[], ["64:ff9b::/96"], ["64:ff9b::/96"], []]),
        ({"synthesize_for_dual": True}, [["64:ff9b::/96"]] * 4),
        (
            {"views": (DnsView((IPv6Network("2001:db8:64:a::/64"),), (IPv6Network("2001:db8:64:64::/96"),)),)},
            [[], ["2001:db8:64:64::/96"], ["2001:db8:64:64::/96"], []],
        ),
        (
            {"views": (DnsView((IPv6Network("2001:db8:64:a::2/128"),), (IPv6Network("2001:db8:64:64::/96"),)),)},
            [["2001:db8:64:64::/96"], ["64:ff9b::/96"], ["64:ff9b::/96"], []],
        ),
    ],
    ids=["dual has the CLAT", "asked for", "a view", "a view of the client's own"],
)
def test_with_which_pref64_clients_are_answered(told: dict[str, Any], wanted: list[list[str]]) -> None:
    """The dual client's addresses, those of one with IPv6 only, and somebody else's."""
    prefix = LAB96.tunnels[0].prefix
    clients = (
        Client("dual", LAB96.tunnels[0].name, "x", prefix[2], IPv4Address("100.64.0.2")),
        Client("pure", LAB96.tunnels[0].name, "y", prefix[3]),
    )
    config = replace(LAB96, clients=clients, dns64=Dns64(pref64=(IPv6Network("64:ff9b::/96"),), **told))
    text = next(file for file in desired(config, "edge1", RESOLVER).files if file.name == "dns64.json").text
    by_length = accesses(Dns64Settings.from_json(text))
    seen = []
    for asker in map(ip_address, ASKERS):
        view = next(access.view for network, access in by_length if asker in network)
        assert view is not None
        seen.append([str(rule.prefix) for rule in view.pref64])
    assert seen == wanted


def test_dns64_without_anybody_to_ask_is_a_finding() -> None:
    wanted = desired(LAB96, "edge1", replace(FACTS, resolvers=()))
    assert "dns64.json" not in [file.name for file in wanted.files]
    assert "dns64-no-upstream" in [note.code for note in wanted.findings]
