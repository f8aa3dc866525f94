# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A packet's way through a node of twins: routes that a test lays, programs that do what a test says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any

import pytest

from tests.packets.build import assert_checksums
from tests.unit.system.networks import FACTS, LAB, NSP
from v6native.address import embed
from v6native.config.model import Clat, PortRange, Proto
from v6native.dataplane.door import BibEntry, Reason, Session, TcpState
from v6native.dataplane.look import ClientUse, Fate, Look, NewBinding
from v6native.desired.dataplane import Limits
from v6native.desired.node import look_at
from v6native.desired.state import AnyAddress, RouteFound, RouteQuestion, Way
from v6native.explain.explanation import Explanation, Verdict
from v6native.explain.question import Question, parse
from v6native.explain.walk import explain
from v6native.packet import parse_ipv4, parse_ipv6

PHONE, SERVER, EDGE4 = IPv6Address("2001:db8:64:1::5"), IPv4Address("198.51.100.80"), IPv4Address("192.0.2.1")
SERVER6 = embed(NSP, SERVER)
CLAT96 = IPv6Network("2001:db8:64:a:64::/96")
HERE = look_at(replace(LAB, clat=Clat(CLAT96)), "edge1", FACTS)
USE = ClientUse(
    IPv6Network("2001:db8:64:1::/64"), {Proto.TCP: 3, Proto.UDP: 0, Proto.ICMP: 0}, 4, 1, 1, 32, Limits(100, 200, 300)
)
DONE_6TO4 = Reason("TRANSLATED_6TO4", "DONE", "translated from IPv6 to IPv4")
DONE_4TO6 = Reason("TRANSLATED_4TO6", "DONE", "translated from IPv4 to IPv6")
BINDING = BibEntry(Proto.TCP, PHONE, 50000, EDGE4, 40007, False, 1, 5.0)
SESSION = Session(
    Proto.TCP,
    PHONE,
    50000,
    EDGE4,
    40007,
    embed(NSP, SERVER),
    SERVER,
    443,
    TcpState.ESTABLISHED,
    False,
    100.0,
    5.0,
    1,
    2,
)
DROP = Look(Fate.DROP, Reason("LOOP", "DROP", "our own output came back"), b"", 0, 0)


def six(to: AnyAddress | str = SERVER6, **words: Any) -> bytes:
    return parse({"from": PHONE, "to": to, "dport": 443, **words}, (NSP,)).packet


def four(source: AnyAddress | str = EDGE4, to: AnyAddress | str = SERVER, **words: Any) -> bytes:
    return parse({"from": source, "to": to, "dport": 443, "sport": 40007, **words}, (NSP,)).packet


@dataclass
class Twin:
    """`routes` by destination, where a mark is asked for by (destination, mark); `looks` in the order of the calls."""

    routes: dict[Any, RouteFound] = field(default_factory=dict)
    looks: dict[str, list[Look]] = field(default_factory=dict)
    programs: dict[str, str] = field(default_factory=dict)
    asked: list[RouteQuestion] = field(default_factory=list)
    given: list[tuple[str, bytes, int]] = field(default_factory=list)

    def route(self, question: RouteQuestion) -> RouteFound:
        self.asked.append(question)
        to = str(question.destination)
        return self.routes.get((to, question.mark), self.routes.get(to, RouteFound(Way.NO_ROUTE)))

    def dry_run(self, program: str, packet: bytes, mark: int = 0) -> Look:
        self.given.append((program, packet, mark))
        return self.looks[program].pop(0)

    def program_at(self, interface: str) -> str | None:
        return self.programs.get(interface)


def unicast(interface: str, mtu: int = 1500, gateway: str | None = None) -> RouteFound:
    return RouteFound(Way.UNICAST, interface, IPv4Address(gateway) if gateway else None, 254, mtu)


@pytest.fixture
def twin() -> Twin:
    """The lab's edge1: the phone on lan0, the internet behind eth0."""
    return Twin(
        {
            str(PHONE): unicast("lan0"),
            str(embed(NSP, SERVER)): unicast("nat64", 1520),
            str(SERVER): unicast("eth0", gateway="192.0.2.254"),
            str(EDGE4): RouteFound(Way.LOCAL, "lo", None, 255),
        }
    )


def ask(twin: Twin, packet: bytes, interface: str | None = None, mark: int = 0) -> Explanation:
    return explain(twin, HERE, Question(packet, interface, mark))


def text(told: Explanation, key: str) -> str:
    return next(step.text for step in told.steps if step.key == key)


def keys(told: Explanation) -> list[str]:
    return [step.key for step in told.steps]


def new_flow(**changes: Any) -> Look:
    look = Look(
        Fate.STACK, DONE_6TO4, four(), 0x10000000, 0, client=USE, group=0,
        new_binding=NewBinding(EDGE4, PortRange(40000, 59999), 256), new_session=True,
    )  # fmt: skip
    return replace(look, **changes)


def test_a_new_flow(twin: Twin) -> None:
    twin.looks["nat64"] = [new_flow()]
    told = ask(twin, six())
    assert (told.verdict, told.interface, told.reason) == (Verdict.TRANSLATED, "eth0", None)
    assert keys(told) == [
        "packet", "arrival", "route", "mtu", "source", "destination", "client", "pool", "binding", "session", "translation",
        "route", "mtu",
    ]  # fmt: skip
    assert text(told, "arrival") == "on lan0, where the route to its source leads"
    assert text(told, "binding").startswith("new: 192.0.2.1 and a port of 40000-59999, from a block of 256")
    assert text(told, "client") == (
        "counts as 2001:db8:64:1::/64: ports 3 tcp of 100 of each protocol; sessions 4 of 200; new ones this second 1 of 300; "
        "port blocks 1 of 32"
    )
    assert [(q.interface, q.mark) for q in twin.asked] == [(None, 0), ("lan0", 0), ("nat64-x", 0x10000000)]
    # One hop on the way in, one on the way out; the program is given the packet as the kernel hands it on.
    assert parse_ipv6(twin.given[0][1]).hop_limit == 63
    assert told.packet is not None
    assert parse_ipv4(bytes.fromhex(told.packet)).ttl == 63
    assert_checksums(bytes.fromhex(told.packet))


def test_a_known_session(twin: Twin) -> None:
    twin.looks["nat64"] = [Look(Fate.STACK, DONE_6TO4, four(), 0, 0, client=USE, binding=BINDING, session=SESSION)]
    told = ask(twin, six(flags="A"))
    assert told.verdict is Verdict.TRANSLATED
    assert "not asked again for what is known" in text(told, "source")
    assert text(told, "binding") == "known: [2001:db8:64:1::5]:50000 is 192.0.2.1:40007 (tcp, 1 sessions)"
    assert text(told, "session") == "known: with 198.51.100.80:443, ESTABLISHED, ends in 100 s unless a packet comes"
    assert "destination" not in keys(told) and "pool" not in keys(told)


def test_a_refused_source_gets_its_error(twin: Twin) -> None:
    stranger = "2001:db8:9::1"
    twin.routes[stranger] = unicast("eth0")
    packet = six(**{"from": stranger})
    refused = Reason("SOURCE_NOT_ALLOWED", "ANSWERED", "the source may not use this translator")
    twin.looks["nat64"] = [Look(Fate.STACK, refused, six(), 0, 0, answered=True)]
    told = ask(twin, packet)
    assert (told.verdict, told.reason) == (Verdict.ANSWERED, "SOURCE_NOT_ALLOWED")
    assert told.remedy and "nat64.sources" in told.remedy
    assert [step.key for step in told.steps if not step.ok] == ["source", "refusal"]
    assert text(told, "answer").startswith("its sender gets: [2001:db8:64:1::5]:50000 →")
    twin.looks["nat64"] = [Look(Fate.DROP, refused, b"", 0, 0)]
    told = ask(twin, packet)
    assert (told.verdict, told.packet) == (Verdict.DROPPED, None)


def test_a_limit_is_where_the_way_ends(twin: Twin) -> None:
    limit = Reason("CLIENT_PORTS", "ANSWERED", "the client has as many ports as it may have")
    twin.looks["nat64"] = [new_flow(reason=limit, new_binding=None, answered=True, packet=six())]
    told = ask(twin, six())
    assert [step.key for step in told.steps if not step.ok] == ["client", "refusal"]
    assert "binding" not in keys(told) and "session" not in keys(told)


def test_a_literal_goes_through_the_clat_and_the_nat64(twin: Twin) -> None:
    behind = embed(CLAT96, IPv4Address("100.64.0.2"))
    inside = parse({"from": behind, "to": embed(NSP, SERVER), "dport": 443}, ()).packet
    twin.routes |= {"100.64.0.2": unicast("wg-friends"), (str(SERVER), 0): unicast("clat", 1480)}
    twin.routes[str(SERVER), 0x30000000] = unicast("eth0")
    twin.looks = {
        "siit": [Look(Fate.STACK, DONE_4TO6, inside, 0x20000000, 0)],
        "nat64": [new_flow(mark=0x30000000)],
    }
    told = ask(twin, four("100.64.0.2"))
    assert (told.verdict, told.interface) == (Verdict.TRANSLATED, "eth0")
    mappings = [step.text for step in told.steps if step.key == "mapping"]
    assert mappings[0].startswith(
        f"the source 100.64.0.2 becomes {behind}: the CLAT's {CLAT96}; the client laptop, by its"
    )
    assert mappings[1] == f"the destination {SERVER} becomes {embed(NSP, SERVER)}: in the pref64 {NSP}"
    assert [(q.interface, q.mark) for q in twin.asked[1:]] == [
        ("wg-friends", 0),
        ("clat-x", 0x20000000),
        ("nat64-x", 0x30000000),
    ]
    assert [parse_ipv4(twin.given[0][1]).ttl, parse_ipv6(twin.given[1][1]).hop_limit] == [63, 63]


def test_an_answer_from_outside_is_steered(twin: Twin) -> None:
    steered = Reason("STEERED", "PASS", "sent to the NAT64 although addressed to the node")
    packet = four(SERVER, EDGE4, sport=443, dport=40007, flags="SA")
    twin.programs["eth0"] = "fast_steer"
    twin.routes[str(EDGE4), 0x40000000] = unicast("nat64", 1480)
    twin.looks = {
        "steer_uplink": [Look(Fate.STACK, steered, packet, 0x40000000, 0)],
        "nat64": [Look(Fate.STACK, DONE_4TO6, six(PHONE), 0, 0, client=USE, binding=BINDING, session=SESSION)],
    }
    told = ask(twin, packet)
    assert (told.verdict, told.interface) == (Verdict.TRANSLATED, "lan0")
    assert keys(told)[:4] == ["packet", "arrival", "steering", "route"]
    assert "source" not in keys(told) and "session" in keys(told)
    twin.looks["steer_uplink"] = [Look(Fate.STACK, None, packet, 0, 0)]
    told = ask(twin, packet)
    assert (told.verdict, told.interface) == (Verdict.LOCAL, None)
    assert "the node’s own" in text(told, "steering")


def test_what_the_node_sends_to_its_shared_address_is_redirected(twin: Twin) -> None:
    twin.programs["lo"] = "steer_lo"
    twin.looks = {
        "steer_lo": [Look(Fate.REDIRECT, Reason("STEERED", "PASS", ""), b"", 0, 0)],
        "nat64": [Look(Fate.STACK, DONE_4TO6, six(PHONE), 0, 0, binding=BINDING, session=SESSION)],
    }
    told = ask(twin, four(EDGE4, EDGE4))
    assert told.verdict is Verdict.TRANSLATED
    assert text(told, "arrival").startswith("made on this node")
    # It is neither routed nor forwarded on its way there.
    assert keys(told)[2:4] == ["steering", "binding"] and parse_ipv4(twin.given[1][1]).ttl == 64


def test_a_hairpin_has_two_passes(twin: Twin) -> None:
    hairpinned = Reason("HAIRPINNED", "DONE", "translated for a destination behind this same NAT64")
    twin.routes[str(embed(NSP, EDGE4))] = unicast("nat64")
    twin.looks["nat64"] = [
        new_flow(reason=hairpinned, fate=Fate.REDIRECT, mark=0x18000000, hairpin=True),
        Look(Fate.STACK, DONE_4TO6, six(PHONE), 0x10000000, 0, binding=BINDING, new_session=True),
    ]
    told = ask(twin, six(embed(NSP, EDGE4)))
    assert (told.verdict, told.interface) == (Verdict.TRANSLATED, "lan0")
    assert "hairpinning" in text(told, "destination")
    assert twin.given[1][2] == 0x18000000


def test_what_is_too_big_is_answered_by_the_kernel(twin: Twin) -> None:
    told = ask(twin, six(size=1521))
    assert told.verdict is Verdict.ANSWERED and keys(told)[-1] == "mtu" and not twin.given
    assert "“packet too big, MTU 1520”" in text(told, "mtu")


def test_what_is_too_big_behind_the_translator_is_told_translated(twin: Twin) -> None:
    twin.routes[str(SERVER)] = unicast("eth0", 1300)
    twin.looks["nat64"] = [new_flow(packet=four(size=1480))]
    told = ask(twin, six(size=1500))
    assert told.verdict is Verdict.ANSWERED
    assert told.steps[-1].text.endswith("which reaches the sender translated, as an MTU of 1320")
    twin.routes[str(PHONE)] = unicast("lan0", 1400)
    twin.routes[str(EDGE4)] = unicast("nat64", 1480)
    twin.looks["nat64"] = [Look(Fate.STACK, DONE_4TO6, six(PHONE, size=1500), 0, 0, binding=BINDING, session=SESSION)]
    told = ask(twin, four(SERVER, EDGE4, size=1480))
    assert told.steps[-1].text.endswith("as an MTU of 1380")


def test_without_df_it_is_cut_first(twin: Twin) -> None:
    again = Reason("REFRAGMENT", "PASS", "handed to the kernel to be fragmented smaller")
    packet = bytearray(four(SERVER, EDGE4, proto="udp", size=1400))
    packet[6] = 0
    small = Look(Fate.STACK, DONE_4TO6, six(PHONE), 0x10000000, 0, binding=BINDING, session=SESSION)
    twin.routes |= {str(EDGE4): unicast("nat64", 1480), (str(EDGE4), 0x80000000): unicast("nat64", 1252)}
    twin.looks["nat64"] = [Look(Fate.STACK, again, bytes(packet), 0x80000000, 0), small]
    told = ask(twin, bytes(packet))
    assert told.verdict is Verdict.TRANSLATED
    first = parse_ipv4(twin.given[1][1])
    assert (len(twin.given[1][1]), first.more_fragments, first.fragment_offset) == (1252, True, 0)
    assert "1400 bytes into 2 fragments of at most 1252" in [s.text for s in told.steps if s.key == "fragments"][1]


def test_the_last_hop(twin: Twin) -> None:
    packet = bytearray(six())
    packet[7] = 1
    told = ask(twin, bytes(packet))
    assert told.verdict is Verdict.ANSWERED and keys(told)[-1] == "hop_limit"


def test_forged_sources_never_reach_a_translator(twin: Twin) -> None:
    told = ask(twin, six(), "eth0")
    assert told.verdict is Verdict.DROPPED and keys(told) == ["packet", "arrival", "forged"]


def test_where_no_route_leads_into_a_translator(twin: Twin) -> None:
    twin.routes["2001:db8:7::1"] = unicast("eth0")
    assert ask(twin, six("2001:db8:7::1")).verdict is Verdict.UNTRANSLATED
    assert ask(twin, six("2001:db8:8::1")).verdict is Verdict.ANSWERED
    twin.routes["2001:db8:8::1"] = RouteFound(Way.BLACKHOLE)
    assert ask(twin, six("2001:db8:8::1")).verdict is Verdict.DROPPED


def test_a_source_that_nobody_knows_needs_its_interface(twin: Twin) -> None:
    del twin.routes[str(PHONE)]
    twin.looks["nat64"] = [DROP, DROP]
    assert "say it with --iif" in text(ask(twin, six()), "arrival")
    assert text(ask(twin, six(), "lan0"), "arrival") == "on lan0, as asked"
    # Of IPv4 the kernel would only say that such a source is not its own.
    told = ask(twin, four("203.0.113.5"))
    assert told.verdict is Verdict.UNTRANSLATED
    assert twin.asked[-1] == RouteQuestion(None, SERVER)


def test_the_slow_path_is_not_asked(twin: Twin) -> None:
    slow = Reason("SLOW_FRAGMENTED_ICMP", "SLOW", "fragmented ICMP, reassembled by the slow path")
    twin.looks["nat64"] = [Look(Fate.REDIRECT, slow, six(), 0, 1)]
    assert ask(twin, six()).verdict is Verdict.SLOW


def test_what_is_refused_before_anybody_is_asked(twin: Twin) -> None:
    twin.looks["nat64"] = [DROP]
    told = ask(twin, six())
    assert (told.verdict, told.reason) == (Verdict.DROPPED, "LOOP")
    assert keys(told)[-1] == "refusal" and "source" not in keys(told)


def test_a_packet_that_runs_in_a_circle_ends(twin: Twin) -> None:
    twin.routes[str(SERVER)] = unicast("nat64")
    twin.looks["nat64"] = [new_flow() for _ in range(9)]
    told = ask(twin, six())
    assert told.verdict is Verdict.DROPPED and "again and again" in told.text
