# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Every check finds its case, and only its case, in facts made up for it."""

from __future__ import annotations

import pkgutil
import re
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, IPv6Network
from pathlib import Path
from typing import Any

import pytest

from v6native import desired
from v6native.config.facts import DefaultRoute, ForwardDrop, HostFacts, InterfaceFacts, ListeningSocket, MasqueradeRule
from v6native.config.model import (
    Clat,
    Config,
    Nat64,
    Network,
    Node,
    Pool4Entry,
    PortRange,
    Proto,
    Tunnel,
)
from v6native.config.modeldns import (  # fmt: skip
    OWN_UNBOUND,
    Dns64,
    DnsEngine,
    Upstream,
)
from v6native.dataplane.door import Reason, Totals
from v6native.desired.model import Note
from v6native.doctor import checks
from v6native.doctor.checks import drops, notes
from v6native.doctor.examine import CHECKS, examine, without_symptoms
from v6native.doctor.facts import Facts, KernelFacts, ResolverFacts, RuleFacts, WorkerFacts
from v6native.doctor.finding import Finding, Severity
from v6native.health.gateway import Gateway

NODE = Node("edge1", "eth0", ("lan0",), (Pool4Entry(None, PortRange(40000, 59999)),))
TUNNEL = Tunnel("friends", "edge1", 51820, IPv6Network("2001:db8:64:a::/64"), None)
CONFIG = Config(
    Path("network.toml"), Network("lab", (), (IPv6Network("64:ff9b::/96"),)), (NODE,), Nat64(), Clat(), Dns64(), (TUNNEL,), ()
)  # fmt: skip
ETH0 = InterfaceFacts("eth0", 1500, ipv4=(IPv4Interface("192.0.2.1/24"),), ipv6=(IPv6Interface("2001:db8:1::1/64"),))
LAN0 = InterfaceFacts("lan0", 1500, ipv6=(IPv6Interface("2001:db8:64:1::1/64"),))
ROUTE4, ROUTE6 = DefaultRoute(4, "eth0", None), DefaultRoute(6, "eth0", None, 1024, True)
HOST = HostFacts("edge1", (ETH0, LAN0), (ROUTE4, ROUTE6), conntrack_max=262144)
UPSTREAM = Upstream(IPv6Address("2001:db8::53"))
REASONS = (
    Reason("TRANSLATED_6TO4", "DONE", "translated"),
    Reason("SOURCE_NOT_ALLOWED", "ANSWERED", "the source may not use this translator"),
    Reason("SLOW_AWAY", "DROP", "needs the slow path"),
)
GOOD = Facts(
    config=CONFIG,
    node=NODE,
    host=HOST,
    kernel=KernelFacts("6.1.0-18-amd64", True, True),
    in_place=True,
    sysctls={
        "net/ipv4/ip_forward": "1",
        "net/ipv6/conf/all/forwarding": "1",
        "net/ipv6/conf/eth0/accept_ra": "2",
        "net/ipv4/conf/all/rp_filter": "0",
        "net/ipv4/conf/nat64-x/rp_filter": "2",
    },
    rules=(RuleFacts(4, 100, "100: from all lookup local", True, True), RuleFacts(4, 60, "60: …", True, False)),
    workers=(WorkerFacts("dns64", True, 0), WorkerFacts("slowpath", True, 0)),
    resolvers=(ResolverFacts(UPSTREAM, None),),
    reasons=REASONS,
    counters={"TRANSLATED_6TO4": 100000, "SOURCE_NOT_ALLOWED": 3},
    totals=Totals(10, 131072, 10),
)


def host(**changes: Any) -> Facts:
    return replace(GOOD, host=replace(HOST, **changes))


def sysctl(**changes: str) -> Facts:
    return replace(GOOD, sysctls={**GOOD.sysctls, **{key.replace("__", "/"): value for key, value in changes.items()}})


def listening(address: str, port: int, ours: bool = False) -> Facts:
    ip = IPv6Address(address) if ":" in address else IPv4Address(address)
    return host(sockets=(ListeningSocket(Proto.UDP, ip, port, "unbound", 7, ours),))


def logging(**stats: object) -> Facts:
    return replace(GOOD, workers=(*GOOD.workers, WorkerFacts("log", True, 0, {"trouble": None, **stats})))


CASES: dict[str, list[Facts]] = {
    "kernel_old": [replace(GOOD, kernel=KernelFacts("5.15.0-91-generic", True, True))],
    "kernel_no_btf": [replace(GOOD, kernel=KernelFacts("6.1.0", False, True))],
    "bpffs_not_mounted": [replace(GOOD, kernel=KernelFacts("6.1.0", True, False))],
    "nft_missing": [replace(GOOD, missing_tools=("nft",))],
    "wireguard_tools_missing": [replace(GOOD, missing_tools=("wg",))],
    "unbound_missing": [
        replace(
            GOOD,
            config=replace(CONFIG, dns64=replace(CONFIG.dns64, upstream=(OWN_UNBOUND,))),
            missing_tools=("unbound",),
        ),
        replace(
            GOOD,
            config=replace(CONFIG, dns64=replace(CONFIG.dns64, engine=DnsEngine.UNBOUND)),
            missing_tools=("unbound",),
        ),
    ],
    "wireguard_missing": [replace(GOOD, missing_tools=("wireguard",))],
    "uplink_missing": [host(interfaces=(LAN0,))],
    "uplink_down": [host(interfaces=(replace(ETH0, up=False), LAN0))],
    "uplink_no_ipv4": [host(default_routes=(ROUTE6,)), host(interfaces=(replace(ETH0, ipv4=()), LAN0))],
    "uplink_no_ipv6": [host(default_routes=(ROUTE4,))],
    "accept_ra_lost": [
        sysctl(net__ipv6__conf__eth0__accept_ra="1"),
        replace(sysctl(net__ipv6__conf__eth0__accept_ra="1"), host=replace(HOST, default_routes=(ROUTE4,))),
    ],
    "forwarding_off": [sysctl(net__ipv4__ip_forward="0"), sysctl(net__ipv6__conf__all__forwarding="0")],
    "not_up": [replace(GOOD, in_place=False)],
    "parts_missing": [replace(GOOD, pending=("add route …", "add rule …"))],
    "foreign_rule": [replace(GOOD, rules=(*GOOD.rules, RuleFacts(4, 10, "10: from all lookup main", False, True)))],
    "rp_filter_strict": [
        sysctl(**{"net__ipv4__conf__nat64-x__rp_filter": "1"}),
        sysctl(**{"net__ipv4__conf__all__rp_filter": "1", "net__ipv4__conf__nat64-x__rp_filter": "0"}),
    ],
    "gateway_down": [
        replace(
            GOOD,
            gateways=(Gateway(IPv6Network("2001:db8:64:64::/96"), False, "none of 198.51.100.1 answers through it"),),
        ),
        replace(
            GOOD,
            gateways=(Gateway(IPv6Network("2001:db8:64:64::/96")), Gateway(IPv6Network("64:ff9b::/96"), False, "x")),
        ),
    ],
    "worker_down": [replace(GOOD, workers=(WorkerFacts("dns64", False, 2), WorkerFacts("slowpath", True, 0)))],
    "worker_unstable": [replace(GOOD, workers=(WorkerFacts("slowpath", True, 3),))],
    "dns64_not_listening": [
        replace(GOOD, workers=(WorkerFacts("dns64", True, 0, {"not_listening": ["::1#443: in use"]}),))
    ],
    "log_not_written": [logging(trouble="/var/lib/v6native/default/who-had.db: database or disk is full")],
    "log_damaged": [logging(damaged="/var/lib/v6native/default/who-had.damaged-1.db")],
    "log_lost": [replace(logging(), counters={"LOG_LOST": 5})],
    "log_collector_away": [logging(collector_trouble={"syslog tcp://192.0.2.9:514": "Connection refused"})],
    "port_53_taken": [listening("::", 53), listening("0.0.0.0", 53), listening("2001:db8:64:1::1", 53)],
    "upstream_unreachable": [replace(GOOD, resolvers=(ResolverFacts(UPSTREAM, "no answer"),))],
    "no_upstream": [replace(GOOD, resolvers=())],
    "forward_drop": [host(forward_drop=(ForwardDrop("table ip filter chain FORWARD", "ip"),))],
    "masquerade_collides": [
        host(masquerade=(MasqueradeRule("table ip nat chain POSTROUTING", "eth0"),)),
        host(masquerade=(MasqueradeRule("table ip nat chain POSTROUTING", None, PortRange(50000, 65535)),)),
    ],
    "socket_in_range": [listening("0.0.0.0", 40000), listening("192.0.2.1", 59999)],
    "conntrack_small": [host(conntrack_max=65536)],
    "conntrack_full": [sysctl(net__netfilter__nf_conntrack_count="262000")],
    "mtu_small": [host(interfaces=(ETH0, replace(LAN0, mtu=1279))), host(interfaces=(replace(ETH0, mtu=1200), LAN0))],
    "table_full": [replace(GOOD, totals=Totals(130000, 131072, 1))],
    "table_was_full": [replace(GOOD, counters={"TABLE_FULL": 5})],
    "pool4_exhausted": [replace(GOOD, counters={"POOL4_EXHAUSTED": 5})],
    "client_limit": [replace(GOOD, counters={name: 1}) for name in ("CLIENT_PORTS", "CLIENT_SESSIONS", "CLIENT_RATE")],
    "note_lan_outside_network": [replace(GOOD, notes=(Note("lan-outside-network", "…", "…"),))],
    "drops_source_not_allowed": [replace(GOOD, counters={**GOOD.counters, "SOURCE_NOT_ALLOWED": 5000})],
    "drops_slow_away": [replace(GOOD, counters={"SLOW_AWAY": 500})],
}


def codes(facts: Facts) -> set[str]:
    return {finding.code for finding in examine(facts)}


def test_a_good_node_has_no_finding() -> None:
    assert examine(GOOD) == ()


@pytest.mark.parametrize(("code", "facts"), [(code, facts) for code, cases in CASES.items() for facts in cases])
def test_finds(code: str, facts: Facts) -> None:
    assert code in codes(facts)


@pytest.mark.parametrize(
    "facts",
    [
        listening("2001:db8:1::1", 53),  # the uplink's own address: the DNS64 does not listen there
        listening("::", 53, ours=True),
        listening("192.0.2.1", 39999),
        listening("127.0.0.1", 40000),
        host(masquerade=(MasqueradeRule("…", "wg0"),)),
        host(masquerade=(MasqueradeRule("…", "eth0", PortRange(1024, 39999)),)),
        replace(GOOD, rules=(*GOOD.rules, RuleFacts(4, 5000, "5000: from 10.0.0.0/8 lookup 7", False, False))),
        replace(GOOD, rules=(*GOOD.rules, RuleFacts(6, 10, "10: from all lookup main", False, True))),
        host(default_routes=(ROUTE4, replace(ROUTE6, from_ra=False))),
        replace(GOOD, resolvers=None),
        replace(GOOD, config=replace(CONFIG, tunnels=()), missing_tools=("wg", "wireguard")),
        replace(GOOD, missing_tools=("unbound",)),
        replace(GOOD, counters={"SOURCE_NOT_ALLOWED": 99}),
        logging(damaged=None, collector_trouble={}),
        # Nobody is there to take them where nothing shall be logged.
        replace(GOOD, counters={"LOG_LOST": 5}),
    ],
)
def test_finds_nothing(facts: Facts) -> None:
    assert codes(facts) == set()


def test_one_of_two_resolvers_is_a_warning() -> None:
    other = ResolverFacts(Upstream(IPv4Address("192.0.2.53")), "no answer")
    (finding,) = examine(replace(GOOD, resolvers=(ResolverFacts(UPSTREAM, None), other)))
    assert finding.severity is Severity.WARNING


def test_a_cause_hides_its_symptoms() -> None:
    facts = replace(listening("::", 53), workers=(WorkerFacts("dns64", False, 9),))
    assert codes(facts) == {"port_53_taken"}
    assert "worker_down" in {f.code for check in CHECKS for f in check(facts)}


def test_a_range_in_two_parts_is_one_finding() -> None:
    parts = (Pool4Entry(None, PortRange(40000, 51819)), Pool4Entry(None, PortRange(51821, 59999)))
    facts = host(masquerade=(MasqueradeRule("…", "eth0"),))
    (finding,) = examine(replace(facts, node=replace(NODE, pool4=parts)))
    assert "40000-51819, 51821-59999" in finding.text and ":1024-39999" in finding.remedy


def test_the_worst_comes_first() -> None:
    facts = replace(host(conntrack_max=65536), workers=(WorkerFacts("slowpath", False, 1),))
    assert [f.severity for f in examine(facts)] == [Severity.ERROR, Severity.WARNING]


def test_symptoms_of_what_was_not_found_stay() -> None:
    finding = Finding("b", Severity.INFO, "", "", ("a",))
    assert without_symptoms([finding]) == [finding]


def every_code() -> set[str]:
    """The codes written in the checks' sources; drops_… are made of the counters' names, note_… of desired/'s codes."""
    folder = Path(checks.__path__[0])
    found = {
        code for file in folder.glob("*.py") for code in re.findall(r'Finding\(\s*"([a-z0-9_]+)"', file.read_text())
    }
    for file in Path(desired.__path__[0]).glob("*.py"):
        for code in re.findall(r'Note\(\s*"([a-z0-9-]+)"', file.read_text()):
            found |= {f"note_{code.replace('-', '_')}"} if code not in notes.ELSEWHERE else set()
    return found | {f"drops_{name.lower()}" for name in drops.TOLD}


def test_every_code_has_a_case_here() -> None:
    assert {code for code in every_code() if not code.startswith(("drops_", "note_"))} <= set(CASES)


def test_every_check_file_is_run() -> None:
    files = {module.name for module in pkgutil.iter_modules(checks.__path__)}
    assert files == {check.__module__.rpartition(".")[2] for check in CHECKS}


def test_causes_are_codes_that_exist() -> None:
    known = every_code()
    for cases in CASES.values():
        for facts in cases:
            for check in CHECKS:
                for finding in check(facts):
                    assert set(finding.depends_on) <= known, finding.code
                    assert finding.text and finding.remedy


def test_every_code_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "reference" / "findings.md").read_text()
    listed = set(re.findall(r"^\| `([a-z0-9_]+)`", text, re.MULTILINE))
    assert listed == every_code()


def test_remedies_of_drops_name_reasons_that_exist() -> None:
    header = (Path(__file__).parents[3] / "bpf" / "reasons.h").read_text()
    assert set(drops.TOLD) <= set(re.findall(r"REASON\((\w+),", header))


def test_the_kernels_version() -> None:
    assert [KernelFacts(r, True, True).version for r in ("6.1.0-18-amd64", "6.18-rc1", "7.0", "odd")] == [
        (6, 1), (6, 18), (7, 0), (0, 0),
    ]  # fmt: skip
