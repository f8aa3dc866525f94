# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the kernel really tells of things that could want to see packets, and what of it is ours."""

from __future__ import annotations

import ctypes
import socket
import struct
import subprocess
from collections.abc import Iterator

import pytest

from tests.system.dataplane.bpffs import private_netns
from v6native.fastpath.facts import ETHERNET, NO_HEADER, Device
from v6native.system import legacy_tables
from v6native.system.foreign import read_foreign

pytestmark = pytest.mark.root


@pytest.fixture(autouse=True)
def interfaces() -> Iterator[None]:
    with private_netns(
        "link add lan0 type veth peer name far0",
        "link add eth0 type veth peer name far1",
        "link add br0 type bridge",
        "link set lan0 master br0",
        "tuntap add tun0 mode tun",
        "link set eth0 up",
        "link set br0 up",
    ):
        yield


def run(*argv: str, stdin: str | None = None) -> None:
    subprocess.run(argv, check=True, timeout=10, input=stdin, text=True, capture_output=True)


def test_a_fresh_machine_wants_nothing() -> None:
    found = read_foreign(["br0", "eth0", "gone0"])
    assert found.devices == {"br0": Device(ETHERNET, ports=("lan0",)), "eth0": Device(ETHERNET)}
    assert not found.chains and not any(found.filters.values())
    assert (found.rules, found.policies, found.tables, found.unread) == ((), (), (), ())


def test_links() -> None:
    found = read_foreign(["tun0", "lan0"])
    assert found.devices == {"tun0": Device(NO_HEADER), "lan0": Device(ETHERNET, master="br0")}


def test_a_port_that_keeps_lists() -> None:
    run("ethtool", "-K", "lan0", "rx-gro-list", "on")
    assert read_foreign(["br0"]).devices["br0"].merging == ("lan0",)


def test_filters_at_both_sides_and_on_ports() -> None:
    match = ("protocol", "ip", "u32", "match", "u32", "0", "0", "flowid", "1:1")
    run("tc", "qdisc", "add", "dev", "eth0", "clsact")
    run("tc", "filter", "add", "dev", "eth0", "egress", "pref", "7", *match)
    run("tc", "qdisc", "add", "dev", "lan0", "ingress")
    run("tc", "filter", "add", "dev", "lan0", "parent", "ffff:", "pref", "64", *match)
    found = read_foreign(["br0", "eth0"])
    assert set(found.filters["eth0"]) == {"egress pref 7 u32"}
    assert "ingress pref 64 u32" in found.filters["lan0"]
    assert found.filters["br0"] == ()


def test_queues() -> None:
    run("tc", "qdisc", "add", "dev", "eth0", "root", "handle", "1:", "htb")
    assert read_foreign(["eth0"]).qdiscs["eth0"] == ("htb",)


def test_rules_policies_and_chains() -> None:
    run("ip", "rule", "add", "from", "192.0.2.0/24", "lookup", "77")
    run("ip", "-6", "rule", "add", "iif", "br0", "lookup", "77")
    run("ip", "xfrm", "policy", "add", "src", "192.0.2.0/24", "dst", "198.51.100.0/24", "dir", "fwd")
    run("nft", "-f", "-", stdin="table ip f {\n chain c {\n type filter hook forward priority 0; policy drop;\n }\n}\n")
    found = read_foreign(["eth0"])
    assert [rule.partition(" lookup")[2].strip() for rule in found.rules] == ["77", "77"]
    assert found.policies == ("1 FWD policies",)
    assert [(chain.where, chain.hook, chain.drops) for chain in found.chains] == [
        ("table ip f chain c", "forward", True)
    ]


@pytest.mark.parametrize("family", legacy_tables._FAMILIES, ids=lambda f: f.command)
def test_legacy_tables(family: legacy_tables._Family) -> None:
    """A table that somebody only looked at wants nothing; a policy that drops does."""
    with socket.socket(family.family, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        name = b"filter".ljust(32, b"\0")
        info = legacy_tables._ask(sock, family, 64, name.ljust(legacy_tables._INFO.size, b"\0"))
        assert family.names.read_text().split() == ["filter"]
        assert read_foreign(["eth0"]).tables == ()
        _, valid, *offsets, count, size = legacy_tables._INFO.unpack(info)
        head = name + struct.pack("=I", size) + bytes(4)
        blob = bytearray(legacy_tables._ask(sock, family, 65, head + bytes(size))[len(head) :])
        (target,) = struct.unpack_from("=H", blob, offsets[5 + 2] + family.target_offset)
        struct.pack_into("=i", blob, offsets[5 + 2] + target + 32, -1)  # -NF_DROP - 1
        counters = ctypes.create_string_buffer(16 * count)
        replace = name + struct.pack("=III", valid, count, size) + struct.pack("=10I", *offsets)
        replace += struct.pack("=IQ", count, ctypes.addressof(counters)) + blob
        sock.setsockopt(family.level, 64, bytes(replace))
    assert read_foreign(["eth0"]).tables == (f"{family.command} table filter chain FORWARD drops by default",)
    assert legacy_tables.shape() == read_foreign(["eth0"]).tables
