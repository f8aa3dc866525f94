# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`v6native explain` on twins: the question, the printed steps, the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

from tests.unit.daemon.rig import FILE, FakeDoors
from v6native.cli.app import App
from v6native.cli.main import cli
from v6native.daemon.host import HostNode
from v6native.dataplane.door import Reason
from v6native.dataplane.look import Fate, Look
from v6native.desired.state import RouteFound, Way
from v6native.explain.question import parse
from v6native.paths import Paths

PHONE, SERVER6 = "2001:db8:64:1::5", "2001:db8:64:64::c633:6450"
ASK = ("--from", PHONE, "--to", "2001:db8:64:64::198.51.100.80", "--dport", "443")
MADE = parse({"from": "192.0.2.1", "to": "198.51.100.80", "dport": 443}, ()).packet


@pytest.fixture
def doors() -> FakeDoors:
    it = FakeDoors(
        routes={
            PHONE: RouteFound(Way.UNICAST, "lan0", None, 254, 1500),
            SERVER6: RouteFound(Way.UNICAST, "nat64", None, 254, 1520),
            "198.51.100.80": RouteFound(Way.UNICAST, "eth0", None, 254, 1500),
        }
    )
    done = Reason("TRANSLATED_6TO4", "DONE", "translated from IPv6 to IPv4")
    it.machine.dataplane.looks["nat64"] = Look(Fate.STACK, done, MADE, 0, 0)
    return it


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "network.toml").write_text(FILE)
    return tmp_path


def run(folder: Path, doors: FakeDoors, *words: str) -> Result:
    paths = Paths(folder / "etc", folder / "run", folder / "var", folder / "bpffs")
    app = App(paths, None, lambda _paths, name: HostNode(paths, name, doors))
    return CliRunner().invoke(cli, ["explain", *words], obj=app)


def test_the_steps_and_the_packet(folder: Path, doors: FakeDoors) -> None:
    result = run(folder, doors, *ASK)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == [
        "packet",
        f"[{PHONE}]:50000",
        "→",
        f"[{SERVER6}]:443",
        "TCP",
        "S,",
        "60",
        "bytes,",
        "hop",
        "limit",
        "64",
    ]
    assert "TRANSLATED: it leaves on eth0, translated" in lines
    assert lines[-3].startswith("4500 0028")


def test_a_refusal_is_exit_status_1_and_has_its_remedy(folder: Path, doors: FakeDoors) -> None:
    refused = Reason("TABLE_FULL", "ANSWERED", "the session table is full")
    doors.machine.dataplane.looks["nat64"] = Look(Fate.DROP, refused, b"", 0, 0)
    result = run(folder, doors, *ASK)
    assert result.exit_code == 1
    assert "! refusal      the session table is full (TABLE_FULL)" in result.stdout
    assert "-> raise `nat64.sessions`" in result.stdout
    document = json.loads(run(folder, doors, *ASK, "--json").stdout)
    assert (document["verdict"], document["reason"]) == ("dropped", "TABLE_FULL")


def test_a_packet_of_a_capture(folder: Path, doors: FakeDoors) -> None:
    packet = IPv6(src=PHONE, dst=SERVER6) / UDP(sport=7, dport=8)
    wrpcap(str(folder / "it.pcap"), [Ether() / packet])
    result = run(folder, doors, "--pcap", str(folder / "it.pcap"))
    assert result.exit_code == 0 and f"[{PHONE}]:7 → [{SERVER6}]:8 UDP" in result.stdout
    data = (folder / "it.pcap").read_bytes()
    (folder / "cut.pcap").write_bytes(data[:32] + (len(data) - 44).to_bytes(4, "little") + data[36:-4])
    result = run(folder, doors, "--pcap", str(folder / "cut.pcap"))
    assert "was cut when it was captured: 4 bytes" in result.stdout


def test_what_is_wrong_is_told_before_anything_is_looked_at(folder: Path, doors: FakeDoors) -> None:
    assert run(folder, doors, "--number", "2").exit_code == 2
    assert run(folder, doors, "--pcap", str(folder / "none.pcap")).exit_code == 2
    (folder / "text").write_text("hello")
    result = run(folder, doors, "--pcap", str(folder / "text"))
    assert result.exit_code == 1 and "neither pcap nor pcapng" in result.stderr
    result = run(folder, doors, "--from", PHONE, "--to", SERVER6)
    assert result.exit_code == 1 and "dport is missing" in result.stderr
    result = run(folder, doors, "--from", PHONE, "--to", SERVER6, "--json")
    assert json.loads(result.stdout)["error"]["code"] == "bad_packet"
