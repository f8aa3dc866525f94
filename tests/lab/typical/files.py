# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""edge1's network.toml in the house, and where phone finds the server with it."""

from __future__ import annotations

from tests.lab.typical.site import OPEN4
from v6native.address import embed
from v6native.lab import topology as t


def house_toml(
    *, pref64: str = str(t.PREF64), lan: str = "br0", pool4: str = "uplink:40000-59999", own_ipv4: str = "auto"
) -> str:
    static4 = "uplink" if pool4.startswith("uplink") else pool4.partition(":")[0]
    return f"""\
[network]
name = "house"
prefix = ["{t.NETWORK6}"]
pref64 = "{pref64}"

[node.edge1]
uplink = "eth0"
lan = ["{lan}"]
pool4 = ["{pool4}"]
own_ipv4 = "{own_ipv4}"

[nat64]
allow_ipv4 = {OPEN4}

[[nat64.static]]
proto = "tcp"
ipv4 = "{static4}:80"
ipv6 = "[{t.PHONE6}]:80"

[dns64]
upstream = ["{t.SERVER6}"]
"""


HOUSE = house_toml()
MAPPED = str(embed(t.PREF64, t.SERVER4))
SERVER = f"[{MAPPED}]"
"""The server's IPv4 address under the house's pref64, as in a URL."""
