# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The kernel is new enough for the BPF programs, and describes its types."""

from __future__ import annotations

from collections.abc import Iterator

from v6native.doctor.facts import Facts, KernelFacts
from v6native.doctor.finding import Finding, Severity

# bpf_timer in the maps we pin and dynptr-free 6.1 semantics: Debian 12's kernel is the oldest one tested.
OLDEST = (6, 1)


def check(facts: Facts) -> Iterator[Finding]:
    return lacks(facts.kernel)


def lacks(kernel: KernelFacts) -> Iterator[Finding]:
    """Asked before anything is touched, too."""
    if kernel.version < OLDEST:
        yield Finding(
            "kernel_old",
            Severity.ERROR,
            f"the kernel is {kernel.release}; v6native needs {OLDEST[0]}.{OLDEST[1]} or newer",
            "install a newer kernel (Debian 12 has 6.1) and boot it",
        )
    if not kernel.btf:
        yield Finding(
            "kernel_no_btf",
            Severity.ERROR,
            "the kernel does not describe its types (/sys/kernel/btf/vmlinux is missing), so no BPF object loads",
            "use a kernel built with CONFIG_DEBUG_INFO_BTF=y, as all large distributions do",
            ("kernel_old",),
        )
