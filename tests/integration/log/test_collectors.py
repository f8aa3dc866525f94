# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Collectors that others wrote understand what they are sent: rsyslog, nfcapd, and ipfixDump for a TCP stream."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import select
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from tests.unit.log.notices import created, deleted, given_back, taken
from v6native.config.model import Collector, Transport
from v6native.log.collector import Sender, sender
from v6native.log.language import Ipfix, Syslog

LOOPBACK = IPv4Address("127.0.0.1")
TOLD = [taken(), given_back(1), created(), deleted()]
RSYSLOG = """
global(workDirectory="{folder}" maxMessageSize="8k")
module(load="im{transport}")
template(name="fields" type="list") {{
  property(name="msgid") constant(value="|")
  property(name="hostname") constant(value="|")
  property(name="app-name") constant(value="|")
  property(name="procid") constant(value="|")
  property(name="syslogfacility-text") constant(value=".")
  property(name="syslogseverity-text") constant(value="|")
  property(name="timestamp" dateFormat="rfc3339") constant(value="|")
  property(name="structured-data") constant(value="|")
  property(name="msg") constant(value="\\n")
}}
input(type="im{transport}" address="127.0.0.1" port="{port}")
action(type="omfile" file="{folder}/heard" template="fields")
"""


def until(condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"it did not come to be within {seconds:.0f} s"
        time.sleep(0.02)
    return found


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((str(LOOPBACK), 0))
        return int(probe.getsockname()[1])


def listens(port: int, kind: int) -> bool:
    """Whether a process has bound the port, as /proc/net tells."""
    table = "udp" if kind == socket.SOCK_DGRAM else "tcp"
    return f"0100007F:{port:04X} 00000000:0000" in Path(f"/proc/net/{table}").read_text()


def drained(port: int) -> bool:
    """Whether a process has read all that came to its UDP port."""
    (line,) = [line for line in Path("/proc/net/udp").read_text().splitlines() if f" 0100007F:{port:04X} " in line]
    return line.split()[4].endswith(":00000000")


@contextlib.contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as it:
        try:
            yield it
        finally:
            it.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                it.wait(10)
            if it.poll() is None:
                it.kill()


def send_all(each: Sender, wall: int) -> None:
    """All of TOLD, in two parts."""
    clock = itertools.count()
    each.offer(TOLD[:2], next(clock), wall)
    each.offer(TOLD[2:], next(clock), wall)
    while each.tally.sent + each.tally.lost < len(TOLD):
        poll = select.poll()
        if (found := each.interest()) is not None:
            poll.register(*found)
        poll.poll(100)
        each.step(next(clock), wall)
    assert (each.tally.sent, each.tally.trouble) == (len(TOLD), None)


@pytest.mark.parametrize("transport", list(Transport))
def test_rsyslog(tmp_path: Path, transport: Transport) -> None:
    kind = socket.SOCK_DGRAM if transport is Transport.UDP else socket.SOCK_STREAM
    port = free_port(kind)
    (tmp_path / "conf").write_text(RSYSLOG.format(folder=tmp_path, transport=transport, port=port))
    heard = tmp_path / "heard"
    with running("rsyslogd", "-n", "-f", str(tmp_path / "conf"), "-i", str(tmp_path / "pid")):
        until(lambda: listens(port, kind))
        each = sender(Collector(transport, LOOPBACK, port), lambda: Syslog("edge1", 77, transport is Transport.TCP))
        send_all(each, int(time.time()))
        until(lambda: heard.exists() and heard.read_text().count("\n") == len(TOLD))
        each.close()
    rows = [line.split("|") for line in heard.read_text().splitlines()]
    assert [row[0] for row in rows] == ["BLOCK-TAKEN", "BLOCK-GIVEN-BACK", "BIB-CREATED", "BIB-DELETED"]
    for _msgid, host, app, pid, priority, stamp, data, _text in rows:
        assert (host, app, pid, priority) == ("edge1", "v6native", "77", "local0.info")
        assert stamp == "2026-11-20T18:04:05.250Z" and data.startswith("[holding@32473 ")
    values = dict(re.findall(r'(\w+)="([^"]*)"', rows[0][6]))
    assert values == {
        "client": "2001:db8:64:a::2/128", "name": "laptop", "address": "192.0.2.1", "first": "1024", "last": "1087",
        "proto": "all", "since": "2026-11-20T18:04:05.250Z",
    }  # fmt: skip
    assert rows[3][7].strip() == "192.0.2.1:7/icmp given back by 2001:db8:64:1::5/128"


def test_nfcapd_over_udp(tmp_path: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    with running("nfcapd", "-w", str(tmp_path), "-p", str(port), "-b", str(LOOPBACK), "-t", "3600"):
        until(lambda: listens(port, socket.SOCK_DGRAM))
        each = sender(Collector(Transport.UDP, LOOPBACK, port), Ipfix)
        send_all(each, int(time.time()))
        each.close()
        until(lambda: drained(port))
    (file,) = until(lambda: list(tmp_path.glob("nfcapd.2*")))
    shown = subprocess.run(["nfdump", "-r", file, "-o", "json"], capture_output=True, text=True, check=True, timeout=20)
    flows = json.loads(shown.stdout)
    assert [flow["nat_event"] for flow in flows] == [
        "Port block allocation", "Port block de-allocation", "NAT64 BIB create", "NAT64 BIB delete",
    ]  # fmt: skip
    assert {flow["src4_xlt_ip"] for flow in flows} == {"192.0.2.1"}
    assert {flow["t_event"] for flow in flows} == {"2026-11-20T18:04:05.250"}
    assert [flow["src6_addr"] for flow in flows] == [
        "2001:db8:64:a::2", "2001:db8:64:1::", "2001:db8:64:a::2", "2001:db8:64:1::5",
    ]  # fmt: skip
    assert [flow["src_mask"] for flow in flows[:2]] == [128, 64]
    assert [int(flows[2][key]) for key in ("proto", "src_port", "src_xlt_port")] == [17, 4000, 40000]


def test_a_tcp_stream_is_an_ipfix_file(tmp_path: Path) -> None:
    """RFC 5655 §4: what goes over TCP is what a file has, so that its tools read it."""
    port = free_port(socket.SOCK_STREAM)
    stream = tmp_path / "stream.ipfix"
    with running("socat", "-u", f"TCP-LISTEN:{port},bind={LOOPBACK},reuseaddr", f"CREATE:{stream}") as collector:
        until(lambda: listens(port, socket.SOCK_STREAM))
        each = sender(Collector(Transport.TCP, LOOPBACK, port), Ipfix)
        send_all(each, int(time.time()))
        each.close()
        collector.wait(10)
    shown = subprocess.run(["ipfixDump", "-i", stream], capture_output=True, text=True, check=True, timeout=20).stdout
    assert "4 Data Records, 2 Template Records" in shown
    assert re.findall(r"natEvent : (\d+)", shown) == ["16", "17", "10", "11"]
    assert re.findall(r"portRange(\w+) : (\d+)", shown) == [
        ("Start", "1024"), ("End", "1087"), ("Start", "1088"), ("End", "1151"),
    ]  # fmt: skip
    assert re.findall(r"sourceIPv6PrefixLength : (\d+)", shown) == ["128", "64"]
    assert re.findall(r"\(227\) +postNAPTSourceTransportPort : (\d+)", shown) == ["40000", "7"]
    assert "undecoded" not in shown.lower()
