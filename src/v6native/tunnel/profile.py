# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A client's WireGuard profile in wg-quick(8)'s form, which WireGuard's apps read too. Pure: keys and values in, text out.

The profile is "dual over CLAT": the tunnel carries a public IPv6 address and one of 100.64.0.0/10, so that literals work on
every system; the node where the tunnel ends is the CLAT (RFC 6877).
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from v6native.config.model import Client, Tunnel
from v6native.desired.node import first_address6

KEEPALIVE = 25
"""Seconds; shorter than the UDP timeouts of the NATs that clients sit behind (RFC 4787 §4.3 asks for two minutes)."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where clients find the node: a name, or an address. Apps prefer IPv4 where a name has both."""

    host: str | IPv4Address | IPv6Address
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if isinstance(self.host, IPv6Address) else str(self.host)
        return f"{host}:{self.port}"


def endpoint(tunnel: Tunnel, uplink4: IPv4Address | None, uplink6: IPv6Address | None) -> Endpoint | None:
    """The file's word, else the uplink's own address, IPv4 first: a client's access may have no IPv6. None: neither."""
    if tunnel.endpoint is not None:
        try:
            return Endpoint(IPv6Address(tunnel.endpoint.strip("[]")), tunnel.listen)
        except ValueError:
            return Endpoint(tunnel.endpoint, tunnel.listen)
    host = uplink4 or uplink6
    return None if host is None else Endpoint(host, tunnel.listen)


def wg_quick(client: Client, tunnel: Tunnel, node_key: str, at: Endpoint, private_key: str, dns: bool = True) -> str:
    """The file for one client. `node_key` is the node's public key for this tunnel.

    Without `dns` the client keeps its resolver: for systems on which wg-quick cannot set one (no resolvconf).
    """
    addresses = [f"{client.address6}/128"]
    allowed = ["::/0"]
    if client.address4 is not None and tunnel.clat4 is not None:
        addresses.append(f"{client.address4}/32")
        allowed.insert(0, "0.0.0.0/0")
    lines = [
        "[Interface]",
        f"PrivateKey = {private_key}",
        f"Address = {', '.join(addresses)}",
        *([f"DNS = {resolver(tunnel)}"] if dns else []),
        f"MTU = {tunnel.mtu}",
        "",
        "[Peer]",
        f"PublicKey = {node_key}",
        f"Endpoint = {at}",
        f"AllowedIPs = {', '.join(allowed)}",
        f"PersistentKeepalive = {KEEPALIVE}",
    ]
    return "\n".join(lines) + "\n"


def resolver(tunnel: Tunnel) -> IPv6Address:
    """The node's own DNS64, over IPv6: mDNSResponder asks AAAA only where the resolver is reached so."""
    return first_address6(tunnel).ip
