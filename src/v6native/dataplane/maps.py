# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""One BPF map: keys and values as bytes, whole maps in batches."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from ctypes import c_uint32
from pathlib import Path

from v6native.dataplane.btf import Btf, Field
from v6native.dataplane.libbpf import BPF_ANY, BPF_F_MMAPABLE, BatchOpts, Libbpf, MapInfo, libbpf

HASH, ARRAY, PERCPU_ARRAY, LRU_HASH, LPM_TRIE, QUEUE = 1, 2, 6, 9, 11, 22
_BATCH = 4096
# The kernel's own number for `not supported`; it is in no C library's header.
_ENOTSUPP = 524


class BpfMap:
    """An open map. It owns its file descriptor, unless `own` is false (libbpf's object owns it)."""

    def __init__(self, fd: int, *, own: bool = True) -> None:
        self.fd = fd
        self._own = own
        self._bpf: Libbpf = libbpf()
        info = MapInfo()
        size = c_uint32(ctypes.sizeof(info))
        self._bpf.call("bpf_obj_get_info_by_fd", fd, ctypes.byref(info), ctypes.byref(size))
        self.id: int = info.id
        self.type: int = info.type
        self.key_size: int = info.key_size
        self.value_size: int = info.value_size
        self.max_entries: int = info.max_entries
        self.mmapable = bool(info.map_flags & BPF_F_MMAPABLE)
        self._btf_id: int = info.btf_id
        self._key_type: int = info.btf_key_type_id
        self._value_type: int = info.btf_value_type_id

    @classmethod
    def pinned(cls, path: Path) -> BpfMap:
        """Open a pinned map; FileNotFoundError where nothing is pinned."""
        return cls(libbpf().call("bpf_obj_get", os.fsencode(path)))

    @classmethod
    def array(cls, name: str, value_size: int) -> BpfMap:
        """A new array of one element."""
        return cls(libbpf().call("bpf_map_create", ARRAY, name.encode(), 4, value_size, 1, None))

    def pin(self, path: Path) -> None:
        self._bpf.call("bpf_obj_pin", self.fd, os.fsencode(path))

    def close(self) -> None:
        if self._own and self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    @property
    def _value_bytes(self) -> int:
        # Per-CPU values are padded to 8 bytes, one for each possible CPU.
        if self.type == PERCPU_ARRAY:
            return (self.value_size + 7) // 8 * 8 * self._bpf.call("libbpf_num_possible_cpus")
        return self.value_size

    def get(self, key: bytes) -> bytes | None:
        """The value of a key (of all CPUs, one after the other, for a per-CPU map), None where there is none."""
        value = ctypes.create_string_buffer(self._value_bytes)
        try:
            self._bpf.call("bpf_map_lookup_elem", self.fd, key or None, value)
        except FileNotFoundError:
            return None
        return value.raw

    def set(self, key: bytes, value: bytes, flags: int = BPF_ANY) -> None:
        """Write a value; FileExistsError with BPF_NOEXIST where the key is there. A queue takes an empty key: push."""
        if len(key) != self.key_size or len(value) != self._value_bytes:
            raise ValueError(
                f"key of {len(key)} and value of {len(value)} bytes for {self.key_size}, {self._value_bytes}"
            )
        self._bpf.call("bpf_map_update_elem", self.fd, key or None, value, flags)

    def pop(self) -> bytes | None:
        """Take the oldest value out of a queue; None: it is empty."""
        value = ctypes.create_string_buffer(self.value_size)
        try:
            self._bpf.call("bpf_map_lookup_and_delete_elem", self.fd, None, value)
        except FileNotFoundError:
            return None
        return value.raw

    def delete(self, key: bytes) -> bool:
        """Whether there was such a key."""
        try:
            self._bpf.call("bpf_map_delete_elem", self.fd, key)
        except FileNotFoundError:
            return False
        return True

    def at(self, index: int) -> bytes:
        """Element of an array; IndexError past its end."""
        value = self.get(bytes(c_uint32(index)))
        if value is None:
            raise IndexError(index)
        return value

    def at_cpu(self, index: int, cpu: int) -> bytes:
        """One CPU's value of an element of a per-CPU array."""
        size = (self.value_size + 7) // 8 * 8
        return self.at(index)[cpu * size : cpu * size + self.value_size]

    def put(self, index: int, value: bytes) -> None:
        """Write an element of an array."""
        self.set(bytes(c_uint32(index)), value)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """All keys with their values, lazily, in batches. One that comes or goes meanwhile may or may not be seen."""
        cursor = ctypes.create_string_buffer(max(self.key_size, 4))
        keys = ctypes.create_string_buffer(self.key_size * _BATCH)
        values = ctypes.create_string_buffer(self._value_bytes * _BATCH)
        options = BatchOpts(sz=ctypes.sizeof(BatchOpts))
        started, more = False, True
        while more:
            count = c_uint32(_BATCH)
            try:
                self._bpf.call(
                    "bpf_map_lookup_batch", self.fd, cursor if started else None, cursor, keys, values,
                    ctypes.byref(count), ctypes.byref(options),
                )  # fmt: skip
            except FileNotFoundError:
                # The end; what this batch found is still in `count`.
                more = False
            except OSError as why:
                if started or why.errno not in (_ENOTSUPP, errno.EOPNOTSUPP, errno.EINVAL):
                    raise
                yield from self._walk()
                return
            started = True
            k, v = self.key_size, self._value_bytes
            found_keys, found_values = keys.raw[: count.value * k], values.raw[: count.value * v]
            for at in range(count.value):
                yield found_keys[at * k : at * k + k], found_values[at * v : at * v + v]

    def _walk(self) -> Iterator[tuple[bytes, bytes]]:
        """Key by key, for a kind of map that has no batches."""
        key: bytes | None = None
        following = ctypes.create_string_buffer(self.key_size)
        while True:
            try:
                self._bpf.call("bpf_map_get_next_key", self.fd, key, following)
            except FileNotFoundError:
                return
            key = following.raw
            if (value := self.get(key)) is not None:
                yield key, value

    def fields(self) -> tuple[tuple[Field, ...], tuple[Field, ...]]:
        """The fields of its key and of its value, as the map's own BTF describes them; none for a plain number."""
        if not self._btf_id:
            return (), ()
        btf = self._bpf.pointer("btf__load_from_kernel_by_id", self._btf_id)
        try:
            types = Btf(self._bpf.btf_bytes(btf))
            return types.fields(self._key_type), types.fields(self._value_type)
        finally:
            self._bpf.c.btf__free(btf)
