# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""DNS64 and a tunnel under the daemon: they outlive it, follow the file, and end with `down`."""

from __future__ import annotations

import os
import secrets
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.daemon.machine import FILE, Machine, until

pytestmark = pytest.mark.root
LAN = "2001:db8:64:1::1"
WKP_NAME = "2001:db8:64:64::c000:aa"


@dataclass(frozen=True, slots=True)
class Served:
    machine: Machine
    tunnel: str

    def answer(self, server: str = LAN) -> str:
        return self.machine.run(
            "dig", "+short", "+time=1", "+tries=1", f"@{server}", "ipv4only.arpa", "AAAA", check=False
        ).stdout

    def answers(self, server: str = LAN) -> bool:
        return WKP_NAME in self.answer(server)

    def tunnel_process(self) -> int | None:
        file = self.machine.folder / "run" / f"wireguard-wg-{self.tunnel}.pid"
        return int(file.read_text().split()[0]) if file.exists() else None


@pytest.fixture
def served(machine: Machine) -> Served:
    """The tunnel's name is this test's own: it names an interface and wireguard-go's socket."""
    tunnel = f"t{secrets.token_hex(3)}"
    text = FILE.replace("enabled = false", 'upstream = ["2001:db8:1::53"]')
    machine.network_toml.write_text(
        f"""{text}
[tunnel.{tunnel}]
listen = 51820
prefix = "2001:db8:64:a::/64"
clat4 = "100.64.0.0/16"

[client.laptop]
tunnel = "{tunnel}"
public_key = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
address6 = "2001:db8:64:a::2"
address4 = "100.64.0.2"
"""
    )
    return Served(machine, tunnel)


def test_names_and_tunnel_outlive_the_daemon(served: Served) -> None:
    machine = served.machine
    before = machine.picture()
    daemon = machine.up()
    assert served.answers(), "it is ready, and names are not answered"
    until(lambda: served.answers("2001:db8:64:a::1"), what="an answer inside the tunnel")
    dns64, tunnel = machine.worker("dns64"), served.tunnel_process()
    daemon.kill()
    daemon.wait()
    assert served.answers()
    assert WKP_NAME in served.answer("2001:db8:64:a::1")
    machine.up()
    assert (machine.worker("dns64"), served.tunnel_process()) == (dns64, tunnel)
    (status,) = machine.ask("status")["node"]["tunnels"]
    assert status["present"] and status["peers"][0]["client"] == "laptop"
    assert machine.v6native("down").returncode == 0
    assert machine.picture() == before
    assert served.tunnel_process() is None


def test_a_killed_dns64_answers_again_within_a_second(served: Served) -> None:
    served.machine.up()
    until(served.answers, what="an answer")
    dns64 = served.machine.worker("dns64")
    assert dns64 is not None
    os.kill(dns64, signal.SIGKILL)
    until(lambda: served.machine.worker("dns64") not in (None, dns64) and served.answers(), 2.5, "an answer")


def test_a_reload_tells_the_dns64(served: Served) -> None:
    machine = served.machine
    machine.up()
    until(served.answers, what="an answer")
    dns64 = machine.worker("dns64")
    machine.network_toml.write_text(machine.network_toml.read_text().replace("64:64::/96", "64:65::/96"))
    assert machine.v6native("reload").returncode == 0
    until(lambda: "2001:db8:64:65::c000:aa" in served.answer(), what="the new pref64")
    assert machine.worker("dns64") == dns64


def test_secrets_are_nobody_elses(served: Served) -> None:
    served.machine.up()
    folder = served.machine.folder / "etc" / "secrets"
    keys = list(folder.iterdir())
    assert keys and all(key.stat().st_mode & 0o077 == 0 for key in [folder, *keys])
    key = keys[0].read_bytes().strip()
    told = [
        served.machine.log().encode(),
        served.machine.v6native("status", "--json").stdout.encode(),
        served.machine.v6native("plan").stdout.encode(),
    ]
    applied = [file.read_bytes() for file in Path(served.machine.folder / "var").rglob("*") if file.is_file()]
    assert not any(key in text for text in told + applied)
