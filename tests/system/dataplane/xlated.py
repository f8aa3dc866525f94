# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A loaded program as the verifier left it: which functions of the kernel it calls, how many atomic operations it has."""

from __future__ import annotations

import ctypes
import struct
from collections import Counter
from ctypes import c_uint32
from functools import cache
from pathlib import Path

from v6native.dataplane.libbpf import ProgInfo, libbpf
from v6native.dataplane.program import Program

# linux/bpf.h, linux/bpf_common.h: what an instruction's first byte says.
_LOAD_64, _CALL, _ATOMIC_32, _ATOMIC_64 = 0x18, 0x85, 0xC3, 0xDB
# The source register of a call: 0 is a function of the kernel, whose distance from this symbol is the immediate.
_KERNELS = 0
_BASE = "__bpf_call_base"


def calls(program: Program) -> Counter[str]:
    """The kernel's functions by name, helpers and what the verifier put in their place."""
    symbols, base = _symbols()
    found = (imm for code, regs, imm in _instructions(program) if code == _CALL and regs >> 4 == _KERNELS)
    return Counter(symbols.get((base + imm) & (1 << 64) - 1, f"unknown {imm}") for imm in found)


def atomics(program: Program) -> int:
    return sum(code in (_ATOMIC_32, _ATOMIC_64) for code, _regs, _imm in _instructions(program))


def _instructions(program: Program) -> list[tuple[int, int, int]]:
    """Code, registers and immediate; the second half of a 64-bit load is left out."""
    length = _info(program, ProgInfo()).xlated_prog_len
    room = ctypes.create_string_buffer(length)
    _info(program, ProgInfo(xlated_prog_len=length, xlated_prog_insns=ctypes.addressof(room)))
    found, second_half = [], False
    for code, regs, _offset, imm in struct.iter_unpack("=BBhi", room.raw):
        if not second_half:
            found.append((code, regs, imm))
        second_half = code == _LOAD_64 and not second_half
    return found


def _info(program: Program, info: ProgInfo) -> ProgInfo:
    size = c_uint32(ctypes.sizeof(info))
    libbpf().call("bpf_obj_get_info_by_fd", program.fd, ctypes.byref(info), ctypes.byref(size))
    return info


@cache
def _symbols() -> tuple[dict[int, str], int]:
    """The kernel's functions by address, and the address that calls count from."""
    names = [line.split()[:3] for line in Path("/proc/kallsyms").read_text().splitlines()]
    by_address = {int(address, 16): name for address, _kind, name in names}
    base = next((address for address, name in by_address.items() if name == _BASE), 0)
    assert base, "the kernel hides its symbols: sysctl kernel.kptr_restrict"
    return by_address, base
