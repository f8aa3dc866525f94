# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""BPF objects that a test makes of its own sources, with the Makefile's flags."""

from __future__ import annotations

import subprocess
from pathlib import Path


def compile_bpf(source: Path, target: Path) -> None:
    asked = subprocess.run(["clang", "-print-target-triple"], capture_output=True, text=True, check=True, timeout=10)
    multiarch = asked.stdout.strip().replace("-pc-", "-").replace("-unknown-", "-")
    command = ["clang", "-O2", "-g", "-target", "bpf", "-mcpu=v3", f"-I/usr/include/{multiarch}"]
    subprocess.run([*command, "-c", str(source), "-o", str(target)], check=True, timeout=120)
