# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""One loaded BPF program: who it is, and running it on a packet (BPF_PROG_TEST_RUN)."""

from __future__ import annotations

import ctypes
import os
from ctypes import c_uint32
from dataclasses import dataclass
from pathlib import Path

from v6native.dataplane.libbpf import Libbpf, ProgInfo, TestRunOpts, libbpf

TC_ACT_OK = 0
TC_ACT_SHOT = 2
TC_ACT_REDIRECT = 7
# -1: the operator's filters behind ours decide, and then the stack.
TC_ACT_UNSPEC = 0xFFFFFFFF
# For programs that read no packet: an Ethernet header is the least that a test run takes.
NO_PACKET = bytes(14)
# A test run takes one page less head and tail room; what comes out may be longer than what went in.
_OUT_BYTES = 65536


class SkBuff(ctypes.Structure):
    """struct __sk_buff; a test run takes only some of its fields and wants the others zero."""

    _fields_ = (
        ("len", c_uint32),
        ("pkt_type", c_uint32),
        ("mark", c_uint32),
        ("queue_mapping", c_uint32),
        ("protocol", c_uint32),
        ("vlan_present", c_uint32),
        ("vlan_tci", c_uint32),
        ("vlan_proto", c_uint32),
        ("priority", c_uint32),
        ("ingress_ifindex", c_uint32),
        ("ifindex", c_uint32),
        ("tc_index", c_uint32),
        ("cb", c_uint32 * 5),
        ("hash", c_uint32),
        ("tc_classid", c_uint32),
        ("data", c_uint32),
        ("data_end", c_uint32),
        ("napi_id", c_uint32),
        ("family", c_uint32),
        ("remote_ip4", c_uint32),
        ("local_ip4", c_uint32),
        ("remote_ip6", c_uint32 * 4),
        ("local_ip6", c_uint32 * 4),
        ("remote_port", c_uint32),
        ("local_port", c_uint32),
        ("data_meta", c_uint32),
        ("flow_keys", ctypes.c_uint64),
        ("tstamp", ctypes.c_uint64),
        ("wire_len", c_uint32),
        ("gso_segs", c_uint32),
        ("sk", ctypes.c_uint64),
        ("gso_size", c_uint32),
        ("tstamp_type", ctypes.c_uint8),
        ("pad", ctypes.c_uint8 * 3),
        ("hwtstamp", ctypes.c_uint64),
    )
    mark: int
    ifindex: int


@dataclass(frozen=True, slots=True)
class Ran:
    """What a test run left: the tc action, the frame, its mark and interface, nanoseconds a run."""

    action: int
    frame: bytes
    mark: int
    ifindex: int
    nanoseconds: int


class Program:
    """An open program. It owns its file descriptor, unless `own` is false."""

    def __init__(self, fd: int, *, own: bool = True) -> None:
        self.fd = fd
        self._own = own
        self._bpf: Libbpf = libbpf()
        ids = (c_uint32 * 64)()
        info = ProgInfo(nr_map_ids=len(ids), map_ids=ctypes.addressof(ids))
        size = c_uint32(ctypes.sizeof(info))
        self._bpf.call("bpf_obj_get_info_by_fd", fd, ctypes.byref(info), ctypes.byref(size))
        self.id: int = info.id
        self.name: str = info.name.decode()
        self.map_ids = frozenset(int(i) for i in ids[: min(info.nr_map_ids, len(ids))])

    @classmethod
    def pinned(cls, path: Path) -> Program:
        return cls(libbpf().call("bpf_obj_get", os.fsencode(path)))

    @classmethod
    def by_id(cls, number: int) -> Program:
        return cls(libbpf().call("bpf_prog_get_fd_by_id", number))

    def pin(self, path: Path) -> None:
        self._bpf.call("bpf_obj_pin", self.fd, os.fsencode(path))

    def close(self) -> None:
        if self._own and self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def run(self, frame: bytes, *, mark: int = 0, priority: int = 0, ifindex: int = 0, repeat: int = 1) -> Ran:
        """Run it on an Ethernet frame as if received on that interface (0: loopback). Counters and sessions are real."""
        into, out = SkBuff(mark=mark, priority=priority, ifindex=ifindex), SkBuff()
        data, room = ctypes.create_string_buffer(frame, len(frame)), ctypes.create_string_buffer(_OUT_BYTES)
        options = TestRunOpts(
            sz=ctypes.sizeof(TestRunOpts),
            data_in=ctypes.addressof(data),
            data_size_in=len(frame),
            data_out=ctypes.addressof(room),
            data_size_out=len(room),
            ctx_in=ctypes.addressof(into),
            ctx_size_in=ctypes.sizeof(into),
            ctx_out=ctypes.addressof(out),
            ctx_size_out=ctypes.sizeof(out),
            repeat=repeat,
        )
        self._bpf.call("bpf_prog_test_run_opts", self.fd, ctypes.byref(options))
        return Ran(options.retval, room.raw[: options.data_size_out], out.mark, out.ifindex, options.duration)
