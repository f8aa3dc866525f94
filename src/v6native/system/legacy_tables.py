# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of iptables-legacy (linux/netfilter_ipv4/ip_tables.h, netfilter_ipv6/ip6_tables.h), by getsockopt(2).

They ring no bell when they change and `nft` does not show them. A table exists once anybody asked for it, so what counts
is whether a chain that forwarded packets pass has rules, or a policy that drops.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_GET_INFO, _GET_ENTRIES = 64, 65
_NAME = 32
# struct ipt_getinfo: name, valid_hooks, hook_entry[5], underflow[5], num_entries, size.
_INFO = struct.Struct("=32sI5I5III")
# NF_INET_*: what a forwarded packet passes.
_HOOKS = {0: "PREROUTING", 2: "FORWARD", 4: "POSTROUTING"}
# In an entry: where its target begins; behind the target's header of 32 bytes, a standard target's verdict.
_TARGET_HEADER = 32
_ACCEPT = -2  # -NF_ACCEPT - 1


@dataclass(frozen=True, slots=True)
class _Family:
    command: str
    names: Path
    family: int
    level: int
    target_offset: int


# The offset of target_offset in struct ipt_entry and ip6t_entry.
_FAMILIES = (
    _Family("iptables", Path("/proc/thread-self/net/ip_tables_names"), socket.AF_INET, socket.IPPROTO_IP, 88),
    _Family("ip6tables", Path("/proc/thread-self/net/ip6_tables_names"), socket.AF_INET6, socket.IPPROTO_IPV6, 140),
)


def in_use() -> Iterator[str]:
    """Chains with rules or a dropping policy, in words; nothing where no table exists, the usual case, which costs little."""
    for family in _FAMILIES:
        try:
            tables = family.names.read_text().split()
        except FileNotFoundError:
            continue
        for table in tables:
            yield from _table(family, table)


def shape() -> tuple[str, ...]:
    """The same, for comparison; what cannot be read is a shape, too."""
    try:
        return tuple(in_use())
    except (OSError, struct.error) as error:
        return (str(error),)


def _table(family: _Family, table: str) -> Iterator[str]:
    with socket.socket(family.family, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.IPPROTO_RAW) as sock:
        name = table.encode().ljust(_NAME, b"\0")
        info = _ask(sock, family, _GET_INFO, name.ljust(_INFO.size, b"\0"))
        _, valid, *offsets, _count, size = _INFO.unpack(info)
        entries, ends = offsets[:5], offsets[5:]
        # struct ipt_get_entries: name, size, and the entries behind them, aligned to 8 bytes.
        head = name + struct.pack("=I", size) + bytes(4)
        blob = _ask(sock, family, _GET_ENTRIES, head + bytes(size))[len(head) :]
    for hook, chain in _HOOKS.items():
        if not valid & 1 << hook:
            continue
        if entries[hook] != ends[hook]:
            yield f"{family.command} table {table} chain {chain} has rules"
        elif _policy(blob, ends[hook], family.target_offset) != _ACCEPT:
            yield f"{family.command} table {table} chain {chain} drops by default"


def _policy(blob: bytes, entry: int, at: int) -> int:
    (target,) = struct.unpack_from("=H", blob, entry + at)
    (verdict,) = struct.unpack_from("=i", blob, entry + target + _TARGET_HEADER)
    return int(verdict)


def _ask(sock: socket.socket, family: _Family, option: int, question: bytes) -> bytes:
    """getsockopt whose buffer is question and answer, which Python's own cannot do."""
    buffer, size = ctypes.create_string_buffer(question, len(question)), ctypes.c_uint32(len(question))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.getsockopt(sock.fileno(), family.level, option, buffer, ctypes.byref(size)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return buffer.raw
