# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What others undo is done again, exactly that; what is theirs is never touched."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest

from tests.system.host.conftest import Machine, changes, dump
from v6native.desired import Desired, desired
from v6native.errors import ApplyFailed, SystemActionError
from v6native.plan import diff
from v6native.system import firewall, wireguard
from v6native.system.apply import bring, teardown
from v6native.system.processes import run, wait_until

pytestmark = pytest.mark.root


@pytest.fixture
def wanted(machine: Machine) -> Desired:
    found = desired(machine.config, "edge1", machine.host.facts())
    bring(machine.host, found)
    return found


def _broken_by(machine: Machine, wanted: Desired, *commands: str) -> list[str]:
    standing = dump()
    for command in commands:
        run(command.split())
    done = [str(action) for action in bring(machine.host, wanted)]
    assert changes(standing, dump()) == []
    return done


def test_routes_and_rules_that_a_network_manager_deletes(machine: Machine, wanted: Desired) -> None:
    done = _broken_by(
        machine, wanted, "ip route flush proto 164 table 6464", "ip rule del pref 62", "ip -6 route flush proto 164"
    )
    assert len([a for a in done if a.startswith("add route")]) == 4
    assert len([a for a in done if a.startswith("add IPv4 rule")]) == 1
    assert len(done) == 5


def test_a_flushed_firewall(machine: Machine, wanted: Desired) -> None:
    assert _broken_by(machine, wanted, "nft flush ruleset") == [
        "load nftables table inet v6native, which switches defragmentation on"
    ]


@pytest.mark.parametrize("what", ["table inet v6native", "chain inet v6native defrag", "chain inet v6native forged"])
def test_our_table_emptied(machine: Machine, wanted: Desired, what: str) -> None:
    assert len(_broken_by(machine, wanted, f"nft flush {what}")) == 1


def test_only_what_comes_from_the_uplink_costs_a_packet_a_rule(machine: Machine, wanted: Desired) -> None:
    """A hook of ours is on the way of every packet of the host: one, and not for the defragmentation."""
    hooked = run(["nft", "list", "table", "inet", "v6native"]).split("chain ")[1:]
    assert [chain.split()[0] for chain in hooked if "hook" in chain] == ["forged"]


def test_settings_changed_behind_our_back(machine: Machine, wanted: Desired) -> None:
    done = _broken_by(
        machine,
        wanted,
        "sysctl -qw net.ipv4.ip_forward=0",
        "sysctl -qw net.ipv4.conf.nat64-x.accept_local=0",
        "ethtool -K nat64 tx-udp-segmentation on",
        "ip link set nat64 mtu 1500",
        "ip neigh del fe80::64 dev nat64",
        "ip address del 192.0.0.8/32 dev nat64-x",
    )
    assert any("ip_forward" in action for action in done)
    assert any("switch off on nat64: tx-udp-segmentation" in action for action in done)


def test_an_interface_removed(machine: Machine, wanted: Desired) -> None:
    done = _broken_by(machine, wanted, "ip link del nat64")
    assert not any("clat" in action for action in done if not action.startswith("configure"))


def test_a_killed_wireguard_go_is_started_again(machine: Machine, wanted: Desired) -> None:
    service = wireguard.service(machine.interface, machine.host.paths)
    pid = service.find()
    assert pid is not None, "this kernel has WireGuard of its own; the test is for those without"
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: service.find() is None, 5)
    assert wait_until(lambda: machine.interface not in machine.host.observe(Desired()).links, 5)
    key = wireguard.key_file(machine.host.paths, machine.tunnel).read_text()
    bring(machine.host, wanted)
    assert diff(wanted, machine.host.observe(wanted)) == ()
    assert service.find() not in (None, pid)
    assert wireguard.key_file(machine.host.paths, machine.tunnel).read_text() == key


def test_a_running_wireguard_go_keeps_its_peers_through_a_change(machine: Machine, wanted: Desired) -> None:
    """`wg syncconf`: the peer that stays is not touched."""
    pid = wireguard.service(machine.interface, machine.host.paths).find()
    peer = machine.config.clients[0].public_key
    run(["wg", "set", machine.interface, "peer", peer, "endpoint", "192.0.2.9:1234"])
    other = replace(machine.config.clients[0], name="other", public_key=run(["wg", "genkey"]).strip())
    more = replace(machine.config, clients=(*machine.config.clients, other))
    bring(machine.host, desired(more, "edge1", machine.host.facts()))
    endpoints = run(["wg", "show", machine.interface, "endpoints"])
    assert f"{peer}\t192.0.2.9:1234" in endpoints and other.public_key in endpoints
    assert wireguard.service(machine.interface, machine.host.paths).find() == pid


def test_what_is_not_ours_stays(machine: Machine) -> None:
    """Foreign routes, rules, proxy entries, tables and reserved ports of the same kinds outlive up and down."""
    for command in (
        "ip route add 198.51.100.0/24 via 192.0.2.254 proto static",
        "ip route add default via 192.0.2.253 table 6464 metric 7 proto static",
        "ip rule add pref 60 fwmark 0x1 lookup 99",
        "ip neigh add proxy 192.0.2.50 dev eth0",
        "sysctl -qw net.ipv4.ip_local_reserved_ports=8080,50000-60500",
        "sysctl -qw net.ipv6.conf.lan0.forwarding=1",
        "sysctl -qw net.ipv4.conf.lan0.forwarding=1",
        "sysctl -qw net.ipv4.conf.all.accept_redirects=0",
        "nft add table inet theirs",
        "tc qdisc add dev eth0 clsact",
    ):
        run(command.split())
    before = dump()
    bring(machine.host, desired(machine.config, "edge1", machine.host.facts()))
    assert run(["cat", "/proc/sys/net/ipv4/ip_local_reserved_ports"]).strip() == "8080,40000-60500"
    teardown(machine.host)
    assert changes(before, dump()) == []


def test_somebody_elses_nat64_is_refused(machine: Machine) -> None:
    run(["ip", "link", "add", "nat64", "type", "veth", "peer", "name", "other"])
    before = dump()
    with pytest.raises(SystemActionError, match="was not made by v6native"):
        bring(machine.host, desired(machine.config, "edge1", machine.host.facts()))
    assert changes(before, dump()) == []
    run(["ip", "link", "del", "nat64"])


def test_a_kernel_without_tproxy_gets_the_other_rule(machine: Machine) -> None:
    (table,) = desired(machine.config, "edge1", machine.host.facts()).nft
    firewall.load(replace(table, text="table inet v6native { chain c { no such expression } }"))
    assert "ct state new" in run(["nft", "list", "table", "inet", "v6native"])
    assert firewall.digests() == {"v6native": table.digest}


def test_missing_tools_are_named_before_and_while_they_are_needed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = desired(machine.config, "edge1", machine.host.facts())
    monkeypatch.setenv("PATH", "/nowhere")
    assert "apt-get install nftables" in machine.host.observe(wanted).missing["nft"]
    assert machine.host.facts().interface("eth0") is not None
    with pytest.raises(ApplyFailed, match=r"apt-get install (nftables|wireguard)"):
        bring(machine.host, wanted)
    monkeypatch.undo()
    bring(machine.host, wanted)
    assert diff(wanted, machine.host.observe(wanted)) == ()
