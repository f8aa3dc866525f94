# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The stack of every chain of BPF calls, as Linux 6.1 counts it: newer kernels are lenient, and would not tell."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from v6native.dataplane.loader import OBJECTS

MOST = 512
"""kernel/bpf/verifier.c MAX_BPF_STACK."""
PROGRAM = re.compile(r"^([0-9a-f]+) <(\w+)>:")


def frames(object_file: Path) -> tuple[dict[str, int], dict[str, set[str]]]:
    """Each function's own frame in bytes, and whom it calls, callbacks included."""
    argv = ["llvm-objdump", "-dr", "--no-show-raw-insn", str(object_file)]
    listing = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout
    own: dict[str, int] = defaultdict(int)
    calls: dict[str, set[str]] = defaultdict(set)
    at: dict[int, str] = {}
    callbacks: list[tuple[str, int]] = []
    section = function = copied = ""
    address = 0
    for line in listing.splitlines():
        if found := re.match(r"Disassembly of section (\S+):", line):
            section = found[1]
        elif (found := PROGRAM.match(line)) and not found[2].startswith("LBB"):
            function = found[2]
            own[function] = 0
            if section == ".text":
                at[int(found[1], 16)] = function
        for place in re.findall(r"r10 - (0x[0-9a-f]+|\d+)", line):
            own[function] = max(own[function], int(place, 0))
        if (found := re.search(r"(r\d+) \+= -(0x[0-9a-f]+|\d+)", line)) and found[1] == copied:
            own[function] = max(own[function], int(found[2], 0))
        copied = found[1] if (found := re.search(r"(r\d+) = r10\b", line)) else ""
        if found := re.search(r"call (?:-?\w+) <(\w+)|R_BPF_64_32\s+(\w+)", line):
            calls[function].add(found[1] or found[2])
        if found := re.search(r"= (-?\w+) ll", line):
            address = int(found[1], 0)
        if re.search(r"R_BPF_64_64\s+\.text", line):
            callbacks.append((function, address))
    for caller, place in callbacks:
        calls[caller].add(at[place])
    return own, calls


@pytest.mark.parametrize("name", ["nat64", "siit"])
def test_no_chain_of_calls_is_too_deep(name: str) -> None:
    own, calls = frames(OBJECTS / f"{name}.bpf.o")

    @cache
    def deepest(function: str) -> tuple[int, tuple[str, ...]]:
        below = max((deepest(c) for c in calls[function] if c in own and c != function), default=(0, ()))
        frame = (max(own[function], 1) + 31) // 32 * 32
        return frame + below[0], (f"{function} {frame}", *below[1])

    depth, chain = max(deepest(function) for function in list(own))
    assert depth > 256, "the listing was not understood"
    assert depth <= MOST, f"{depth} bytes of stack: {', '.join(chain)}"
