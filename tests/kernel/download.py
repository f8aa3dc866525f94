# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Run in the guest: the lab, whose tunnel is the kernel's own WireGuard here, and a download through it, both ways of asking.

The laptop asks by IPv4 literal (WireGuard, CLAT, NAT64) and by pref64 address (WireGuard, NAT64).
"""

from __future__ import annotations

import hashlib
import json
import sys
import time

from v6native.lab import lab as labs
from v6native.lab import topology as t
from v6native.lab.edge import Arrangement
from v6native.lab.estate import Estate
from v6native.lab.node import Node
from v6native.lab.web import publish

MEBIBYTES = 8
LIMIT_S = 120.0


def say(step: str) -> None:
    print(f"   {step}", flush=True)


def require_kernel_wireguard(node: Node) -> None:
    """wireguard-go's interface is a TUN device; the kernel's own is of the kind wireguard."""
    links = json.loads(node.run("ip", "-json", "-details", "link", "show", "type", "wireguard").out)
    if not [link for link in links if link]:
        raise SystemExit(f"{node.name}: its tunnel is not the kernel's WireGuard")


def download(node: Node, url: str, digest: str) -> None:
    """Download on `node` and compare the checksum."""
    began = time.monotonic()
    node.run("curl", "-sS", "-f", "-o", "/run/downloaded", url, timeout=LIMIT_S)
    got = hashlib.sha256(node.path("/run/downloaded").read_bytes()).hexdigest()
    if got != digest:
        raise SystemExit(f"{node.name}: {url} came with another checksum: {got} instead of {digest}")
    say(f"{node.name}: {url}: {MEBIBYTES} MiB in {time.monotonic() - began:.1f} s, checksum equal")


def main() -> int:
    estate = Estate("kernel")
    try:
        lab = labs.up(estate, Arrangement.SHARED, say=say)
        laptop = lab["laptop"]
        for node in (laptop, lab["edge1"]):
            require_kernel_wireguard(node)
        path, digest = publish(lab["internet"], MEBIBYTES)
        download(laptop, f"http://{t.SERVER4}{path}", digest)
        download(laptop, f"http://v4only.example{path}", digest)
    finally:
        labs.down(estate)
    return 0


if __name__ == "__main__":
    sys.exit(main())
