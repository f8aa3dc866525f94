# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The laptop's end of the tunnel: keys, and a real wg-quick with the profile that a person would get."""

from __future__ import annotations

from v6native.lab import topology as t
from v6native.lab.node import Node
from v6native.lab.wait import wait_until

PRIVATE_KEY = "/etc/wireguard/lab.key"
INTERFACE = "wg0"


def make_key(laptop: Node) -> str:
    """A new private key on the laptop; returns its public half."""
    laptop.path("/etc/wireguard").mkdir(mode=0o700, exist_ok=True)
    file = laptop.path(PRIVATE_KEY)
    file.touch(mode=0o600)
    file.write_text(laptop.run("wg", "genkey").out)
    return laptop.run("wg", "pubkey", stdin=file.read_text()).out.strip()


def profile(private_key: str, server_key: str, mtu: int = 1420) -> str:
    """What goes into wg-quick's file. The resolver is the laptop's /etc/resolv.conf: no resolvconf runs there."""
    return f"""[Interface]
PrivateKey = {private_key.strip()}
Address = {t.LAPTOP6}/128, {t.LAPTOP4}/32
MTU = {mtu}

[Peer]
PublicKey = {server_key}
Endpoint = {t.EDGE4}:{t.WIREGUARD_PORT}
AllowedIPs = 0.0.0.0/0, ::/0
PersistentKeepalive = 15
"""


def connect_laptop(laptop: Node, edge1: Node) -> None:
    """Bring the tunnel up and wait until the resolver at its far end is reached."""
    # The only WireGuard interface there; its name is v6native's choice.
    tunnel = edge1.run("wg", "show", "interfaces").out.strip()
    server_key = edge1.run("wg", "show", tunnel, "public-key").out.strip()
    file = laptop.path(f"/etc/wireguard/{INTERFACE}.conf")
    file.touch(mode=0o600)
    file.write_text(profile(laptop.path(PRIVATE_KEY).read_text(), server_key))
    laptop.run("wg-quick", "up", INTERFACE, env={"WG_QUICK_USERSPACE_IMPLEMENTATION": "wireguard-go"})
    wait_until(
        lambda: laptop.run("ping", "-6", "-n", "-c1", "-W1", str(t.EDGE_TUNNEL6), check=False).ok,
        60,
        f"laptop: edge1 does not answer through the tunnel ({t.EDGE_TUNNEL6})",
    )


def disconnect_laptop(laptop: Node) -> None:
    laptop.run("wg-quick", "down", INTERFACE)
