# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Who listens where, from /proc/net (proc_net_tcp.txt) and the open files of every process."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from v6native.config.facts import ListeningSocket
from v6native.config.model import Proto

NET = Path("/proc/thread-self/net")
"""Not /proc/net: that shows the main thread's network namespace."""

_LISTEN, _UNCONNECTED = "0A", "07"
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_OURS = ("v6native.dns64", "v6native.slowpath", "v6native.daemon")


def listening(our_wireguard_ports: frozenset[int], proc: Path = Path("/proc")) -> Iterator[ListeningSocket]:
    """Every listening TCP socket and unconnected UDP socket. Processes of others are only seen by root."""
    found = list(_bound())
    owners = _owners(proc, {inode for *_, inode in found})
    for proto, address, port, inode in found:
        pid = owners.get(inode)
        command = _command(proc, pid) if pid is not None else ()
        ours = any(name in command for name in _OURS) or _is_our_unbound(command)
        ours = ours or (proto is Proto.UDP and pid is None and port in our_wireguard_ports)
        if pid is not None and Path(command[0] if command else "").name == "wireguard-go":
            ours = port in our_wireguard_ports
        yield ListeningSocket(proto, address, port, _name(proc, pid), pid, ours)


def _is_our_unbound(command: tuple[str, ...]) -> bool:
    """One that our worker runs, with a configuration of ours."""
    return bool(command) and Path(command[0]).name == "unbound" and "v6native" in command[-1]


def _bound() -> Iterator[tuple[Proto, IPv4Address | IPv6Address, int, str]]:
    for file, proto, state in (
        ("tcp", Proto.TCP, _LISTEN),
        ("tcp6", Proto.TCP, _LISTEN),
        ("udp", Proto.UDP, _UNCONNECTED),
        ("udp6", Proto.UDP, _UNCONNECTED),
    ):
        try:
            lines = (NET / file).read_text().splitlines()[1:]
        except FileNotFoundError:
            continue  # no IPv6 in this kernel
        for line in lines:
            fields = line.split()
            if fields[3] == state:
                host, _, port = fields[1].partition(":")
                yield proto, _address(host), int(port, 16), fields[9]


def _address(text: str) -> IPv4Address | IPv6Address:
    """32-bit words in the machine's byte order, as hexadecimal numbers."""
    words = [int(text[i : i + 8], 16) for i in range(0, len(text), 8)]
    raw = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    return IPv4Address(raw) if len(raw) == 4 else IPv6Address(raw)


def _owners(proc: Path, wanted: set[str]) -> dict[str, int]:
    owners: dict[str, int] = {}
    for folder in proc.iterdir():
        if not folder.name.isdigit():
            continue
        for link in _open_files(folder):
            inode = _SOCKET.fullmatch(link)
            if inode and inode.group(1) in wanted:
                # A parent keeps inherited sockets; the lowest pid names the service.
                owners.setdefault(inode.group(1), int(folder.name))
    return owners


def _open_files(folder: Path) -> Iterator[str]:
    try:
        entries = list((folder / "fd").iterdir())
    except OSError:
        return  # ended meanwhile, or not ours to look at
    for entry in entries:
        with suppress(OSError):  # closed meanwhile
            yield str(entry.readlink())


def _command(proc: Path, pid: int) -> tuple[str, ...]:
    try:
        text = (proc / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(part.decode(errors="replace") for part in text.split(b"\0") if part)


def _name(proc: Path, pid: int | None) -> str | None:
    if pid is None:
        return None
    try:
        return (proc / str(pid) / "comm").read_text().strip()
    except OSError:
        return None
