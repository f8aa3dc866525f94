# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the log's worker is told, out of a file and a machine; and whether the translator tells anything at all."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from tests.unit.daemon.rig import FACTS, FILE
from v6native.config.load import load
from v6native.config.model import Collector, Proto, Transport
from v6native.desired import Desired, desired
from v6native.log.settings import FILE as SETTINGS
from v6native.log.settings import LogSettings, NamedClient, StaticHolding

TUNNEL = """
[tunnel.friends]
prefix = "2001:db8:64:a::/64"
clat4 = "100.64.0.0/24"

[client.laptop]
tunnel = "friends"
public_key = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw="
address6 = "2001:db8:64:a::2"
address4 = "100.64.0.2"

[client.gone]
tunnel = "friends"
public_key = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
address6 = "2001:db8:64:a::3"
enabled = false

[[nat64.static]]
proto = "tcp"
ipv4 = "uplink:80"
ipv6 = "[2001:db8:64:1::5]:8080"
"""


def wanted(folder: Path, more: str = "", text: str = FILE) -> Desired:
    (folder / "network.toml").write_text(text + more)
    return desired(load(folder / "network.toml", None), "edge1", FACTS)


def settings(of: Desired) -> LogSettings | None:
    (text,) = [file.text for file in of.files if file.name == SETTINGS] or (None,)
    return None if text is None else LogSettings.from_json(text)


def tells(of: Desired) -> bool:
    assert of.dataplane is not None and of.dataplane.nat64 is not None
    return of.dataplane.nat64.log


@pytest.mark.parametrize(
    ("more", "logged"),
    [
        ("", True),
        ("[log]\nenabled = false\n", False),
        ("[log]\nenabled = true\n", True),
    ],
)
def test_by_default_where_blocks_keep_it_small(tmp_path: Path, more: str, logged: bool) -> None:
    found = wanted(tmp_path, more)
    assert (settings(found) is not None, tells(found)) == (logged, logged)
    without = FILE.replace("[nat64]\n", "[nat64]\nport_block = 0\n")
    found = wanted(tmp_path, more, without)
    assert (settings(found) is not None, tells(found)) == ((logged and bool(more),) * 2)


def test_no_nat64_no_log(tmp_path: Path) -> None:
    found = wanted(tmp_path, "", FILE.replace('pool4 = ["uplink:40000-59999"]\n', ""))
    assert settings(found) is None


def test_all_that_it_says(tmp_path: Path) -> None:
    more = '[log]\nretention = "7d"\nsyslog = ["tcp://[2001:db8::9]"]\nipfix = ["udp://192.0.2.9:9995"]\n'
    told = settings(wanted(tmp_path, TUNNEL + more))
    assert told is not None
    assert (told.node, told.retention) == ("edge1", 7 * 86400)
    assert told.syslog == (Collector(Transport.TCP, IPv6Address("2001:db8::9"), 514),)
    assert told.ipfix == (Collector(Transport.UDP, IPv4Address("192.0.2.9"), 9995),)
    assert told.static == (
        StaticHolding(Proto.TCP, IPv4Address("192.0.2.1"), 80, IPv6Address("2001:db8:64:1::5"), 8080),
    )
    people = {(str(client.address), client.name, client.tunnel) for client in told.clients}
    assert people == {
        ("2001:db8:1::1", "edge1", None),
        ("2001:db8:64:1::1", "edge1", None),
        ("2001:db8:64:a::1", "edge1", None),
        ("2001:db8:64:a:64:0:6440:1", "edge1", None),
        ("2001:db8:64:a::2", "laptop", "friends"),
        ("2001:db8:64:a:64:0:6440:2", "laptop", "friends"),
    }


def test_the_file_is_read_as_it_was_written() -> None:
    told = LogSettings("edge1", 60, clients=(NamedClient(IPv6Address("::2"), "laptop", None),))
    assert LogSettings.from_json(told.to_json()) == told
    assert LogSettings.from_json(replace(told, retention=61).to_json()) != told
