# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A BPF file system and a network namespace of a test's own: nothing of the machine's is touched."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from v6native.dataplane import bpffs

_CLONE_NEWNET = 0x40000000


@contextlib.contextmanager
def private_bpffs(folder: Path) -> Iterator[Path]:
    """Mounted over `folder`; with the mount all pins in it go."""
    if os.geteuid() != 0:
        raise PermissionError("a BPF file system can only be mounted by root; run `sudo make test`")
    bpffs.mount(folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True, timeout=10)


@contextlib.contextmanager
def private_netns(*commands: str) -> Iterator[None]:
    """This thread in a network namespace of its own, with loopback up, after the `ip` commands."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.unshare(_CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        try:
            for command in ("link set lo up", *commands):
                subprocess.run(["ip", *command.split()], check=True, timeout=10)
            yield
        finally:
            if libc.setns(home, _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(home)
