# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Zones on an authoritative server (NSD), signed when the test runs (dnssec-signzone), and broken on purpose after that."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dns.message
import dns.query
import dns.rcode

from tests.integration.dns64.scripted import DEADLINE, eventually

NSD = """
server:
  ip-address: {address}@{port}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  zonelistfile: "{folder}/zone.list"
  server-count: 1
  rrl-ratelimit: 0
  minimal-responses: no
remote-control:
  control-enable: no
"""
HEAD = """$ORIGIN {zone}
$TTL 1000
@ 300 SOA ns.example. root.example. 1 7200 900 86400 60
@ NS ns.example.
"""


def sign(folder: Path, zone: str, text: str, start: str = "-3600", end: str = "+864000") -> tuple[str, str]:
    """The signed zone, one record a line, and its DS records as a trust anchor. `start`, `end`: seconds from now."""
    folder.mkdir(parents=True)
    (folder / "plain").write_text(text)
    keygen = ["dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", "-K", str(folder), zone]
    subprocess.run(keygen, check=True, capture_output=True, timeout=DEADLINE)
    command = [
        "dnssec-signzone", "-q", "-P", "-S", "-z", "-O", "full", "-K", str(folder), "-d", str(folder), "-o", zone,
        "-s", f"now{start}", "-e", f"now{end}", "-f", str(folder / "signed"), str(folder / "plain"),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=DEADLINE)
    (anchor,) = folder.glob("dsset-*")
    return (folder / "signed").read_text(), anchor.read_text()


def replaced(zone: str, owner: str, kind: str, old: str, new: str) -> str:
    """The zone with `old` replaced in the owner's record of that kind (`RRSIG NSEC` is a kind too); the record gone where
    `new` is empty."""
    pattern = re.compile(rf"^{re.escape(owner)}\s+\d+\s+IN\s+{_spaced(kind)}\s.*$", re.MULTILINE)
    found = pattern.findall(zone)
    assert found and all(old in line for line in found), f"{owner} {kind}: {found}"
    return pattern.sub(lambda line: line[0].replace(old, new) if new else "", zone)


def _spaced(kind: str) -> str:
    return r"\s+".join(kind.split())


def unsigned(zone: str, owner: str, kind: str) -> str:
    """The zone with a signature over the owner's records of that kind that does not fit."""
    pattern = re.compile(rf"^({re.escape(owner)}\s+\d+\s+IN\s+RRSIG\s+{kind}\s.*\s)(\S+)$", re.MULTILINE)
    made, count = pattern.subn(lambda line: line[1] + ("B" if line[2][0] != "B" else "C") + line[2][1:], zone)
    assert count == 1, f"{owner} {kind}: {count} signatures"
    return made


@contextmanager
def nsd(folder: Path, address: str, port: int, zones: Mapping[str, str | None]) -> Iterator[None]:
    """Serves the zones, name with final dot to master file; None: configured, but there is no file (SERVFAIL)."""
    folder.mkdir(parents=True, exist_ok=True)
    conf = NSD.format(address=address, port=port, folder=folder)
    for number, (zone, text) in enumerate(zones.items()):
        conf += f'zone:\n  name: "{zone}"\n  zonefile: "{number}.zone"\n'
        if text is not None:
            (folder / f"{number}.zone").write_text(text)
    (folder / "nsd.conf").write_text(conf)
    with running(folder, "nsd", "-d", "-c", str(folder / "nsd.conf")):
        wait_for(address, port, next(iter(zones)), "SOA")
        yield


@contextmanager
def running(folder: Path, program: str, *arguments: str) -> Iterator[None]:
    """A server in the foreground, with its log in the folder. It is a copy: AppArmor's profiles go by the path of a program,
    and let those of the packages see only the system's folders."""
    folder.mkdir(parents=True, exist_ok=True)
    found = shutil.which(program, path="/usr/sbin:/usr/bin")
    assert found, f"{program} is not installed; run `sudo make setup`."
    copy = folder / f"{program}-copy"
    shutil.copy(found, copy)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(copy), *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=folder
        )
    try:
        yield
        assert process.poll() is None, f"{program} has ended:\n{(folder / 'log').read_text()[-3000:]}"
    finally:
        process.terminate()
        try:
            process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(DEADLINE)


def wait_for(address: str, port: int, name: str, kind: str) -> None:
    """Until a server answers without an error."""

    def answers() -> bool:
        try:
            answer = dns.query.udp(dns.message.make_query(name, kind), address, 0.5, port)
        except (dns.exception.Timeout, OSError):
            return False
        return answer.rcode() == dns.rcode.NOERROR

    eventually(answers, f"{address} port {port} answers {name} {kind}")
