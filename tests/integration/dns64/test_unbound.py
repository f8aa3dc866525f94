# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Real `dig` asks the worker, and the worker asks a real unbound with records of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network
from pathlib import Path

import pytest

from tests.integration.dns64.scripted import LOOPBACK, eventually, free_port
from tests.integration.dns64.test_process import worker
from v6native.dns64.settings import Dns64Settings, Listen, Pref64, UpstreamServer

CONF = """
server:
  interface: {address}@{port}
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  module-config: "iterator"
  local-zone: "100.51.198.in-addr.arpa." static
  local-data-ptr: "198.51.100.80 v4only.example"
remote-control:
  control-enable: no
auth-zone:
  name: "example."
  zonefile: "{folder}/example.zone"
  for-upstream: no
"""
ZONE = """
$ORIGIN example.
$TTL 1000
@ SOA ns root 1 7200 900 86400 300
@ NS ns
ns A 198.51.100.53
v4only A 198.51.100.80
dual A 198.51.100.81
dual AAAA 2001:db8:80::80
mapped A 198.51.100.82
mapped AAAA ::ffff:198.51.100.82
alias CNAME v4only
old DNAME new
www.new A 198.51.100.83
mail MX 10 v4only
""" + "\n".join(f"many A 198.51.100.{i}" for i in range(1, 201))


@contextmanager
def unbound(folder: Path, more: str = "") -> Iterator[int]:
    """Runs one on loopback; gives its port. `more`: what else its configuration has."""
    port = free_port()
    conf = folder / "unbound.conf"
    conf.write_text(CONF.format(address=LOOPBACK, port=port, folder=folder) + more)
    (folder / "example.zone").write_text(ZONE)
    with (folder / "unbound.log").open("wb") as log:
        process = subprocess.Popen(["unbound", "-d", "-c", str(conf)], stderr=log, stdin=subprocess.DEVNULL)
    try:
        eventually(
            lambda: "198" in dig(LOOPBACK, port, "+tries=1", "+time=1", "v4only.example", "A"), "unbound answers"
        )
        yield port
    finally:
        process.terminate()
        process.wait(10)


def dig(server: str, port: int, *arguments: str) -> str:
    command = ["dig", f"@{server}", "-p", str(port), "+short", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout.strip()


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    folder = tmp_path_factory.mktemp("dns64")
    port = free_port()
    with unbound(folder) as behind:
        settings = Dns64Settings(
            listen=(Listen(IPv4Address(LOOPBACK), port), Listen(IPv6Address("::1"), port)),
            upstreams=(UpstreamServer(IPv4Address(LOOPBACK), behind),),
            pref64=(Pref64(IPv6Network("2001:db8:64:64::/96")),),
            allow=(ip_network("127.0.0.0/8"), ip_network("::1/128")),
        )
        (folder / "dns64.json").write_text(settings.to_json())
        with worker(folder):
            yield lambda *arguments: dig("::1", port, *arguments)


CASES = [
    (("v4only.example", "AAAA"), "2001:db8:64:64::c633:6450"),
    (("+tcp", "v4only.example", "AAAA"), "2001:db8:64:64::c633:6450"),
    (("+dnssec", "v4only.example", "AAAA"), "2001:db8:64:64::c633:6450"),
    (("+dnssec", "+cd", "v4only.example", "AAAA"), ""),
    (("v4only.example", "A"), "198.51.100.80"),
    (("dual.example", "AAAA"), "2001:db8:80::80"),
    (("mapped.example", "AAAA"), "2001:db8:64:64::c633:6452"),
    (("alias.example", "AAAA"), "v4only.example.\n2001:db8:64:64::c633:6450"),
    (("www.old.example", "AAAA"), "new.example.\nwww.new.example.\n2001:db8:64:64::c633:6453"),
    (("mail.example", "MX"), "10 v4only.example."),
    (("-x", "2001:db8:64:64::c633:6450"), "v4only.example."),
    (("-x", "64:ff9b::c633:6450"), "v4only.example."),
    (("ipv4only.arpa", "A"), "192.0.0.170\n192.0.0.171"),
    (("ipv4only.arpa", "AAAA"), "2001:db8:64:64::c000:aa\n2001:db8:64:64::c000:ab"),
    (("-x", "2001:db8:64:64::c000:aa"), "ipv4only.arpa."),
]


@pytest.mark.parametrize(("arguments", "expected"), CASES, ids=[" ".join(arguments) for arguments, _ in CASES])
def test_dig(ask: object, arguments: tuple[str, ...], expected: str) -> None:
    assert callable(ask)
    # Twice: from upstream, then from what is known.
    for _ in range(2):
        assert ask(*arguments) == expected


def test_dig_fetches_two_hundred_addresses_over_tcp_by_itself(ask: object) -> None:
    assert callable(ask)
    assert len(ask("many.example", "AAAA").splitlines()) == 200
