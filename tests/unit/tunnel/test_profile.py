# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A client's profile: whole, and taken by the real wg-quick and wg."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from tests.unit.system.networks import FRIENDS, LAPTOP, TABLET
from v6native.tunnel.profile import Endpoint, endpoint, wg_quick

PRIVATE = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="
PUBLIC = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="

WHOLE = f"""\
[Interface]
PrivateKey = {PRIVATE}
Address = 2001:db8:64:a::2/128, 100.64.0.2/32
DNS = 2001:db8:64:a::1
MTU = 1420

[Peer]
PublicKey = {PUBLIC}
Endpoint = [2001:db8:64:ff::1]:51820
AllowedIPs = 0.0.0.0/0, ::/0
PersistentKeepalive = 25
"""


def test_the_whole_profile() -> None:
    at = Endpoint(IPv6Address("2001:db8:64:ff::1"), 51820)
    assert wg_quick(LAPTOP, FRIENDS, PUBLIC, at, PRIVATE) == WHOLE


def test_a_client_without_ipv4_routes_none_into_the_tunnel() -> None:
    text = wg_quick(TABLET, FRIENDS, PUBLIC, Endpoint("edge1.example", 51820), PRIVATE, dns=False)
    assert "AllowedIPs = ::/0\n" in text
    assert "0.0.0.0" not in text and "DNS" not in text


def test_wg_quick_itself_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "friends.conf"
    file.write_text(WHOLE)
    file.chmod(0o600)
    done = subprocess.run(["wg-quick", "strip", str(file)], capture_output=True, text=True, timeout=10, check=True)
    assert f"PublicKey = {PUBLIC}" in done.stdout
    assert "Address" not in done.stdout


def test_the_endpoint_is_the_files_else_the_uplinks() -> None:
    v4, v6 = IPv4Address("192.0.2.1"), IPv6Address("2001:db8::1")
    assert str(endpoint(replace(FRIENDS, endpoint="edge1.example"), v4, v6)) == "edge1.example:51820"
    assert str(endpoint(replace(FRIENDS, endpoint="[2001:db8::9]"), v4, v6)) == "[2001:db8::9]:51820"
    assert str(endpoint(FRIENDS, v4, v6)) == "192.0.2.1:51820"
    assert str(endpoint(FRIENDS, None, v6)) == "[2001:db8::1]:51820"
    assert endpoint(FRIENDS, None, None) is None
