# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the slow path makes of the translator's events (RFC 6146 §3.5.2.2), read with scapy."""

from __future__ import annotations

from ipaddress import IPv6Address

from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

from v6native.slowpath.core import SlowPath
from v6native.slowpath.originate import STALE_SECONDS, Probe, StoredSyn, frame

SYN = bytes(IP(src="198.51.100.80", dst="203.0.113.1", ttl=60) / TCP(sport=7777, dport=5000, flags="S", seq=42))
PROBE = Probe(IPv6Address("2001:db8:64:64::c633:6450"), 80, IPv6Address("2001:db8:64:1::5"), 5000)


def test_nobody_came_for_a_syn() -> None:
    made = frame(StoredSyn(SYN), 7)
    assert made is not None and made[5] == 0, "for the host's own stack"
    answer = IP(made[14:])
    assert (answer.src, answer.dst, answer.id) == ("203.0.113.1", "198.51.100.80", 7)
    assert (answer[ICMP].type, answer[ICMP].code) == (3, 3)
    assert bytes(answer[ICMP].payload) == SYN
    rebuilt = IP(made[14:])
    del rebuilt.chksum, rebuilt[ICMP].chksum
    assert bytes(rebuilt) == made[14:], "checksums"


def test_the_answer_has_the_class_of_the_syn() -> None:
    """RFC 5508 §7.7; without ECN."""
    made = frame(StoredSyn(SYN[:1] + b"\xbb" + SYN[2:]), 7)
    assert made is not None and IP(made[14:]).tos == 0xB8


def test_a_probe_asks_the_host_whether_it_still_has_the_connection() -> None:
    """No data, both numbers zero, no flag but ACK."""
    made = frame(PROBE, 0)
    assert made is not None
    probe = IPv6(made[14:])
    segment = probe[TCP]
    assert (probe.src, probe.dst, segment.sport, segment.dport) == (str(PROBE.source), str(PROBE.destination), 80, 5000)
    assert (segment.flags, segment.seq, segment.ack, len(made)) == ("A", 0, 0, 14 + 60)
    assert Raw not in probe
    rebuilt = IPv6(made[14:])
    del rebuilt[TCP].chksum
    assert bytes(rebuilt) == made[14:], "checksum"


def test_damaged_and_stale_events_lead_to_nothing() -> None:
    core = SlowPath(0.0, lambda: 7)
    assert core.originate(StoredSyn(b"\x45"), 0.0) is None
    assert core.originate(PROBE, STALE_SECONDS + 1) is None
    assert core.originate(PROBE, 0.1) is not None
    assert (core.stats()["malformed"], core.stats()["stale"], core.stats()["originated"]) == (1, 1, 1)
