# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the gateway of a chain is: v6native, and those that it is measured beside. Each turns a plain one into its own."""

from __future__ import annotations

import json

from bench.chain import CLAT4, NETWORK6, POOL, PREF64, Chain
from v6native.dataplane.kernel import KernelDataPlane
from v6native.desired.state import CLAT_TABLE
from v6native.lab.edge import raise_edge
from v6native.lab.laptop import make_key
from v6native.lab.node import Node
from v6native.lab.wait import wait_until
from v6native.lab.wiring import set_sysctls
from v6native.paths import Paths

MASQUERADE = """
table ip nat {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    oifname "up*" masquerade
  }
}
"""

SOURCE_NAT = f"""
flush table ip nat
table ip nat {{
  chain postrouting {{
    oifname "up*" snat to {POOL[1]}-{POOL[-2]}
  }}
}}
"""
"""As many addresses as the NAT64 has."""

TOML = """\
[network]
name = "bench"
prefix = ["{network}"]
pref64 = "{pref64}"

[node.{node}]
uplink = "up0"
lan = [{lan}]
pool4 = ["{pool}"]

[nat64]
sources = [{sources}]
allow_ipv4 = ["198.51.100.0/24", "203.0.113.0/24"]
sessions = {sessions}
fast_path = "{fast_path}"
limit = {{ new_per_second = 0, sessions = 0 }}
{timeout}
[dns64]
enabled = false
"""

TUNNEL = """
[tunnel.friends]
listen = 51820
prefix = "2001:db8:64:a::/64"
clat4 = "{clat4}"
endpoint = "198.19.0.1"

[client.laptop]
tunnel = "friends"
public_key = "{key}"
address6 = "2001:db8:64:a::2"
address4 = "{client4}"
"""

TAYGA_CONF = """\
tun-device nat64
ipv4-addr 192.0.0.9
ipv6-addr 2001:db8:64:ff::9
prefix {pref64}
dynamic-pool {pool}
data-dir /run/lab
"""

CLAT_CLIENT = CLAT4[2]
"""The tunnel's client whose IPv4 the CLAT carries."""
LAN_TO_CLAT = 999
"""Preference of the rule that gives a LAN's packets the tunnels' way, just before v6native's own (desired/rules.py)."""


def masquerade(chain: Chain) -> Chain:
    """The kernel's NAT44; no flow of it ends by itself while it is measured."""
    chain.gateway.run("nft", "-f", "-", stdin=MASQUERADE)
    set_sysctls(
        chain.gateway, "".join(f"net.netfilter.nf_conntrack_udp_timeout{end}=3600\n" for end in ("", "_stream"))
    )
    return chain


def v6native(
    chain: Chain, sessions: int = 131072, udp_timeout: int | None = None, *, clat: bool = False, fast: bool = False
) -> Chain:
    """The real one: its file and `v6native up`. `clat`: and a tunnel, whose client's IPv4 may come from the LAN."""
    gateway, lane = chain.gateway, chain.lanes[0]
    timeout = f"timeout = {{ udp = {udp_timeout}, allow_short = true }}\n" if udp_timeout else ""
    text = TOML.format(
        network=NETWORK6,
        pref64=PREF64,
        node=chain.name,
        lan=", ".join(f'"{each.lan}"' for each in chain.lanes),
        pool=POOL,
        sources=", ".join(f'"{each.clients6}", "{each.client6}/128"' for each in chain.lanes),
        sessions=sessions,
        fast_path="auto" if fast else "off",
        timeout=timeout,
    )
    if clat:
        text += TUNNEL.format(clat4=CLAT4, client4=CLAT_CLIENT, key=make_key(chain.clients[0]))
    gateway.path("/etc/v6native/network.toml").write_text(text)
    raise_edge(gateway)
    if fast:
        wait_until(
            lambda: _all_fast(gateway), 20, f"{chain.name}: the fast path does not go on; `v6native status` says why"
        )
    if clat:
        rule = ("pref", str(LAN_TO_CLAT), "iif", lane.lan, "from", str(CLAT4), "lookup", str(CLAT_TABLE))
        gateway.run("ip", "rule", "add", *rule)
        gateway.run("ip", "route", "add", str(CLAT_CLIENT), "via", str(lane.client4), "dev", lane.lan)
    return chain


def _all_fast(gateway: Node) -> bool:
    pairs = json.loads(gateway.run("v6native", "status", "--json").out)["fast_path"]
    return bool(pairs) and not any(pair["reasons"] for pair in pairs)


def plane(chain: Chain) -> KernelDataPlane:
    """The gateway's tables, read from outside."""
    return KernelDataPlane.open(Paths(), chain.gateway.instance)


def lower(chain: Chain) -> None:
    """`v6native down`: no sessions, no maps."""
    chain.gateway.run("v6native", "down", timeout=60)
    wait_until(
        lambda: not Paths().pins(chain.gateway.instance).exists(), 20, "v6native's pins are still there after `down`"
    )


def tayga(chain: Chain, cpu: int | None = None) -> int:
    """TAYGA in place of v6native; gives its process. `cpu`: where it is held."""
    gateway = chain.gateway
    conf = "/run/lab/tayga.conf"
    gateway.path(conf).write_text(TAYGA_CONF.format(pref64=PREF64, pool=POOL))
    gateway.run("tayga", "-c", conf, "--mktun")
    gateway.run("ip", "link", "set", "nat64", "up")
    gateway.run("ip", "route", "add", str(POOL), "dev", "nat64")
    gateway.run("ip", "-6", "route", "add", str(PREF64), "dev", "nat64")
    pinned = ("taskset", "-c", str(cpu)) if cpu is not None else ()
    program = gateway.start("tayga", *pinned, "tayga", "--nodetach", "-c", conf)
    carrier = gateway.path("/sys/class/net/nat64/carrier")
    wait_until(lambda: carrier.read_text().strip() == "1", 10, "tayga has not opened its TUN device")
    return program.pid
