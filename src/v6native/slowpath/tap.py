# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The TAP interface of the slow path, opened (Documentation/networking/tuntap.rst). `system/` has made it, persistent."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct

from v6native.errors import EnvironmentRefused, SystemActionError

_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000
_IFNAMSIZ = 16


def open_tap(name: str) -> int:
    """A file descriptor that does not block; each read and write is one Ethernet frame."""
    if not 0 < len(name.encode()) < _IFNAMSIZ:
        raise SystemActionError(f"{name!r} cannot be an interface's name: 1 to 15 bytes")
    try:
        # TUNSETIFF on a name that is not there would make the interface, and it would go with this process.
        socket.if_nametoindex(name)
    except OSError as why:
        raise SystemActionError(
            f"there is no interface {name}: `v6native up` makes it, then starts this worker"
        ) from why
    try:
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as why:
        raise EnvironmentRefused(f"cannot open /dev/net/tun: {why.strerror}. It needs root and the tun driver") from why
    try:
        fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
    except OSError as why:
        os.close(fd)
        if why.errno == errno.EBUSY:
            raise SystemActionError(f"another process has {name} open: the slow path runs already") from why
        raise SystemActionError(f"cannot use {name} as a TAP interface: {why.strerror}") from why
    return fd
