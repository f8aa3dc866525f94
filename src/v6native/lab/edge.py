# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""edge1, the node that runs v6native: its network.toml, the firewall its owner has, a service of its own, and the daemon."""

from __future__ import annotations

import json
import socket
from enum import StrEnum
from ipaddress import IPv6Network

from v6native.errors import LabError
from v6native.lab import topology as t
from v6native.lab.laptop import make_key
from v6native.lab.node import Node
from v6native.lab.wait import wait_until
from v6native.lab.web import serve_web
from v6native.lab.wiring import set_sysctls

API_SOCKET = "/run/v6native/api.sock"
OWN_SERVICE_PORT = 8080
STATIC_PORT = 80


class Arrangement(StrEnum):
    """What the NAT64's IPv4 side is, and its prefix."""

    SHARED = "shared"
    """edge1's one address, a reserved port range of it, beside the usual firewall."""
    POOL = "pool"
    """Addresses of its own, routed to edge1."""
    WKP = "wkp"
    """As SHARED, with 64:ff9b::/96 and the knob that opens non-global IPv4 destinations through it."""

    @property
    def pref64(self) -> IPv6Network:
        return t.WKP if self is Arrangement.WKP else t.PREF64

    @property
    def pool4(self) -> tuple[str, ...]:
        return ("203.0.113.1", "203.0.113.2:1024-65535") if self is Arrangement.POOL else ("uplink:40000-59999",)

    @property
    def static4(self) -> str:
        """The address of the static BIB entry for phone's web server."""
        return "203.0.113.1" if self is Arrangement.POOL else str(t.EDGE4)


BEFORE = "/run/lab/before.json"
"""What edge1 was like before v6native."""

NETWORK_TOML = """\
# The lab's network: documentation and benchmark prefixes stand for public ones, hence nat64.allow_ipv4.
[network]
name = "lab"
prefix = ["{prefix}"]
pref64 = "{pref64}"

[node.edge1]
uplink = "eth0"
lan = ["br0"]
pool4 = [{pool4}]

[nat64]
allow_ipv4 = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15"]

[[nat64.static]]
proto = "tcp"
ipv4 = "{static4}:{static_port}"
ipv6 = "[{phone}]:80"

[[clat.eam]]
ipv4 = "{service4}/32"
ipv6 = "{service6}/128"

[dns64]
upstream = ["{server6}"]
synthesize_for_dual = true

[tunnel.friends]
listen = {wireguard_port}
prefix = "{tunnel6}"
clat4 = "{tunnel4}"
endpoint = "{edge4}"
"""

CLIENT_TOML = """\
tunnel = "friends"
public_key = "{public_key}"
address6 = "{address6}"
address4 = "{address4}"
"""

FIREWALL = """
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state invalid drop
    ct state { established, related } accept
    iifname "lo" accept
    meta l4proto { icmp, ipv6-icmp } accept
    tcp dport { 8080 } accept
    udp dport { 51820 } accept
    iifname != "eth0" meta l4proto { tcp, udp } th dport 53 accept
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    ct state invalid drop
  }
}
table ip nat {
  chain postrouting {
    type nat hook postrouting priority 100;
    oifname "eth0" masquerade
  }
}
"""
"""What a careful owner of a machine with one address has. It knows nothing of v6native."""


def network_toml(arrangement: Arrangement, pool4: tuple[str, ...] = (), static4: str = "") -> str:
    """The lab's file; `pool4` and `static4` instead of the arrangement's own."""
    return NETWORK_TOML.format(
        prefix=t.NETWORK6,
        pref64=arrangement.pref64,
        pool4=", ".join(f'"{entry}"' for entry in pool4 or arrangement.pool4),
        static4=static4 or arrangement.static4,
        static_port=STATIC_PORT,
        phone=t.PHONE6,
        service4=t.SERVICE4,
        service6=t.SERVICE6,
        server6=t.SERVER6,
        wireguard_port=t.WIREGUARD_PORT,
        tunnel6=t.TUNNEL6,
        tunnel4=t.TUNNEL4,
        edge4=t.EDGE4,
    )


def settle_edge(edge1: Node, laptop: Node, arrangement: Arrangement) -> None:
    """All that edge1 has before v6native runs."""
    edge1.path("/etc/v6native/network.toml").write_text(network_toml(arrangement))
    clients = edge1.path("/etc/v6native/clients.d")
    clients.mkdir()
    (clients / "laptop.toml").write_text(
        CLIENT_TOML.format(public_key=make_key(laptop), address6=t.LAPTOP6, address4=t.LAPTOP4)
    )
    serve_web(edge1, "edge1 itself", OWN_SERVICE_PORT)
    if arrangement is not Arrangement.POOL:
        edge1.run("nft", "-f", "-", stdin=FIREWALL)
    edge1.path(BEFORE).write_text(json.dumps(snapshot(edge1)))


SYSCTLS = (
    *("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding", "net.ipv4.ip_local_reserved_ports"),
    *("net.ipv6.conf.eth0.accept_ra", "net.ipv4.conf.all.rp_filter", "net.ipv6.conf.eth0.proxy_ndp"),
)


def snapshot(edge1: Node) -> dict[str, list[str]]:
    """What `down` must restore, line by line and without what moves by itself."""

    def lines(*argv: str) -> list[str]:
        return edge1.run(*argv).out.splitlines()

    return {
        "links": [line.split()[1] for line in lines("ip", "-o", "link")],
        "addresses": lines("ip", "-br", "address"),
        "routes": sorted(
            lines("ip", "route", "show", "table", "all") + lines("ip", "-6", "route", "show", "table", "all")
        ),
        "rules": lines("ip", "rule") + lines("ip", "-6", "rule"),
        "sysctls": lines("sysctl", *SYSCTLS),
        "nft": lines("nft", "list", "ruleset"),
        "tc": lines("tc", "qdisc", "show"),
        "proxy": lines("ip", "neigh", "show", "proxy") + lines("ip", "-6", "neigh", "show", "proxy"),
        "run": sorted(path.name for path in edge1.path("/run").iterdir()),
    }


def settle_edge_bare(edge1: Node) -> None:
    """edge1 as a plain IPv6 router, which v6native else makes it."""
    set_sysctls(edge1, "net.ipv4.ip_forward=1\nnet.ipv6.conf.all.forwarding=1\n")


def answers(edge1: Node) -> bool:
    """Whether a daemon listens on the node's API socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(2)
        return sock.connect_ex(str(edge1.path(API_SOCKET))) == 0


def raise_edge(edge1: Node, seconds: float = 120) -> None:
    """`v6native up` in the background, until the daemon says that it is ready; nothing where one runs."""
    if answers(edge1):
        return
    daemon = edge1.start("v6native", "v6native", "up")

    def last_words() -> str:
        return "\n".join(edge1.log("v6native").read_text(errors="replace").splitlines()[-15:])

    def ready() -> bool:
        status = daemon.status()
        if status is not None:
            raise LabError(f"edge1: `v6native up` ended with status {status}:\n{last_words()}")
        return answers(edge1) and edge1.run("v6native", "status", "--json", check=False, timeout=seconds).ok

    wait_until(ready, seconds, lambda: f"edge1: v6native does not get ready; its log ends with\n{last_words()}")
