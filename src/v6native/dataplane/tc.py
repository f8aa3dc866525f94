# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Programs at tc ingress of an interface: one filter of ours, always with the same priority and handle (tc-bpf(8)).

Other programs' filters are left alone; the clsact qdisc goes with the last filter on it.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from ctypes import byref

from v6native.dataplane.libbpf import TC_INGRESS, TC_REPLACE, Libbpf, TcHook, TcOpts, libbpf

PRIORITY = 64
HANDLE = 64

_INGRESS_PARENT, _EGRESS_PARENT = 0xFFFFFFF2, 0xFFFFFFF3
_TC_INGRESS_AND_EGRESS = 3
_RTM_GETTFILTER, _NLM_F_REQUEST, _NLM_F_DUMP = 46, 1, 0x300
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_HEADER = struct.Struct("=IHHII")
_TCMSG = struct.Struct("=BxxxiIII")


def attach(ifindex: int, program_fd: int) -> None:
    """Attach, or replace in one step what we had attached there."""
    bpf = libbpf()
    hook = _hook(ifindex)
    # -EEXIST: clsact is there already.
    if (result := bpf.c.bpf_tc_hook_create(byref(hook))) not in (0, -errno.EEXIST):
        raise OSError(-result, errno.errorcode.get(-result, ""))
    _try(bpf, "bpf_tc_attach", hook, _options(prog_fd=program_fd, flags=TC_REPLACE))


def query(ifindex: int) -> int | None:
    """The id of the program at our place; None: none, or no such interface."""
    options = _options()
    try:
        _try(libbpf(), "bpf_tc_query", _hook(ifindex), options)
    except OSError as why:
        # EINVAL: no clsact on it.
        if why.errno in (errno.ENOENT, errno.ENODEV, errno.EINVAL):
            return None
        raise
    return options.prog_id


def detach(ifindex: int) -> None:
    """Remove our filter, and clsact if no filter is left on it."""
    bpf = libbpf()
    _try(bpf, "bpf_tc_detach", _hook(ifindex), _options())
    if not _filters(ifindex, _INGRESS_PARENT) and not _filters(ifindex, _EGRESS_PARENT):
        _try(bpf, "bpf_tc_hook_destroy", _hook(ifindex, _TC_INGRESS_AND_EGRESS))


def _hook(ifindex: int, point: int = TC_INGRESS) -> TcHook:
    return TcHook(sz=ctypes.sizeof(TcHook), ifindex=ifindex, attach_point=point)


def _options(prog_fd: int = 0, flags: int = 0) -> TcOpts:
    return TcOpts(sz=ctypes.sizeof(TcOpts), prog_fd=prog_fd, flags=flags, handle=HANDLE, priority=PRIORITY)


def _try(bpf: Libbpf, name: str, hook: TcHook, options: TcOpts | None = None) -> None:
    arguments = (byref(hook),) if options is None else (byref(hook), byref(options))
    bpf.call(name, *arguments)


def _filters(ifindex: int, parent: int) -> bool:
    """Whether any filter, whoever's, is at that side of clsact. libbpf has no such question: plain netlink."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        body = _TCMSG.pack(socket.AF_UNSPEC, ifindex, 0, parent, 0)
        flags = _NLM_F_REQUEST | _NLM_F_DUMP
        netlink.send(_HEADER.pack(_HEADER.size + len(body), _RTM_GETTFILTER, flags, 1, 0) + body)
        while True:
            answer = netlink.recv(65536)
            at = 0
            while at < len(answer):
                length, kind, *_ = _HEADER.unpack_from(answer, at)
                if kind in (_NLMSG_DONE, _NLMSG_ERROR):
                    return False
                _family, index, _handle, _parent, _info = _TCMSG.unpack_from(answer, at + _HEADER.size)
                if index == ifindex:
                    return True
                at += (length + 3) & ~3
