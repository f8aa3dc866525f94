# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The slow path's worker on a real TAP: alone, and in the circle translator → worker → translator."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.inet6 import IPv6

from tests.packets.harness import PHONE, PREF64, SERVER
from tests.system.dataplane.bpffs import private_netns
from tests.system.dataplane.conftest import Open
from tests.system.dataplane.flows import CONFIG, nat64, send, syn4, syn6, udp6
from tests.unit.slowpath.packets import ETHERNET4, ETHERNET6, fragments4, fragments6, whole4, whole6
from v6native.address import embed
from v6native.config.model import Timeouts
from v6native.packet import ICMPV6, IcmpHeader, IPv6Packet, checksum, pseudo_header
from v6native.paths import Paths

ROOT = Path(__file__).parents[3]
TAP = "v6n-slow"


@contextlib.contextmanager
def started(run: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "v6native.slowpath", "--tap", TAP, "--run", str(run), *more]
    environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": os.environ["PATH"]}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True) as it:
        try:
            yield it
        finally:
            it.kill()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come to be within 10 s"
        time.sleep(0.02)


def stats(run: Path) -> dict[str, int]:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(5)
        asking.connect(str(run / "slowpath.sock"))
        with asking.makefile() as answer:
            document: dict[str, int] = json.load(answer)
            return document


@pytest.fixture
def tap() -> Iterator[None]:
    """IPv6 is off: nothing but the test's own frames is on it."""
    with private_netns(f"tuntap add {TAP} mode tap", f"link set {TAP} addrgenmode none", f"link set {TAP} up"):
        yield


@pytest.fixture
def wire(tap: None) -> Iterator[socket.socket]:
    """What the kernel would send to the TAP, and what it receives from it."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003)) as raw:
        raw.bind((TAP, 0x0003))
        raw.settimeout(5)
        yield raw


def received(wire: socket.socket) -> bytes:
    """The next frame that came in from the worker, not one that the test itself sent."""
    while True:
        frame, (_interface, _protocol, kind, *_) = wire.recvfrom(70000)
        if kind != socket.PACKET_OUTGOING:
            return frame


def test_fragments_in_and_the_whole_out(wire: socket.socket, tmp_path: Path) -> None:
    with started(tmp_path) as worker:
        until((tmp_path / "slowpath.pid").exists)
        assert int((tmp_path / "slowpath.pid").read_text()) == worker.pid
        data = bytes(range(256)) * 100
        for piece in fragments4(whole4(data), [1480] * 40)[::-1]:
            wire.send(ETHERNET4 + piece)
        assert received(wire) == ETHERNET4 + whole4(data).to_bytes()
        up = ETHERNET6[:5] + b"\0" + ETHERNET6[6:]
        wire.send(ETHERNET6 + fragments6(whole6(data), [1232] * 40)[0])
        wire.send(up + whole6(bytes(1300)).to_bytes())
        assert [len(received(wire)) for _ in range(2)] == [14 + 1280, 14 + 40 + 8 + 1300 - 1232]
        told = stats(tmp_path)
        assert (told["reassembled"], told["cut"], told["sent"], told["datagrams_held"]) == (1, 1, 3, 1)


def test_it_ends_on_sigterm_and_not_on_sighup(tap: None, tmp_path: Path) -> None:
    with started(tmp_path) as worker:
        until((tmp_path / "slowpath.pid").exists)
        worker.send_signal(signal.SIGHUP)
        assert stats(tmp_path)["worker"] == "slowpath"  # type: ignore[comparison-overlap]
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
        assert list(tmp_path.iterdir()) == []


def test_a_second_one_is_refused_and_a_successor_is_not(tap: None, tmp_path: Path) -> None:
    with started(tmp_path) as first:
        until((tmp_path / "slowpath.pid").exists)
        with started(tmp_path) as second:
            _out, said = second.communicate(timeout=10)
            assert second.returncode == 1
            assert said == f"slowpath: another process has {TAP} open: the slow path runs already\n"
        assert int((tmp_path / "slowpath.pid").read_text()) == first.pid
        first.kill()
        first.wait(10)
    with started(tmp_path) as third:
        until(lambda: (tmp_path / "slowpath.pid").read_text().strip() == str(third.pid))
        assert stats(tmp_path)["datagrams_held"] == 0


def test_without_the_interface(tmp_path: Path) -> None:
    with private_netns(), started(tmp_path) as worker:
        _out, said = worker.communicate(timeout=10)
        assert worker.returncode == 1
        assert said.startswith(f"slowpath: there is no interface {TAP}") and "Traceback" not in said


def echo6(data: bytes) -> IPv6Packet:
    destination = embed(PREF64, SERVER)
    header = IcmpHeader(128, 0, 0, 0x12340001)
    check = checksum(pseudo_header(PHONE, destination, ICMPV6, 8 + len(data)) + header.to_bytes() + data)
    return IPv6Packet(PHONE, destination, ICMPV6, replace(header, checksum=check).to_bytes() + data)


def test_the_circle(open_plane: Open, tmp_path: Path) -> None:
    """A fragmented ping goes from the NAT64 to the worker and back, and on into the IPv4 internet."""
    for interface in ("nat64", "nat64-x", TAP):
        subprocess.run(["ip", "link", "set", interface, "addrgenmode", "none"], check=True, timeout=10)
        subprocess.run(["ip", "link", "set", interface, "mtu", "9000", "up"], check=True, timeout=10)
    plane = open_plane()
    plane.configure(CONFIG)
    plane.attach("nat64-x", "nat64")
    plane.attach(TAP, "slow_in")
    with started(tmp_path), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        until((tmp_path / "slowpath.pid").exists)
        raw.bind(("nat64", 0))
        for piece in fragments6(echo6(bytes(range(256)) * 12), [1232, 1232]):
            raw.send(bytes.fromhex("02640000000102640000006486dd") + piece)
        until(lambda: plane.counters()["TRANSLATED_6TO4"] == 1)
        counted = {name: count for name, count in plane.counters().items() if count}
        assert counted == {"SLOW_FRAGMENTED_ICMP": 3, "CAME_REASSEMBLED": 1, "TRANSLATED_6TO4": 1}
        assert stats(tmp_path)["reassembled"] == 1
        assert [s.remote4 for s in plane.sessions()] == [SERVER]


def test_what_bpf_cannot_originate(open_plane: Open, tmp_path: Path, paths: Paths) -> None:
    """A SYN that nobody came for, and a session whose TCP_EST expired: the worker sends what the translator tells."""
    subprocess.run(["ip", "link", "set", TAP, "up"], check=True, timeout=10)
    plane = open_plane()
    timeout = Timeouts(tcp_est=1, tcp_trans=1, tcp_incoming_syn=1)
    plane.configure(nat64(timeout=timeout))
    with (
        started(tmp_path, "--pins", str(paths.pins("test"))),
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as seen,
    ):
        until((tmp_path / "slowpath.pid").exists)
        seen.bind((TAP, 0))
        seen.settimeout(10)
        assert send(plane, syn4(5000)) == "SYN_STORED"
        assert send(plane, syn6(7000)) == "TRANSLATED_6TO4"
        assert send(plane, syn4(next(plane.bib()).port4)) == "TRANSLATED_4TO6"
        got = {}
        while len(got) < 2:
            frame = seen.recv(2048)
            if frame[:6] == bytes.fromhex("026400000000"):
                got[frame[12:14]] = frame[14:]
        unreachable, probe = IP(got[b"\x08\x00"]), IPv6(got[b"\x86\xdd"])
        assert (unreachable.dst, unreachable[ICMP].type, unreachable[ICMP].code) == (str(SERVER), 3, 3)
        assert (probe.dst, probe[TCP].dport, probe[TCP].flags) == (str(PHONE), 7000, "A")
        until(lambda: stats(tmp_path)["originated"] == 2)
        assert plane.counters()["SLOW_EVENT_LOST"] == 0


def test_nobody_waits_for_a_slow_path_that_is_away(open_plane: Open) -> None:
    """The ring is full some time: what finds no room is counted, and translation goes on."""
    plane = open_plane()
    plane.configure(nat64(timeout=Timeouts(tcp_incoming_syn=1)))
    for port in range(1024, 1024 + 600):
        send(plane, syn4(port))
    until(lambda: plane.counters()["SLOW_EVENT_LOST"] > 0)
    assert send(plane, udp6(5000)) == "TRANSLATED_6TO4"
