# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The machine that measures: what it is, and whether it is quiet enough to."""

from __future__ import annotations

import os
import platform
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

BPF_STATS = Path("/proc/sys/kernel/bpf_stats_enabled")
BUSY = 0.15
"""Of all CPUs, by others: above it figures are of the neighbours, too."""


def described() -> dict[str, Any]:
    """For the record beside the figures. No name of a machine or of a person."""
    return {
        "measured": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "kernel": platform.release().split("-")[0],
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "busy_with_others": round(busy(), 3),
    }


def unfit() -> list[str]:
    """What would spoil the figures, in words."""
    found = []
    if BPF_STATS.exists() and BPF_STATS.read_text().strip() != "0":
        found.append("kernel.bpf_stats_enabled is on, which costs each packet: `sysctl kernel.bpf_stats_enabled=0`")
    if (part := busy()) > BUSY:
        found.append(f"others use {part:.0%} of the CPUs; ratios still hold roughly, absolute figures do not")
    return found


def busy(seconds: float = 1.0) -> float:
    """The part of all CPU time that was not idle; nothing of ours runs meanwhile."""
    total, idle = _jiffies()
    time.sleep(seconds)
    later, idle_later = _jiffies()
    return 1 - (idle_later - idle) / max(1, later - total)


def _jiffies() -> tuple[int, int]:
    fields = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return sum(fields), fields[3] + fields[4]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return " ".join(line.partition(":")[2].split())
    return platform.machine()
