# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The BPF file system is mounted: without it no state can outlive the daemon."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.doctor.facts import Facts
from v6native.doctor.finding import Finding, Severity


def check(facts: Facts) -> Iterator[Finding]:
    if not facts.kernel.bpffs_mounted:
        yield Finding(
            "bpffs_not_mounted",
            Severity.ERROR,
            "the BPF file system is not mounted, so the translators' state has no place to live",
            "`mount -t bpf bpf /sys/fs/bpf`, and a line in /etc/fstab where systemd does not do it",
            ("kernel_old",),
        )
