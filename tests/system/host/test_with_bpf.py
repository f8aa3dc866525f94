# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The same promises with the real data plane: programs attached, maps pinned, and a packet through the translator."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from tests.system.dataplane.bpffs import private_bpffs
from tests.system.host.conftest import Machine, changes, dump
from tests.unit.system.networks import DEDICATED, ON_LINK, UPLINK
from v6native.config.model import Pool4Entry
from v6native.dataplane.kernel import KernelDataPlane
from v6native.desired import Desired, desired
from v6native.plan import diff
from v6native.system.apply import bring, teardown
from v6native.system.linux import LinuxHost
from v6native.system.processes import run

pytestmark = pytest.mark.root


@pytest.fixture
def node(machine: Machine) -> Iterator[Machine]:
    """The machine with BPF in place of its twin."""
    folder: Path = machine.host.paths.bpffs
    folder.mkdir()
    with private_bpffs(folder), closing(KernelDataPlane.open(machine.host.paths)) as plane:
        host = LinuxHost(machine.host.paths, plane)
        try:
            yield replace(machine, host=host)
        finally:
            teardown(host)


def test_up_twice_and_down(node: Machine) -> None:
    before = dump()
    bring(node.host, desired(node.config, "edge1", node.host.facts()))
    again = desired(node.config, "edge1", node.host.facts())
    assert [str(action) for action in diff(again, node.host.observe(again))] == []
    assert "nat64" in run(["tc", "filter", "show", "dev", "nat64-x", "ingress"])
    assert "fast_steer" in run(["tc", "filter", "show", "dev", "eth0", "ingress"])
    teardown(node.host)
    assert changes(before, dump()) == []
    assert [str(action) for action in diff(Desired(), node.host.observe(Desired()))] == []


def test_the_next_process_adopts_what_runs(node: Machine) -> None:
    wanted = desired(node.config, "edge1", node.host.facts())
    bring(node.host, wanted)
    with closing(KernelDataPlane.open(node.host.paths)) as plane:
        assert diff(wanted, LinuxHost(node.host.paths, plane).observe(wanted)) == ()


def test_a_program_of_the_nodes_own_talks_through_its_nat64(node: Machine) -> None:
    """UDP to a server on the node's own LAN address, by pref64: out as IPv4, answered, and back as IPv6."""
    run(["ip", "address", "add", "198.51.100.80/32", "dev", "lan0"])
    opened = replace(node.config.nat64, allow_ipv4=(IPv4Network("198.51.100.0/24"),))
    bring(node.host, desired(replace(node.config, nat64=opened), "edge1", node.host.facts()))
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as server:
        server.bind(("198.51.100.80", 7))
        server.settimeout(5)
        seen: list[tuple[str, int]] = []

        def answer() -> None:
            data, sender = server.recvfrom(2048)
            seen.append(sender)
            server.sendto(data.upper(), sender)

        thread = threading.Thread(target=answer)
        thread.start()
        with closing(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as client:
            client.settimeout(5)
            client.connect(("2001:db8:64:64::198.51.100.80", 7))
            client.send(b"hello")
            try:
                assert client.recv(2048) == b"HELLO"
            finally:
                thread.join()
                print({k: v for k, v in node.host.dataplane.counters().items() if v})
    (sender,) = seen
    assert sender[0] == "192.0.2.1" and 40000 <= sender[1] <= 59999


@pytest.mark.parametrize(("old", "new"), [(DEDICATED, ON_LINK), (UPLINK, DEDICATED)], ids=["dedicated", "shared"])
def test_a_session_on_a_removed_pool_address_goes_on(node: Machine, old: Pool4Entry, new: Pool4Entry) -> None:
    run(["ip", "address", "add", "198.51.100.80/32", "dev", "lan0"])
    opened = replace(node.config.nat64, allow_ipv4=(IPv4Network("198.51.100.0/24"),))

    def wanted(entry: Pool4Entry) -> Desired:
        nodes = (replace(node.config.nodes[0], pool4=(entry,)),)
        return desired(replace(node.config, nat64=opened, nodes=nodes), "edge1", node.host.facts())

    bring(node.host, wanted(old))
    with (
        closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as server,
        closing(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as client,
    ):
        server.bind(("198.51.100.80", 7))
        for end in (server, client):
            end.settimeout(5)
        client.connect(("2001:db8:64:64::198.51.100.80", 7))
        client.send(b"before")
        data, sender = server.recvfrom(2048)
        assert data == b"before"
        bring(node.host, wanted(new))
        assert [str(action) for action in diff(wanted(new), node.host.observe(wanted(new)))] == []
        server.sendto(b"after", sender)
        assert client.recv(2048) == b"after"
        client.send(b"and on")
        assert server.recvfrom(2048) == (b"and on", sender)
