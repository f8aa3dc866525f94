# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""/proc/sys: the files of the calling thread's network namespace."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from v6native.errors import SystemActionError

ROOT = Path("/proc/sys")

GLOBAL = (
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/accept_redirects",
    "net/ipv4/icmp_errors_use_inbound_ifaddr",
    "net/ipv6/conf/all/forwarding",
    "net/ipv4/ip_local_reserved_ports",
)
EVERY = {"ipv4": ("forwarding",), "ipv6": ("forwarding", "accept_ra", "proxy_ndp")}
OURS = {"ipv4": ("rp_filter", "accept_local"), "ipv6": ("disable_ipv6", "addr_gen_mode", "accept_dad")}


def read(key: str) -> str | None:
    """The value as the kernel prints it, without the newline; None where there is no such key."""
    try:
        return (ROOT / key).read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return None  # disable_ipv6 at boot: some keys exist and cannot be read


def read_all(interfaces: Iterable[str], ours: frozenset[str]) -> dict[str, str]:
    """Every key that a plan may look at."""
    keys = list(GLOBAL)
    for name in ("default", *interfaces):
        for family, names in EVERY.items():
            keys += [f"net/{family}/conf/{name}/{key}" for key in names]
        if name in ours:
            for family, names in OURS.items():
                keys += [f"net/{family}/conf/{name}/{key}" for key in names]
    found = ((key, read(key)) for key in keys)
    return {key: value for key, value in found if value is not None}


def write(key: str, value: str) -> None:
    try:
        (ROOT / key).write_text(f"{value}\n")
    except OSError as error:
        raise SystemActionError(f"/proc/sys/{key} does not take {value!r}: {error.strerror}") from error
