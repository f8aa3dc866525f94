# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""WireGuard by `wg`: one interface for the kernel's and for wireguard-go. Private keys stay in 0600 files."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path

from v6native.desired.state import WgPeer, WireGuard
from v6native.errors import SystemActionError
from v6native.paths import Paths
from v6native.plan.actual import FoundWireGuard
from v6native.system.files import read_text, write_atomically
from v6native.system.processes import Service, run, wait_until

SOCKETS = Path("/var/run/wireguard")
"""Where wireguard-go listens for `wg`; compiled into both."""

_KEY = re.compile(r"[A-Za-z0-9+/]{43}=")


def service(interface: str, paths: Paths) -> Service:
    """wireguard-go for one interface, where the kernel has no WireGuard."""
    return Service(f"wireguard-{interface}", ("wireguard-go", "-f", interface), paths.run)


def key_file(paths: Paths, tunnel: str) -> Path:
    return paths.secrets / f"tunnel-{tunnel}.key"


def private_key(paths: Paths, tunnel: str) -> str:
    """The node's key for a tunnel, made where there is none yet."""
    file = key_file(paths, tunnel)
    key = read_text(file)
    if key is None:
        paths.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
        paths.secrets.chmod(0o700)
        key = run(["wg", "genkey"])
        write_atomically(file, key, 0o600)
    key = key.strip()
    if not _KEY.fullmatch(key):
        # Not left to `wg`, which prints what it cannot read: into the log, where no key may be.
        raise SystemActionError(
            f"{file} holds no WireGuard key: put it back from a copy, or remove it for a new one, which clients must learn"
        )
    return key


def public_key(paths: Paths, tunnel: str) -> str:
    """What clients need to know; the pair is made where there is none yet."""
    return run(["wg", "pubkey"], stdin=private_key(paths, tunnel) + "\n").strip()


def start_userspace(interface: str, paths: Paths) -> None:
    """Starts wireguard-go and waits until its interface and its control socket are there."""
    go = service(interface, paths)
    go.start()
    socket = SOCKETS / f"{interface}.sock"
    up = wait_until(lambda: _exists(interface) and socket.is_socket(), 10)
    if not up or go.find() is None:
        said = (read_text(go.log) or "").strip().splitlines()
        raise SystemActionError(
            f"wireguard-go made no interface {interface}: {said[-1] if said else 'it said nothing'}; "
            "it needs /dev/net/tun and root"
        )


def _exists(interface: str) -> bool:
    return (
        Path(f"/proc/thread-self/net/dev_snmp6/{interface}").exists()
        or interface in Path("/proc/thread-self/net/dev").read_text().replace(":", " ").split()
    )


def observe(interface: str, tunnel: str, paths: Paths) -> FoundWireGuard:
    """What the interface holds now; `keyed` compares keys without making one."""
    first, *rest = run(["wg", "show", interface, "dump"]).splitlines()
    private, _, port, _ = first.split("\t")
    peers = []
    for line in rest:
        public, _, _, allowed, *_ = line.split("\t")
        networks = [] if allowed == "(none)" else [ip_network(text) for text in allowed.split(",")]
        peers.append(WgPeer(public, frozenset(networks)))
    ours = (read_text(key_file(paths, tunnel)) or "").strip()
    settings = WireGuard(interface, tunnel, int(port), frozenset(peers))
    return FoundWireGuard(settings, keyed=bool(ours) and private == ours)


def configure(settings: WireGuard, paths: Paths) -> None:
    """Peers that stay keep their session (`wg syncconf`). The key goes through a pipe, never through a file or argv."""
    lines = ["[Interface]", f"PrivateKey = {private_key(paths, settings.tunnel)}", f"ListenPort = {settings.listen}"]
    for peer in sorted(settings.peers, key=lambda p: p.public_key):
        allowed = ", ".join(sorted(str(network) for network in peer.allowed))
        lines += ["", "[Peer]", f"PublicKey = {peer.public_key}", f"AllowedIPs = {allowed}"]
    run(["wg", "syncconf", settings.interface, "/dev/stdin"], stdin="\n".join(lines) + "\n")
