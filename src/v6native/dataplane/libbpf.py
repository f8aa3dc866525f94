# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The C library libbpf 1.x, function by function, through ctypes: a router needs no compiler.

Every call that can fail goes through `check`, which turns a negative return or a NULL into an OSError with the kernel's
errno. What libbpf would print is kept (`said`), for the error that follows.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections import deque
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from functools import cache
from typing import Any

from v6native.errors import EnvironmentRefused

SONAME = "libbpf.so.1"
TC_INGRESS = 1
TC_REPLACE = 1

BPF_ANY = 0
BPF_NOEXIST = 1
BPF_F_NO_PREALLOC = 1
BPF_F_MMAPABLE = 1 << 10


class OpenOpts(ctypes.Structure):
    """struct bpf_object_open_opts, up to what we set; libbpf takes a shorter one by its `sz`."""

    _fields_ = (
        ("sz", c_size_t),
        ("object_name", c_char_p),
        ("relaxed_maps", ctypes.c_bool),
        ("pin_root_path", c_char_p),
        ("unused", c_uint32),
        ("kconfig", c_char_p),
        ("btf_custom_path", c_char_p),
        ("kernel_log_buf", c_void_p),
        ("kernel_log_size", c_size_t),
        ("kernel_log_level", c_uint32),
    )


class TcHook(ctypes.Structure):
    """struct bpf_tc_hook."""

    _fields_ = (("sz", c_size_t), ("ifindex", c_int), ("attach_point", c_int), ("parent", c_uint32))


class TcOpts(ctypes.Structure):
    """struct bpf_tc_opts."""

    _fields_ = (
        ("sz", c_size_t),
        ("prog_fd", c_int),
        ("flags", c_uint32),
        ("prog_id", c_uint32),
        ("handle", c_uint32),
        ("priority", c_uint32),
    )
    prog_id: int


class TestRunOpts(ctypes.Structure):
    """struct bpf_test_run_opts."""

    _fields_ = (
        ("sz", c_size_t),
        ("data_in", c_void_p),
        ("data_out", c_void_p),
        ("data_size_in", c_uint32),
        ("data_size_out", c_uint32),
        ("ctx_in", c_void_p),
        ("ctx_out", c_void_p),
        ("ctx_size_in", c_uint32),
        ("ctx_size_out", c_uint32),
        ("retval", c_uint32),
        ("repeat", c_int),
        ("duration", c_uint32),
        ("flags", c_uint32),
        ("cpu", c_uint32),
        ("batch_size", c_uint32),
    )
    data_size_out: int
    retval: int
    duration: int


class BatchOpts(ctypes.Structure):
    """struct bpf_map_batch_opts."""

    _fields_ = (("sz", c_size_t), ("elem_flags", c_uint64), ("flags", c_uint64))


class MapInfo(ctypes.Structure):
    """struct bpf_map_info, up to what we read."""

    _fields_ = (
        ("type", c_uint32),
        ("id", c_uint32),
        ("key_size", c_uint32),
        ("value_size", c_uint32),
        ("max_entries", c_uint32),
        ("map_flags", c_uint32),
        ("name", ctypes.c_char * 16),
        ("ifindex", c_uint32),
        ("btf_vmlinux_value_type_id", c_uint32),
        ("netns_dev", c_uint64),
        ("netns_ino", c_uint64),
        ("btf_id", c_uint32),
        ("btf_key_type_id", c_uint32),
        ("btf_value_type_id", c_uint32),
        ("pad", c_uint32),
    )
    type: int
    id: int
    key_size: int
    value_size: int
    max_entries: int
    map_flags: int
    name: bytes
    btf_id: int
    btf_key_type_id: int
    btf_value_type_id: int


class ProgInfo(ctypes.Structure):
    """struct bpf_prog_info, up to what we read."""

    _fields_ = (
        ("type", c_uint32),
        ("id", c_uint32),
        ("tag", ctypes.c_uint8 * 8),
        ("jited_prog_len", c_uint32),
        ("xlated_prog_len", c_uint32),
        ("jited_prog_insns", c_uint64),
        ("xlated_prog_insns", c_uint64),
        ("load_time", c_uint64),
        ("created_by_uid", c_uint32),
        ("nr_map_ids", c_uint32),
        ("map_ids", c_uint64),
        ("name", ctypes.c_char * 16),
    )
    id: int
    nr_map_ids: int
    map_ids: int
    name: bytes


# function: (result, arguments). `p` is any pointer: opaque objects and our own buffers alike.
_p = c_void_p
PROTOTYPES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "bpf_object__open_mem": (_p, (c_char_p, c_size_t, _p)),
    "bpf_object__load": (c_int, (_p,)),
    "bpf_object__close": (None, (_p,)),
    "bpf_object__btf": (_p, (_p,)),
    "bpf_object__next_map": (_p, (_p, _p)),
    "bpf_object__next_program": (_p, (_p, _p)),
    "bpf_map__name": (c_char_p, (_p,)),
    "bpf_map__fd": (c_int, (_p,)),
    "bpf_map__type": (c_uint32, (_p,)),
    "bpf_map__key_size": (c_uint32, (_p,)),
    "bpf_map__value_size": (c_uint32, (_p,)),
    "bpf_map__max_entries": (c_uint32, (_p,)),
    "bpf_map__map_flags": (c_uint32, (_p,)),
    "bpf_map__is_internal": (ctypes.c_bool, (_p,)),
    "bpf_map__set_max_entries": (c_int, (_p, c_uint32)),
    "bpf_map__set_map_flags": (c_int, (_p, c_uint32)),
    "bpf_map__initial_value": (_p, (_p, POINTER(c_size_t))),
    "bpf_map_create": (c_int, (c_uint32, c_char_p, c_uint32, c_uint32, c_uint32, _p)),
    "bpf_map__reuse_fd": (c_int, (_p, c_int)),
    "bpf_program__name": (c_char_p, (_p,)),
    "bpf_program__fd": (c_int, (_p,)),
    "bpf_program__autoload": (ctypes.c_bool, (_p,)),
    "bpf_program__set_autoload": (c_int, (_p, ctypes.c_bool)),
    "btf__load_from_kernel_by_id": (_p, (c_uint32,)),
    "btf__raw_data": (_p, (_p, POINTER(c_uint32))),
    "btf__free": (None, (_p,)),
    "bpf_obj_pin": (c_int, (c_int, c_char_p)),
    "bpf_obj_get": (c_int, (c_char_p,)),
    "bpf_obj_get_info_by_fd": (c_int, (c_int, _p, POINTER(c_uint32))),
    "bpf_prog_get_fd_by_id": (c_int, (c_uint32,)),
    "bpf_map_lookup_elem": (c_int, (c_int, _p, _p)),
    "bpf_map_update_elem": (c_int, (c_int, _p, _p, c_uint64)),
    "bpf_map_lookup_and_delete_elem": (c_int, (c_int, _p, _p)),
    "bpf_map_delete_elem": (c_int, (c_int, _p)),
    "bpf_map_get_next_key": (c_int, (c_int, _p, _p)),
    "bpf_map_lookup_batch": (c_int, (c_int, _p, _p, _p, _p, POINTER(c_uint32), _p)),
    "bpf_prog_test_run_opts": (c_int, (c_int, POINTER(TestRunOpts))),
    "bpf_tc_hook_create": (c_int, (POINTER(TcHook),)),
    "bpf_tc_hook_destroy": (c_int, (POINTER(TcHook),)),
    "bpf_tc_attach": (c_int, (POINTER(TcHook), POINTER(TcOpts))),
    "bpf_tc_detach": (c_int, (POINTER(TcHook), POINTER(TcOpts))),
    "bpf_tc_query": (c_int, (POINTER(TcHook), POINTER(TcOpts))),
    "libbpf_num_possible_cpus": (c_int, ()),
}

_PRINT = ctypes.CFUNCTYPE(c_int, c_int, c_char_p, c_void_p)
_WARNING = 0
# libbpf says a hundred lines at most about one failure.
_KEPT_LINES = 200


class Libbpf:
    """The library, loaded. `said` holds its latest warnings."""

    def __init__(self, c: ctypes.CDLL) -> None:
        self.c = c
        self.said: deque[str] = deque(maxlen=_KEPT_LINES)
        for name, (result, arguments) in PROTOTYPES.items():
            function = getattr(c, name)
            function.restype, function.argtypes = result, arguments
        libc = ctypes.CDLL(None)
        libc.vsnprintf.argtypes = (c_void_p, c_size_t, c_char_p, c_void_p)

        def keep(level: int, text: bytes, arguments: int | None) -> int:
            if level > _WARNING:
                return 0
            line = ctypes.create_string_buffer(2048)
            libc.vsnprintf(line, len(line), text, arguments)
            self.said.append(line.value.decode(errors="replace").rstrip())
            return 0

        # The library calls it for as long as it is loaded: it must not be collected.
        self._print = _PRINT(keep)
        c.libbpf_set_print(self._print)

    def call(self, name: str, *arguments: Any) -> int:
        """Call a function that returns an int; a negative one is an OSError."""
        result: int = getattr(self.c, name)(*arguments)
        if result < 0:
            raise OSError(-result, os.strerror(-result))
        return result

    def pointer(self, name: str, *arguments: Any) -> int:
        """Call a function that returns a pointer; NULL is an OSError with the thread's errno."""
        result: int | None = getattr(self.c, name)(*arguments)
        if not result:
            number = ctypes.get_errno() or errno.EINVAL
            raise OSError(number, os.strerror(number))
        return result

    def walk(self, name: str, owner: int) -> list[int]:
        """The pointers that a `bpf_object__next_*` function yields."""
        found: list[int] = []
        here: int | None = None
        while here := getattr(self.c, name)(owner, here):
            found.append(here)
        return found

    def btf_bytes(self, btf: int) -> bytes:
        """The raw BTF behind a struct btf."""
        size = c_uint32()
        return ctypes.string_at(self.pointer("btf__raw_data", btf, ctypes.byref(size)), size.value)


@cache
def libbpf() -> Libbpf:
    """The library. There is one in a process, and its print function with it: so one object here too."""
    try:
        return Libbpf(ctypes.CDLL(SONAME, use_errno=True))
    except (OSError, AttributeError) as why:
        raise EnvironmentRefused(
            f"the library {SONAME} (version 1.0 or newer) cannot be used: {why}. Install it: apt install libbpf1"
        ) from why
