# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Who forges a source that lives behind the node is not translated: Linux has no reverse path filter for IPv6."""

from __future__ import annotations

import re

import pytest
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.sendrecv import sendp

from tests.system.host.conftest import Machine
from v6native.desired import desired
from v6native.system.apply import bring
from v6native.system.processes import run, wait_until

pytestmark = pytest.mark.root

PHONE, CLIENT, NODE = "2001:db8:64:1::5", "2001:db8:64:a::2", "2001:db8:64:ff::1"
SERVER = "2001:db8:64:64::198.51.100.80"
SIZE = 777


def _send(peer: str, source: str, destination: str = SERVER) -> None:
    """From the other end of one of the node's interfaces; the size tells it from all else."""
    data = Raw(bytes(SIZE - 48))
    inside = peer.replace("r1-eth0", "eth0").replace("phone-eth0", "lan0")
    mac = re.search(r"link/ether (\S+)", run(["ip", "link", "show", inside]))
    assert mac is not None
    # No program is attached here: what is routed into nat64 comes back, and must not go round.
    packet = IPv6(src=source, dst=destination, hlim=2) / UDP(sport=5000, dport=53) / data
    sendp(Ether(src="02:00:00:00:00:fe", dst=mac.group(1)) / packet, iface=peer, verbose=False)


def _dropped() -> int:
    found = re.search(r"counter packets (\d+)", run(["nft", "list", "chain", "inet", "v6native", "forged"]))
    assert found is not None
    return int(found.group(1))


def _translated() -> int:
    """Packets of that size that were routed into the NAT64."""
    found = re.search(r"counter packets (\d+)", run(["nft", "list", "chain", "inet", "watch", "forward"]))
    assert found is not None
    return int(found.group(1))


@pytest.fixture
def node(machine: Machine) -> Machine:
    bring(machine.host, desired(machine.config, "edge1", machine.host.facts()))
    watch = f'type filter hook forward priority 0; oifname "nat64" ip6 length {SIZE - 40} counter;'
    run(["nft", "-f", "-"], stdin=f"table inet watch {{ chain forward {{ {watch} }}; }}\n")
    return machine


@pytest.mark.parametrize("source", [PHONE, CLIENT, NODE, SERVER])
def test_a_source_from_behind_the_node_does_not_come_in_by_the_uplink(node: Machine, source: str) -> None:
    _send("r1-eth0", source)
    assert wait_until(lambda: _dropped() == 1, 5)
    assert _translated() == 0


def test_nor_does_a_client_get_ipv4_that_no_nat64_let_in(node: Machine) -> None:
    _send("r1-eth0", SERVER, "2001:db8:64:a:64::100.64.0.2")
    assert wait_until(lambda: _dropped() == 1, 5)


def test_the_host_itself_is_translated(node: Machine) -> None:
    _send("phone-eth0", PHONE)
    assert wait_until(lambda: _translated() == 1, 5)
    assert _dropped() == 0


def test_others_on_the_uplinks_side_are_judged_by_the_translator(node: Machine) -> None:
    """They may be among nat64.sources, and their answers take the same way."""
    _send("r1-eth0", "2001:db8:64:ff::77")
    assert wait_until(lambda: _translated() == 1, 5)
    assert _dropped() == 0
