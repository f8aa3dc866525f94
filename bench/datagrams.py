# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Many datagrams in one system call, and many back (sendmmsg(2), recvmmsg(2)): what makes Python fast enough to saturate a server."""

from __future__ import annotations

import ctypes
import os
import socket
from ctypes import POINTER, Structure, addressof, c_int, c_size_t, c_uint, c_uint32, c_void_p, memmove

BATCH = 32
_SLOT = 512
_RECEIVED = 64
_RECEIVE_BUFFER = 4 << 20
# QR is in the octet before; here RA, and the response code.
_FLAGS, _ANSWERS, _GOOD = 3, 7, b"\x80"


class _Iovec(Structure):
    _fields_ = (("base", c_void_p), ("len", c_size_t))


class _Msghdr(Structure):
    _fields_ = (
        ("name", c_void_p),
        ("namelen", c_uint32),
        ("iov", POINTER(_Iovec)),
        ("iovlen", c_size_t),
        ("control", c_void_p),
        ("controllen", c_size_t),
        ("flags", c_int),
    )


class _Mmsghdr(Structure):
    _fields_ = (("hdr", _Msghdr), ("len", c_uint))


def _vector(buffer: int, size: int, count: int) -> tuple[ctypes.Array[_Mmsghdr], ctypes.Array[_Iovec]]:
    """`count` messages of `size` octets each; both are to be kept for as long as they are used."""
    iovecs = (_Iovec * count)(*[_Iovec(buffer + number * size, size) for number in range(count)])
    messages = (_Mmsghdr * count)()
    for message, iovec in zip(messages, iovecs, strict=True):
        message.hdr.iov, message.hdr.iovlen = ctypes.pointer(iovec), 1
    return messages, iovecs


class Batches:
    """A connected UDP socket to a DNS server. `wrong`: answers so far that were no NOERROR with a record."""

    def __init__(self, address: str, port: int, size: int, patience: float) -> None:
        """`size`: of every question, octets. `patience`: how long `receive` waits, seconds; 0: not at all."""
        self.wrong = 0
        self.socket = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self.socket.connect((address, port))
        self._size = size
        self._fd = self.socket.fileno()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._out = ctypes.create_string_buffer(size * BATCH)
        self._in = ctypes.create_string_buffer(_SLOT * _RECEIVED)
        self._arrived = memoryview(self._in).cast("B")
        self._send, self._send_iovecs = _vector(addressof(self._out), size, BATCH)
        self._receive, self._receive_iovecs = _vector(addressof(self._in), _SLOT, _RECEIVED)
        self._flags = socket.MSG_DONTWAIT
        if patience:
            # MSG_WAITFORONE: waits for the first, as long as the socket's own timeout.
            self._flags = 0x10000
            seconds = int(patience)
            micro = int((patience - seconds) * 1e6)
            span = seconds.to_bytes(8, "little") + micro.to_bytes(8, "little")
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, span)

    def close(self) -> None:
        self.socket.close()

    def send(self, octets: bytes) -> int:
        """Questions that lie one behind the other, at most BATCH; how many were sent."""
        memmove(self._out, octets, len(octets))
        sent = self._libc.sendmmsg(self._fd, self._send, len(octets) // self._size, 0)
        if sent < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return int(sent)

    def receive(self) -> int:
        """How many answers there were; 0 where none came in time."""
        count = int(self._libc.recvmmsg(self._fd, self._receive, _RECEIVED, self._flags, None))
        if count < 0:
            if ctypes.get_errno() not in (11, 4):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            return 0
        end = count * _SLOT
        good = self._arrived[_FLAGS:end:_SLOT].tobytes().count(_GOOD)
        empty = self._arrived[_ANSWERS:end:_SLOT].tobytes().count(b"\0")
        self.wrong += max(count - good, empty)
        return count
