# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Offloads of an interface by ioctl (linux/ethtool.h): what `ethtool -k` and `-K` do, without the program."""

from __future__ import annotations

import array
import fcntl
import socket
import struct
from dataclasses import dataclass

from v6native.errors import SystemActionError

_SIOCETHTOOL = 0x8946
_GSTRINGS, _GSSET_INFO, _GFEATURES, _SFEATURES = 0x1B, 0x37, 0x3A, 0x3B
_FEATURES_SET = 4
_NAME = 32


@dataclass(frozen=True, slots=True)
class Feature:
    """`fixed`: the driver does not let it be changed."""

    bit: int
    active: bool
    fixed: bool


def _ioctl(sock: socket.socket, interface: str, data: bytes) -> bytes:
    buffer = array.array("B", data)
    request = struct.pack("16sP", interface.encode(), buffer.buffer_info()[0])
    try:
        fcntl.ioctl(sock, _SIOCETHTOOL, request)
    except OSError as error:
        raise SystemActionError(f"the offloads of {interface} cannot be read or set: {error.strerror}") from error
    return buffer.tobytes()


def features(interface: str) -> dict[str, Feature]:
    """By the kernel's names (netdev_features_strings)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        info = _ioctl(sock, interface, struct.pack("=IIQI", _GSSET_INFO, 0, 1 << _FEATURES_SET, 0))
        count = struct.unpack_from("=I", info, 16)[0]
        raw = _ioctl(sock, interface, struct.pack("=III", _GSTRINGS, _FEATURES_SET, count) + bytes(count * _NAME))
        names = [raw[12 + i * _NAME : 12 + (i + 1) * _NAME].split(b"\0")[0].decode() for i in range(count)]
        words = (count + 31) // 32
        state = _ioctl(sock, interface, struct.pack("=II", _GFEATURES, words) + bytes(words * 16))
    found = {}
    for bit, name in enumerate(names):
        available, _, active, never = struct.unpack_from("=IIII", state, 8 + bit // 32 * 16)
        mask = 1 << bit % 32
        found[name] = Feature(bit, bool(active & mask), not available & mask or bool(never & mask))
    return found


def switch_off(interface: str, names: frozenset[str]) -> None:
    """Only those that exist here and can be changed; a driver without one has nothing to switch off."""
    known = features(interface)
    bits = [known[name].bit for name in names if name in known and not known[name].fixed]
    words = max(feature.bit for feature in known.values()) // 32 + 1
    valid = [0] * words
    for bit in bits:
        valid[bit // 32] |= 1 << bit % 32
    blocks = b"".join(struct.pack("=II", mask, 0) for mask in valid)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        _ioctl(sock, interface, struct.pack("=II", _SFEATURES, words) + blocks)
