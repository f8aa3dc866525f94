# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The fast path: which packets it takes, what becomes of them, and that it leaves all others as they came."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from scapy.layers.inet import IP, TCP, UDP, IPOption_NOP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment
from scapy.packet import Raw

from tests.packets.build import assert_checksums, echo6, ip4, ip6, tcp4, tcp6, udp4, udp6, wire
from tests.packets.harness import NODE4, PHONE, POOL, SERVER, Action, Bench, nat64_settings
from tests.packets.roads import BACK, GATEWAY, LAN, OTHER, OUT, PERMITS, UPLINK, ip, roads, sysctl
from v6native.config.model import Proto, TranslationOptions
from v6native.dataplane.abi import MARK_NAT64_OUT
from v6native.dataplane.door import FastPermit, Session, TcpState
from v6native.desired.dataplane import StaticEntry

SPORT, DPORT = 40000, 53
SERVER6 = "2001:db8:64:64::c633:6450"


@pytest.fixture
def node(bench: Bench) -> Iterator[Bench]:
    """A node with routes, whose pairs are permitted for a minute."""
    with roads():
        bench.configure(nat64_settings(), nat64_interface="nat64")
        bench.plane.permit(PERMITS, 60)
        yield bench
        bench.plane.permit((), 0)


def established(bench: Bench) -> int:
    """A TCP connection of the phone's; gives its port at the pool."""
    assert bench.nat64(tcp6("S")).reason == "TRANSLATED_6TO4"
    port = bench.bib()[0].port4
    assert bench.nat64(tcp4(port, "SA")).reason == "TRANSLATED_4TO6"
    assert bench.sessions()[0].state is TcpState.ESTABLISHED
    return port


def bound(bench: Bench) -> int:
    """A UDP session of the phone's; gives its port at the pool."""
    assert bench.nat64(udp6()).reason == "TRANSLATED_6TO4"
    return bench.bib()[0].port4


def told(session: Session) -> tuple[int, int, TcpState | None]:
    return session.bytes_6to4, session.bytes_4to6, session.state


def untouched(bench: Bench, packet: bytes, interface: str, mark: int = 0, program: str = "fast") -> None:
    """It goes on to the interface path: same bytes, same mark, nothing counted, no session changed."""
    before = [told(s) for s in bench.sessions()]
    out = bench.fast(packet, interface, mark, program)
    assert (out.action, out.packet, out.counted, out.mark) == (Action.UNSPEC, packet, {}, mark)
    assert [told(s) for s in bench.sessions()] == before


def test_tcp_of_an_established_connection_both_ways(node: Bench) -> None:
    port = established(node)
    out = node.fast(tcp6("PA", data=b"question"), LAN)
    assert (out.action, out.reason, out.mark) == (Action.REDIRECT, "FAST_6TO4", MARK_NAT64_OUT)
    sent = IP(out.packet)
    assert (sent.src, sent.dst, sent[TCP].sport, sent.ttl) == (str(POOL), str(SERVER), port, 62)
    assert bytes(sent[TCP].payload) == b"question"
    assert_checksums(out.packet)
    back = node.fast(tcp4(port, "PA", data=b"answer"), UPLINK)
    assert (back.action, back.reason) == (Action.REDIRECT, "FAST_4TO6")
    got = IPv6(back.packet)
    assert (got.dst, got[TCP].dport, got.hlim, bytes(got[TCP].payload)) == (str(PHONE), SPORT, 60, b"answer")
    assert_checksums(back.packet)


def test_udp_both_ways(node: Bench) -> None:
    port = bound(node)
    assert node.fast(udp6(), LAN).reason == "FAST_6TO4"
    back = node.fast(udp4(port), UPLINK)
    assert (back.reason, IPv6(back.packet)[UDP].dport) == ("FAST_4TO6", SPORT)
    assert_checksums(back.packet)


def test_the_operators_mark_stays(node: Bench) -> None:
    bound(node)
    out = node.fast(udp6(), LAN, mark=0x1234)
    assert (out.reason, out.mark) == ("FAST_6TO4", MARK_NAT64_OUT | 0x1234)
    untouched(node, udp6(), LAN, mark=MARK_NAT64_OUT)


def test_bytes_lifetime_and_states_are_the_interface_paths(node: Bench) -> None:
    """The same packets by either path leave the same session."""

    def play(send6: Callable[[bytes], object], send4: Callable[[bytes], object]) -> Session:
        node.reset()
        node.configure(nat64_settings(), nat64_interface="nat64")
        node.plane.permit(PERMITS, 60)
        port = established(node)
        node.advance(1000)
        send6(tcp6("A", data=bytes(100)))
        send4(tcp4(port, "A", data=bytes(700)))
        node.nat64(tcp6("FA"))
        node.advance(2000)
        send4(tcp4(port, "A", data=bytes(40)))
        return replace(node.sessions()[0], port4=0)

    slow = play(node.nat64, node.nat64)
    fast = play(lambda packet: node.fast(packet, LAN), lambda packet: node.fast(packet, UPLINK))
    assert told(fast) == told(slow) == (160 + 60, 40 + 740 + 80, TcpState.V6_FIN_RCV)
    assert fast.seconds_left == pytest.approx(7440, abs=1)
    assert slow.seconds_left == pytest.approx(7440, abs=1)
    assert node.plane.counters()["FAST_4TO6"] >= 2


def test_a_session_past_its_deadline_is_none(node: Bench) -> None:
    bound(node)
    node.advance(301)
    untouched(node, udp6(), LAN)


def test_without_a_session_it_goes_on(node: Bench) -> None:
    untouched(node, udp6(), LAN)
    untouched(node, udp4(4000), UPLINK)
    port = bound(node)
    untouched(node, udp6(dport=54), LAN)
    untouched(node, udp4(port, sport=54), UPLINK)
    untouched(node, udp6(sport=SPORT + 1), LAN)


@pytest.mark.parametrize("flags", ["S", "SA", "FA", "R", "RA"])
def test_what_moves_the_state_machine_goes_on(node: Bench, flags: str) -> None:
    port = established(node)
    untouched(node, tcp6(flags), LAN)
    untouched(node, tcp4(port, flags), UPLINK)


def test_a_connection_that_opens_or_closes_goes_on(node: Bench) -> None:
    node.nat64(tcp6("S"))
    untouched(node, tcp6("A"), LAN)
    node.nat64(tcp4(node.bib()[0].port4, "SA"))
    node.nat64(tcp6("R"))
    assert node.sessions()[0].state is TcpState.TRANS
    untouched(node, tcp6("A"), LAN)


UNUSUAL6 = {
    "hop limit used up": udp6(hlim=1),
    "destination options": wire(ip6() / IPv6ExtHdrDestOpt() / UDP(sport=SPORT, dport=DPORT) / b"x"),
    "fragment": wire(ip6() / IPv6ExtHdrFragment(m=1, id=1) / UDP(sport=SPORT, dport=DPORT) / bytes(16)),
    "no checksum": wire(ip6() / UDP(sport=SPORT, dport=DPORT, chksum=0) / b"x"),
    "cut": udp6()[:-1],
    "cut in the ports": wire(ip6(plen=4, nh=17) / Raw(b"\x9c\x40\0\x35")),
    "echo": wire(ip6() / echo6(identifier=SPORT)),
    "native": udp6(dst="2001:db8:80::80"),
}


@pytest.mark.parametrize("packet", UNUSUAL6.values(), ids=UNUSUAL6)
def test_unusual_ipv6_goes_on(node: Bench, packet: bytes) -> None:
    bound(node)
    untouched(node, packet, LAN)


UNUSUAL4: dict[str, Callable[[int], bytes]] = {
    "time to live used up": lambda port: udp4(port, ttl=1),
    "options": lambda port: udp4(port, options=[IPOption_NOP()] * 4),
    "first fragment": lambda port: udp4(port, flags="MF"),
    "later fragment": lambda port: udp4(port, frag=8),
    "no checksum": lambda port: wire(ip4() / UDP(sport=DPORT, dport=port, chksum=0) / b"x"),
    "wrong header checksum": lambda port: udp4(port, chksum=0x1234),
    "may be fragmented and is too big": lambda port: udp4(port, flags=0, data=bytes(1240)),
    "cut": lambda port: udp4(port)[:-1],
    "another address": lambda port: udp4(port, dst="203.0.113.77"),
}


@pytest.mark.parametrize("packet", UNUSUAL4.values(), ids=UNUSUAL4)
def test_unusual_ipv4_goes_on(node: Bench, packet: Callable[[int], bytes]) -> None:
    untouched(node, packet(bound(node)), UPLINK)


def test_tcp_options_are_part_of_the_segment(node: Bench) -> None:
    port = established(node)
    segment = TCP(sport=SPORT, dport=80, flags="A", options=[("Timestamp", (1, 2)), ("NOP", None), ("NOP", None)])
    out = node.fast(wire(ip6() / segment / b"data"), LAN)
    assert (out.reason, IP(out.packet)[TCP].sport) == ("FAST_6TO4", port)
    assert_checksums(out.packet)
    short = bytearray(tcp6("A"))
    short[52] = 4 << 4
    untouched(node, bytes(short), LAN)


def test_padding_behind_the_packet_is_cut_off(node: Bench) -> None:
    """Ethernet frames have 60 bytes at least."""
    port = established(node)
    out = node.fast(tcp4(port, "A") + bytes(6), UPLINK)
    assert (out.reason, len(out.packet)) == ("FAST_4TO6", 60)
    assert_checksums(out.packet)


def test_dont_fragment_as_rfc_7915_wants_it(node: Bench) -> None:
    """Section 5.1: over 1260 bytes DF is set."""
    bound(node)
    small = IP(node.fast(udp6(data=bytes(1232)), LAN).packet)
    large = IP(node.fast(udp6(data=bytes(1233)), LAN).packet)
    assert (small.len, str(small.flags), large.len, str(large.flags)) == (1260, "", 1261, "DF")


def test_the_type_of_service_is_copied_or_set(bench: Bench) -> None:
    with roads():
        for options, there, back in (
            (TranslationOptions(), 0xB8, 0x48),
            (TranslationOptions(tos=0x20, traffic_class=0x88), 0x20, 0x88),
        ):
            bench.reset()
            bench.configure(nat64_settings(options=options), nat64_interface="nat64")
            bench.plane.permit(PERMITS, 60)
            port = bound(bench)
            assert IP(bench.fast(udp6(tc=0xB8), LAN).packet).tos == there
            assert IPv6(bench.fast(udp4(port, tos=0x48), UPLINK).packet).tc == back


def test_what_does_not_fit_goes_on(node: Bench) -> None:
    port = bound(node)
    assert node.fast(udp6(data=bytes(1472)), LAN).reason == "FAST_6TO4"
    untouched(node, udp6(data=bytes(1473)), LAN)
    assert node.fast(udp4(port, data=bytes(1452)), UPLINK).reason == "FAST_4TO6"
    untouched(node, udp4(port, data=bytes(1453)), UPLINK)
    ip(f"route replace default via {GATEWAY} mtu lock 1300")
    untouched(node, udp6(data=bytes(1300)), LAN)


def test_hairpins_go_on(bench: Bench) -> None:
    with roads():
        web = StaticEntry(Proto.UDP, POOL, DPORT, PHONE, DPORT)
        bench.configure(nat64_settings(static=[web]), nat64_interface="nat64")
        bench.plane.permit(PERMITS, 60)
        packet = udp6(dst="2001:db8:64:64::203.0.113.1")
        assert bench.nat64(packet).reason == "HAIRPINNED"
        untouched(bench, packet, LAN)


def test_only_permitted_pairs(node: Bench) -> None:
    port = bound(node)
    node.plane.permit((FastPermit(OUT),), 60)
    assert node.fast(udp6(), LAN).reason == "FAST_6TO4"
    untouched(node, udp4(port), UPLINK)
    node.plane.permit((FastPermit(BACK),), 60)
    untouched(node, udp6(), LAN)
    assert node.fast(udp4(port), UPLINK).reason == "FAST_4TO6"
    node.plane.permit((), 60)
    untouched(node, udp6(), LAN)


def test_the_direction_is_part_of_the_permission(node: Bench) -> None:
    port = bound(node)
    node.plane.permit((FastPermit(replace(BACK, from6=True)), FastPermit(replace(OUT, from6=False))), 60)
    untouched(node, udp6(), LAN)
    untouched(node, udp4(port), UPLINK)


def test_the_lease_runs_out(node: Bench) -> None:
    bound(node)
    node.plane.permit(PERMITS, 0.3)
    assert node.fast(udp6(), LAN).reason == "FAST_6TO4"
    time.sleep(0.35)
    untouched(node, udp6(), LAN)


def test_a_link_that_is_not_what_the_permission_says_goes_on(node: Bench) -> None:
    bound(node)
    node.plane.permit((FastPermit(OUT, ingress_l3=True),), 60)
    untouched(node, udp6(), LAN)


def test_a_forged_source_goes_on(node: Bench) -> None:
    """From an interface behind which its source is not: the firewall's and rp_filter's business."""
    port = bound(node)
    forged = [FastPermit(replace(OUT, ingress=other)) for other in (OTHER, UPLINK)]
    node.plane.permit((*PERMITS, *forged, FastPermit(replace(BACK, ingress=OTHER))), 60)
    assert node.fast(udp6(), LAN).reason == "FAST_6TO4"
    untouched(node, udp6(), OTHER)
    untouched(node, udp6(), UPLINK)
    assert node.fast(udp4(port), UPLINK).reason == "FAST_4TO6"
    untouched(node, udp4(port), OTHER)


def test_a_changed_route_is_followed(node: Bench) -> None:
    """The way of a session is looked at anew with each renewal of the lease."""
    port = bound(node)
    assert node.fast(udp6(), LAN).reason == "FAST_6TO4"
    assert node.fast(udp4(port), UPLINK).reason == "FAST_4TO6"
    ip(f"route add blackhole {SERVER6}/128", f"route add {SERVER}/32 dev {OTHER}")
    ip(f"neigh add {SERVER} lladdr 02:00:00:00:00:99 dev {OTHER}")
    node.plane.permit(PERMITS, 60)
    untouched(node, udp6(), LAN)
    untouched(node, udp4(port), UPLINK)
    ip(f"route del blackhole {SERVER6}/128", f"route del {SERVER}/32 dev {OTHER}")
    node.plane.permit(PERMITS, 60)
    assert node.fast(udp6(), LAN).reason == "FAST_6TO4"
    assert node.fast(udp4(port), UPLINK).reason == "FAST_4TO6"


def test_pool_and_pref64_that_lead_elsewhere_go_on(node: Bench) -> None:
    port = bound(node)
    ip(f"route add {SERVER6}/128 dev {OTHER}", f"route replace {POOL} dev {OTHER}")
    untouched(node, udp6(), LAN)
    untouched(node, udp4(port), UPLINK)


def test_an_unknown_neighbour_goes_on(node: Bench) -> None:
    """The interface path asks for it."""
    port = bound(node)
    ip(f"neigh del {GATEWAY} dev {UPLINK}", f"neigh del {PHONE} dev {LAN}")
    untouched(node, udp6(), LAN)
    untouched(node, udp4(port), UPLINK)


@pytest.mark.parametrize("key", ["ipv6/conf/lan0/forwarding", "ipv4/conf/nat64/forwarding"])
def test_where_forwarding_is_off_it_goes_on(node: Bench, key: str) -> None:
    bound(node)
    sysctl(key, "0")
    untouched(node, udp6(), LAN)


def test_a_next_hop_of_the_other_family(node: Bench) -> None:
    bound(node)
    ip(
        f"neigh add fe80::fe lladdr 02:00:00:00:00:fe dev {UPLINK}",
        f"route replace default via inet6 fe80::fe dev {UPLINK}",
    )
    assert node.fast(udp6(), LAN).reason == "FAST_6TO4"


def test_on_a_shared_address_what_is_not_fast_is_steered(bench: Bench) -> None:
    with roads():
        settings = nat64_settings(pool=[(NODE4, 40000, 59999)], shared=True)
        bench.configure(settings, nat64_interface="nat64")
        bench.plane.permit(PERMITS, 60)
        port = bound(bench)
        out = bench.fast(udp4(port, dst=NODE4), UPLINK, program="fast_steer")
        assert (out.action, out.reason) == (Action.REDIRECT, "FAST_4TO6")
        assert bench.fast(udp4(port, dst=NODE4, ttl=1), UPLINK, program="fast_steer").reason == "STEERED"
        untouched(bench, udp4(22, dst=NODE4), UPLINK, program="fast_steer")
        assert bench.fast(udp6(), LAN, program="fast_steer").reason == "FAST_6TO4"
