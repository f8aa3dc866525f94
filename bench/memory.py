# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Kernel memory of the translators: what each map has locked, as its file descriptor tells (bpf_map_show_fdinfo)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from v6native.dataplane.kernel import KernelDataPlane


def locked(fd: int) -> int:
    """Bytes."""
    for line in Path(f"/proc/self/fdinfo/{fd}").read_text().splitlines():
        if line.startswith("memlock:"):
            return int(line.split()[1])
    raise ValueError(f"file descriptor {fd} is no BPF map")


def of(plane: KernelDataPlane, sessions: int) -> dict[str, Any]:
    """All maps of the node, the largest first, and their sum divided by the sessions that they have room for."""
    found = {
        f"{of}/{name}": locked(each.fd) for of, maps in plane.generation().maps.items() for name, each in maps.items()
    }
    total = sum(found.values())
    largest = dict(sorted(found.items(), key=lambda item: -item[1]))
    return {"sessions": sessions, "bytes": total, "bytes_a_session": total / sessions, "maps": largest}
