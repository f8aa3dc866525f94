# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The BPF file system: is it there, and the folders of pins in it.

    <bpffs>/v6native/<instance>/<generation>/maps/<object>/<map>
                                            /progs/<program>

A generation is named after the ABI; while one takes over from another there are two.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from v6native.errors import EnvironmentRefused

# linux/magic.h BPF_FS_MAGIC, in statfs.f_type, which is the first word of the struct.
_MAGIC = 0xCAFE4A11


def is_bpffs(folder: Path) -> bool:
    """Whether a BPF file system is mounted over that folder."""
    buffer = (ctypes.c_long * 64)()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.statfs(os.fsencode(folder), ctypes.byref(buffer)) != 0:
        return False
    return buffer[0] & 0xFFFFFFFF == _MAGIC


def require(folder: Path) -> None:
    """EnvironmentRefused where pins cannot be made."""
    if os.geteuid() != 0:
        raise EnvironmentRefused("v6native needs root to use BPF: run it with sudo")
    if not is_bpffs(folder):
        raise EnvironmentRefused(f"no BPF file system is mounted on {folder}: mount -t bpf bpf {folder}")


def mount(folder: Path) -> None:
    """Mount a BPF file system over that folder if there is none. Systems with systemd have one at /sys/fs/bpf."""
    if is_bpffs(folder):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"bpf", os.fsencode(folder), b"bpf", 0, b"mode=0700") != 0:
        why = os.strerror(ctypes.get_errno())
        raise EnvironmentRefused(
            f"cannot mount a BPF file system on {folder}: {why}. Do it as root: mount -t bpf bpf {folder}"
        )


def pin_name(name: str) -> str:
    """A map's name as a file name there: bpffs refuses dots."""
    return name.replace(".", "_").strip("_")


def generations(instance: Path) -> tuple[Path, ...]:
    """What is pinned for an instance."""
    return tuple(sorted(p for p in instance.iterdir() if p.is_dir())) if instance.is_dir() else ()


def unlink_tree(folder: Path) -> None:
    """Remove a folder of pins with all in it. What is still attached keeps what it uses."""
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        if entry.is_dir():
            unlink_tree(entry)
        else:
            entry.unlink()
    folder.rmdir()
