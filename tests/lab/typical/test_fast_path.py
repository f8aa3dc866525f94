# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The fast path with real programs: on where nobody minds, off within a second where the operator does, never wrong."""

from __future__ import annotations

import os
import random
import time

import pytest

from tests.lab.typical.fastpath import SOON, Download, becomes_off, becomes_on, counted, reasons, upload
from tests.lab.typical.files import MAPPED, SERVER, house_toml
from tests.lab.typical.site import Site, eventually, kill, tunnel
from tests.lab.typical.test_vm import file as vm_file
from tests.lab.typical.topologies import VM_LAPTOP6
from v6native.address import embed
from v6native.lab import topology as t
from v6native.lab.edge import raise_edge
from v6native.lab.programs.echo import UDP_PORT

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FULL = os.environ.get("V6NATIVE_COUNT") == "nightly"
HOUSE = house_toml(pool4="203.0.113.1")
LEASE = 3.0
INPUT_ONLY = """
table inet filter {
 chain input {
  type filter hook input priority 0; policy drop;
  ct state invalid drop
  ct state { established, related } accept
  iifname "lo" accept
  meta l4proto { icmp, ipv6-icmp } accept
  iifname "br0" accept
 }
}
"""
STATEFUL = """
table inet filter {
 chain forward {
  type filter hook forward priority 0; policy accept;
  ct state invalid drop
 }
}
"""
DROP = "table inet late {\n chain f {\n type filter hook forward priority 0;\n ip6 nexthdr tcp drop\n }\n}\n"
# Sends from one socket with hop limits from `first` on, until an answer comes; prints the limit that was enough.
LEAST_HOPS = """
import socket, sys
sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
sock.connect((sys.argv[1], int(sys.argv[2])))
sock.settimeout(0.5)
for _ in range(3):
    sock.send(b"open"); sock.recv(99)
for hops in range(1, 9):
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hops)
    for _ in range(3):
        try:
            sock.send(b"%d" % hops)
            if sock.recv(99) == b"%d" % hops:
                print(hops)
                sys.exit()
        except OSError:
            pass
"""


def takes(site: Site, node: str, host: str, *, client: str = "phone", fast: bool = True) -> None:
    """Downloads and uploads arrive whole; nearly all their packets took the fast path, or none did."""
    before = counted(site, node)
    site.download(client, host)
    upload(site, client, host)
    now = counted(site, node)
    taken, translated = now[0] - before[0], now[1] - before[1]
    assert taken > 20 * translated if fast else (taken == 0 and translated > 100), (taken, translated)


def least_hops(site: Site, node: str, host: str) -> int:
    return int(site[node].run("python3", "-c", LEAST_HOPS, host, str(UDP_PORT)).out)


def test_it_is_on_where_nobody_minds(house: Site) -> None:
    house.up("edge1", HOUSE)
    becomes_on(house, "edge1")
    takes(house, "edge1", SERVER)
    before = counted(house, "edge1")
    assert least_hops(house, "phone", MAPPED) == 3, "edge1 is one hop: phone, edge1, r1, server"
    assert counted(house, "edge1")[0] > before[0]
    house.unchanged("edge1")


def test_hops_are_the_interface_paths(house: Site) -> None:
    house.up("edge1", HOUSE.replace("[nat64]", '[nat64]\nfast_path = "off"'))
    assert least_hops(house, "phone", MAPPED) == 3


def test_without_offloads(house: Site) -> None:
    """Checksums are then whole, not left to the device, and no segment is larger than its link."""
    ends = (("phone", "eth0"), ("internet", "eth0"), ("edge1", "lan0"), ("edge1", "eth0"))
    features = ("tso", "gso", "gro", "tx", "sg")
    try:
        for node, interface in ends:
            house[node].run("ethtool", "-K", interface, *(w for f in features for w in (f, "off")))
        house.up("edge1", HOUSE)
        becomes_on(house, "edge1")
        takes(house, "edge1", SERVER)
    finally:
        for node, interface in ends:
            house[node].run("ethtool", "-K", interface, *(w for f in features[::-1] for w in (f, "on")))


SMALL = {
    "beyond": [("r1", "server")],
    "uplink": [("r1", "edge"), ("edge1", "eth0")],
    "lan": [("edge1", "lan0"), ("edge1", "br0")],
}


@pytest.mark.parametrize("links", SMALL.values(), ids=SMALL)
def test_a_smaller_link_on_the_way(house: Site, links: list[tuple[str, str]]) -> None:
    """Path MTU discovery both ways: what does not fit takes the interface path, whose answers it needs."""
    house.up("edge1", HOUSE)
    try:
        for node, interface in links:
            house[node].run("ip", "link", "set", interface, "mtu", "1340")
        becomes_on(house, "edge1")
        takes(house, "edge1", SERVER)
    finally:
        for node, interface in links[::-1]:
            house[node].run("ip", "link", "set", interface, "mtu", "1500")
        for node in ("phone", "internet"):
            house[node].run("ip", "-6", "route", "flush", "cache")
            house[node].run("ip", "route", "flush", "cache")


def test_a_drop_rule_ends_a_download_within_a_second(house: Site) -> None:
    house.up("edge1", HOUSE)
    becomes_on(house, "edge1")
    edge1 = house["edge1"]
    with Download(house, "phone", SERVER, 12) as download:
        before = counted(house, "edge1")[0]
        assert download.moves()
        assert counted(house, "edge1")[0] > before
        edge1.run("nft", "-f", "-", stdin=DROP)
        time.sleep(SOON)
        assert not download.moves(1.5), "the rule holds"
        assert any("table inet late chain f" in reason for reason in reasons(house, "edge1"))
        edge1.run("nft", "delete", "table", "inet", "late")
        becomes_on(house, "edge1")
        before = counted(house, "edge1")[0]
        assert download.moves(5)
        eventually(lambda: counted(house, "edge1")[0] > before + 10, "it goes on by the fast path")


NFT = "table {family} late {{\n chain f {{\n type filter hook {hook} priority 10;\n counter\n }}\n}}\n"
MATCH = "protocol all pref 9 u32 match u32 0 0 flowid 1:1"


def nft(family: str, hook: str) -> tuple[str, str, str, str]:
    """A chain that only counts, how it goes again, and what is told of it."""
    return "nft -f -", NFT.format(family=family, hook=hook), f"nft delete table {family} late", f"table {family} late"


WANTING = [
    nft("ip", "postrouting"),
    nft("ip6", "prerouting"),
    nft("netdev", "ingress device eth0"),
    nft("netdev", "egress device br0"),
    (f"tc filter add dev eth0 egress {MATCH}", "", "tc filter del dev eth0 egress pref 9", "tc filter on eth0"),
    (f"tc filter add dev br0 ingress {MATCH}", "", "tc filter del dev br0 ingress pref 9", "tc filter on br0"),
    ("tc qdisc add dev lan0 root handle 1: htb", "", "tc qdisc del dev lan0 root", "queueing discipline htb on lan0"),
    ("ip rule add from 192.0.2.99 lookup main pref 500", "", "ip rule del pref 500", "policy routing rule 500"),
    ("ip -6 rule add iif br0 lookup main pref 500", "", "ip -6 rule del pref 500", "policy routing rule 500"),
    ("ip xfrm policy add src 192.0.2.99 dst 192.0.2.98 dir fwd", "", "ip xfrm policy flush", "IPsec"),
]


def test_what_may_want_the_packets_turns_it_off_within_a_second(house: Site, rng: random.Random) -> None:
    """All of them at the full count; some, drawn by the seed, at the reduced one."""
    house.up("edge1", HOUSE)
    edge1 = house["edge1"]
    for add, stdin, remove, reason in rng.sample(WANTING, len(WANTING) if FULL else 3):
        becomes_on(house, "edge1")
        edge1.run(*add.split(), stdin=stdin)
        try:
            time.sleep(SOON)
            before = counted(house, "edge1")
            house.download("phone", SERVER, 1)
            after = counted(house, "edge1")
            assert after[0] == before[0] and after[1] > before[1], add
            assert any(reason in told for told in reasons(house, "edge1")), add
        finally:
            edge1.run(*remove.split())
    becomes_on(house, "edge1")
    takes(house, "edge1", SERVER)
    house.unchanged("edge1")


def tracked(house: Site) -> int:
    return int(house["edge1"].run("sysctl", "-n", "net.netfilter.nf_conntrack_count").out)


def test_a_firewall_of_the_machine_itself_is_no_reason(house: Site) -> None:
    """It knows connections, and judges only what is for the machine. Of those that the fast path cuts short it knows none."""
    edge1 = house["edge1"]
    edge1.run("nft", "-f", "-", stdin=INPUT_ONLY)
    try:
        house.up("edge1", HOUSE)
        becomes_on(house, "edge1")
        takes(house, "edge1", SERVER)
        before = tracked(house)
        for _ in range(30):
            house.fetch("phone", SERVER)
        assert tracked(house) < before + 10
        assert house.fetch("edge1", SERVER) == "the internet", "answers for the machine itself are known to it"
        assert house.fetch("internet", f"{t.POOL[1]}/") == "phone"
    finally:
        edge1.run("nft", "delete", "table", "inet", "filter")


def test_a_firewall_that_comes_later_finds_the_connections(house: Site) -> None:
    """It would call them invalid, had it followed them only until they took the fast path."""
    edge1 = house["edge1"]
    edge1.run("nft", "-f", "-", stdin=INPUT_ONLY)
    try:
        house.up("edge1", HOUSE)
        becomes_on(house, "edge1")
        with Download(house, "phone", SERVER, 10) as download:
            assert download.moves()
            edge1.run("nft", "-f", "-", stdin=STATEFUL)
            becomes_off(house, "edge1", "chain forward")
            assert download.moves(3)
            before = counted(house, "edge1")
            assert download.moves()
            assert counted(house, "edge1")[0] == before[0]
    finally:
        edge1.run("nft", "delete", "table", "inet", "filter")


def test_a_dead_daemon_lets_the_lease_run_out(house: Site) -> None:
    house.up("edge1", HOUSE)
    becomes_on(house, "edge1")
    with Download(house, "phone", SERVER, 22) as download:
        kill(house, "edge1")
        time.sleep(LEASE + 0.2)
        before = counted(house, "edge1")
        assert download.moves()
        now = counted(house, "edge1")
        assert now[0] == before[0] and now[1] > before[1], "the interface path carries it"
        raise_edge(house["edge1"], 30)
        becomes_on(house, "edge1")
        before = counted(house, "edge1")
        assert download.moves()
        assert counted(house, "edge1")[0] > before[0]
    house.unchanged("edge1")


def filters(house: Site) -> str:
    return "".join(house["edge1"].run("tc", "filter", "show", "dev", dev, "ingress").out for dev in ("br0", "eth0"))


def test_the_knob_and_down(house: Site) -> None:
    house.up("edge1", HOUSE)
    becomes_on(house, "edge1")
    edge1 = house["edge1"]
    file = edge1.path("/etc/v6native/network.toml")
    file.write_text(HOUSE.replace("[nat64]", '[nat64]\nfast_path = "off"'))
    edge1.run("v6native", "reload")
    assert house.ask("edge1", "status")["fast_path"] == []
    assert filters(house) == ""
    takes(house, "edge1", SERVER, fast=False)
    file.write_text(HOUSE)
    planned = {change["text"] for change in house.ask("edge1", "plan")["changes"]}
    assert planned >= {"attach BPF program fast to br0", "attach BPF program fast to eth0"}
    edge1.run("v6native", "reload")
    becomes_on(house, "edge1")
    takes(house, "edge1", SERVER)
    file.write_text(HOUSE.replace('lan = ["br0"]', "lan = []"))
    edge1.run("v6native", "reload")
    assert filters(house) == "", "without an inside there is nothing to send to"
    file.write_text(HOUSE)
    edge1.run("v6native", "reload")
    edge1.run("v6native", "down", timeout=60)
    assert filters(house) == ""


def test_through_a_tunnel_to_a_shared_address(vm: Site) -> None:
    """WireGuard has no link-layer header; the uplink's program steers what is not fast."""
    server = str(embed(t.WKP, t.SERVER4))
    vm.up("vm", vm_file(vm))
    with tunnel(vm, "vm", str(VM_LAPTOP6), "100.64.0.2"):
        becomes_on(vm, "vm")
        takes(vm, "vm", f"[{server}]", client="laptop")
        # The literal takes the CLAT, whose packets stay on the interface path.
        vm.download("laptop", str(t.SERVER4), 2)
        assert vm.fetch("internet", f"{t.EDGE4}/") == "laptop"
        vm["vm"].run("nft", "-f", "-", stdin=DROP)
        try:
            becomes_off(vm, "vm", "table inet late")
        finally:
            vm["vm"].run("nft", "delete", "table", "inet", "late")
        becomes_on(vm, "vm")
