# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Damaged packets from both sides, at rate, while a download runs: it ends well, every packet is counted, nothing is left."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoRequest,
    ICMPv6PacketTooBig,
    ICMPv6ParamProblem,
    ICMPv6TimeExceeded,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.packet import Packet, Raw, fuzz
from scapy.utils import rdpcap

from tests.lab.typical.fastpath import Download
from tests.lab.typical.files import HOUSE, MAPPED, SERVER
from tests.lab.typical.site import Site
from tests.packets.books import audit
from v6native.dataplane.door import Session
from v6native.dataplane.kernel import KernelDataPlane
from v6native.lab import topology as t
from v6native.lab.node import Node
from v6native.lab.wait import wait_until
from v6native.paths import Paths
from v6native.translate.reasons import Kind, Reason

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

COUNT = {"fast": 20_000, "nightly": 1_000_000}[os.environ.get("V6NATIVE_COUNT", "fast")]
RATE = 12_000
"""Packets a second from each side: what the two cores of a small machine make beside a download."""
FUZZED = 40
"""Of each kind of packet, by scapy."""
SPENT = (Kind.DONE, Kind.PASS, Kind.SLOW, Kind.ANSWERED, Kind.DROP)
ELSEWHERE = {"FAST_6TO4", "FAST_4TO6", "STEERED"}
"""Counted before a packet reaches the translator's interface."""
AGAIN = ("HAIRPINNED", "CAME_REASSEMBLED")
"""Counted for packets that come to the translator once more, not by its interface."""


def six(*layers: Packet) -> Packet:
    packet: Packet = IPv6(src=str(t.PHONE6), dst=MAPPED)
    for layer in layers:
        packet /= layer
    return packet


def four(port: int, *layers: Packet) -> Packet:
    packet: Packet = IP(src=str(t.SERVER4), dst=str(t.EDGE4))
    for layer in layers:
        packet /= layer
    return packet


def from_inside() -> Iterator[Packet]:
    """One of each header that the translator reads behind IPv6, with fields that scapy draws."""
    quoted = IP(bytes(four(40000, UDP(sport=53, dport=40000), Raw(bytes(24)))))
    quoted6 = IPv6(src=MAPPED, dst=str(t.PHONE6)) / UDP(sport=53, dport=40000) / Raw(bytes(24))
    for _ in range(FUZZED):
        yield six(fuzz(TCP()), Raw(bytes(16)))
        yield six(fuzz(UDP()), Raw(bytes(16)))
        yield six(fuzz(ICMPv6EchoRequest()))
        for error in (ICMPv6DestUnreach, ICMPv6PacketTooBig, ICMPv6TimeExceeded, ICMPv6ParamProblem):
            yield six(fuzz(error()), quoted6)
            yield six(fuzz(error()), quoted)
        for extension in (IPv6ExtHdrFragment, IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting):
            yield six(fuzz(extension()), UDP(sport=5000, dport=80), Raw(bytes(32)))
        # An Authentication Header (RFC 4302 §2), whose length counts words, and from two words on.
        behind = bytes(UDP(sport=5000, dport=80) / Raw(bytes(32)))
        header = bytes((17, secrets.randbelow(8))) + secrets.token_bytes(22)
        yield IPv6(src=str(t.PHONE6), dst=MAPPED, nh=51) / Raw(header + behind)


def from_outside() -> Iterator[Packet]:
    """The same behind IPv4."""
    quoted = IP(src=str(t.EDGE4), dst=str(t.SERVER4)) / UDP(sport=40000, dport=53) / Raw(bytes(24))
    for n in range(FUZZED):
        yield four(0, fuzz(TCP(dport=80)), Raw(bytes(16)))
        yield four(0, fuzz(UDP(dport=40000 + n * 500)), Raw(bytes(16)))
        yield four(0, fuzz(ICMP()), quoted)
        yield fuzz(IP(src=str(t.SERVER4), dst=str(t.EDGE4), len=None, chksum=None)) / UDP(dport=40000 + n * 500)


def captured(house: Site) -> tuple[list[bytes], list[bytes]]:
    """What phone and the server send in pings, downloads and fragments: real packets of both sides."""
    sniffers = []
    for name, own in (("phone", f"ip6 src {t.PHONE6}"), ("internet", f"ip src {t.SERVER4}")):
        argv = ("tcpdump", "-i", "eth0", "-s", "1500", "-c", "150", "-U", "-w", "/run/lab/sound.pcap", own)
        sniffers.append(house[name].start("tcpdump", *argv))
        wait_until(
            lambda name=name: "listening on" in house[name].log("tcpdump").read_text(), 5, "tcpdump does not listen"
        )
    phone = house["phone"]
    for size in ("56", "3000"):
        phone.run("ping", "-n", "-c3", "-i0.2", "-s", size, MAPPED)
    phone.run("traceroute", "-6", "-n", "-q1", "-w1", MAPPED)
    while any(sniffer.status() is None for sniffer in sniffers):
        house.download("phone", SERVER, 1)
    files = [house[name].path("/run/lab/sound.pcap") for name in ("phone", "internet")]
    return tuple([bytes(p)[14:] for p in rdpcap(str(file))] for file in files)


def noise(node: Node, interface: str, mac: str, packets: Iterable[bytes], seed: str) -> None:
    """Starts it; `quiet` waits for its end."""
    file = f"/run/lab/{secrets.token_hex(4)}"
    node.path(file).write_bytes(b"".join(len(p).to_bytes(2, "big") + p for p in packets if 0 < len(p) < 1400))
    script = str(Path(__file__).with_name("noise.py"))
    node.start("noise", sys.executable, script, interface, mac, file, str(COUNT // 2), str(RATE), seed)


def quiet(node: Node) -> bool:
    return f"sent {COUNT // 2}" in node.log("noise").read_text()


def mac_of(node: Node, interface: str) -> str:
    return str(json.loads(node.run("ip", "-j", "link", "show", interface).out)[0]["address"])


class Books:
    """What the NAT64 counted since this was made, and what came to its interface."""

    def __init__(self, house: Site) -> None:
        self.house = house
        self.begun = self.read()

    def read(self) -> Counter[str]:
        counters: dict[str, int] = self.house.ask("edge1", "counters")["counters"]
        link = json.loads(self.house["edge1"].run("ip", "-j", "-s", "link", "show", "nat64-x").out)[0]
        return Counter(counters) + Counter(came=link["stats64"]["rx"]["packets"])

    def since(self) -> Counter[str]:
        now = self.read()
        now.subtract(self.begun)
        return now


def memory(house: Site) -> dict[str, int]:
    """KiB that each of edge1's processes holds."""
    status = house.ask("edge1", "status")
    pids = {"daemon": status["daemon"]["pid"], **{worker["name"]: worker["pid"] for worker in status["workers"]}}
    lines = {name: Path(f"/proc/{pid}/status").read_text() for name, pid in pids.items()}
    return {name: int(text.partition("VmRSS:")[2].split()[0]) for name, text in lines.items()}


def clients_of(plane: KernelDataPlane) -> list[Session]:
    """Sessions but for those of the static entry, which the file goes on to want, and of edge1 itself."""
    return [s for s in plane.sessions() if s.port4 != 80 and s.address6 != t.EDGE_LAN6]


def settled(plane: KernelDataPlane) -> bool:
    """Whether what is counted is what can be seen."""
    totals = plane.totals()
    return (totals.sessions, totals.bib) == (len(list(plane.sessions())), len(list(plane.bib())))


def sound(plane: KernelDataPlane) -> None:
    """The tables add up: if not in this moment, in which the sweep may be at work, then in the next."""
    wait_until(lambda: audit(plane.generation()) == [], 20, lambda: str(audit(plane.generation()))[:2000])


def test_damaged_packets_from_both_sides(house: Site) -> None:
    house.up("edge1", HOUSE)
    edge1, phone, r1 = house["edge1"], house["phone"], house["r1"]
    inside, outside = captured(house)
    held, books, seed = memory(house), Books(house), secrets.token_hex(4)
    print(f"seed {seed}")
    with Download(house, "phone", SERVER, COUNT // 2 // RATE + 8) as download:
        noise(phone, "eth0", mac_of(edge1, "br0"), [*inside, *map(bytes, from_inside())], seed)
        noise(r1, "edge", mac_of(edge1, "eth0"), [*outside, *map(bytes, from_outside())], seed)
        for node in (phone, r1):
            wait_until(lambda node=node: quiet(node), 300, lambda node=node: node.log("noise").read_text())
            assert download.moves(5), "the download stands still"
    wait_until(lambda: books.since() == books.since(), 20, "packets still come")
    found = books.since()
    spent = sum(found[r.name] for r in Reason if r.kind in SPENT and r.name not in ELSEWHERE)
    assert spent == found["came"] + sum(found[name] for name in AGAIN), found
    refused = sum(found[r.name] for r in Reason if r.kind in (Kind.ANSWERED, Kind.DROP))
    assert refused > COUNT // 10, f"not much of it was bad: {found}"
    kinds = {r.name for r in Reason if found[r.name]}
    assert len(kinds) > 20, f"only {sorted(kinds)}"
    grown = {name: now - held[name] for name, now in memory(house).items()}
    assert max(grown.values()) < 30_000, f"KiB more than before: {grown}"
    with KernelDataPlane.open(Paths(bpffs=house.estate.bpffs), edge1.instance) as plane:
        sound(plane)
    nobody = HOUSE.replace("[nat64]\n", '[nat64]\nsources = ["2001:db8:64:ff::/64"]\n')
    edge1.path("/etc/v6native/network.toml").write_text(nobody)
    edge1.run("v6native", "reload")
    with KernelDataPlane.open(Paths(bpffs=house.estate.bpffs), edge1.instance) as plane:
        wait_until(lambda: clients_of(plane) == [], 20, lambda: f"left: {clients_of(plane)[:5]}")
        # They are out of sight at once; the sweep collects them by the thousand.
        wait_until(lambda: settled(plane), 20, lambda: f"{plane.totals()} are still to be collected")
        sound(plane)
    edge1.path("/etc/v6native/network.toml").write_text(HOUSE)
    edge1.run("v6native", "reload")
    house.download("phone", SERVER, 1)
