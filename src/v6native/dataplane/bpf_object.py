# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A compiled BPF object: opened, its maps sized or replaced by pinned ones, loaded into the kernel."""

from __future__ import annotations

import ctypes
import errno
import platform
import re
import sys
from collections.abc import Collection
from pathlib import Path
from types import TracebackType

from v6native.dataplane.btf import Btf
from v6native.dataplane.libbpf import BPF_F_MMAPABLE, Libbpf, OpenOpts, libbpf
from v6native.dataplane.maps import BpfMap
from v6native.dataplane.program import Program
from v6native.errors import DataPlaneError, EnvironmentRefused, VerifierRefused

OLDEST_KERNEL = (6, 1)
# The kernel fails a load whose verifier log does not fit; these programs say far less without log_level 2.
_LOG_BYTES = 1 << 24
# The verifier's closing statistics, and its wrapping: not what is wrong.
_NOT_THE_REASON = re.compile(r"^(processed \d+ insns|verification time|stack depth|max_states|;|\d+: |from \d+|-- )")


class BpfObject:
    """`with BpfObject(file) as o: o.resize(...); o.load(); o.programs["nat64"]`. Closing leaves what is pinned."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._bpf: Libbpf = libbpf()
        self._bpf.said.clear()
        self._log = ctypes.create_string_buffer(_LOG_BYTES)
        options = OpenOpts(
            sz=ctypes.sizeof(OpenOpts),
            object_name=file.name.split(".")[0].encode(),
            kernel_log_buf=ctypes.addressof(self._log),
            kernel_log_size=_LOG_BYTES,
        )
        try:
            image = file.read_bytes()
            self._object = self._bpf.pointer("bpf_object__open_mem", image, len(image), ctypes.byref(options))
        except FileNotFoundError as why:
            raise DataPlaneError(
                f"{file}: there is no such BPF object: reinstall v6native, or build it: make objects"
            ) from why
        except OSError as why:
            raise DataPlaneError(f"{file}: not a usable BPF object: {self._told() or why.strerror}") from why
        self._maps = {self._name("bpf_map__name", m): m for m in self._bpf.walk("bpf_object__next_map", self._object)}
        self.maps: dict[str, BpfMap] = {}
        self.programs: dict[str, Program] = {}

    def __enter__(self) -> BpfObject:
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if self._object:
            self._bpf.c.bpf_object__close(self._object)
        self._object = 0
        self.maps, self.programs = {}, {}

    def map_names(self) -> tuple[str, ...]:
        return tuple(self._maps)

    def internal(self, name: str) -> bool:
        """Whether that map is the object's own data (.rodata and the like), new with every load."""
        return bool(self._bpf.c.bpf_map__is_internal(self._maps[name]))

    def value_size(self, name: str) -> int:
        """Bytes of one value of that map."""
        return int(self._bpf.c.bpf_map__value_size(self._maps[name]))

    def resize(self, name: str, entries: int) -> None:
        """Before load: how many elements a map has. An object without that map: nothing."""
        if name in self._maps:
            self._bpf.call("bpf_map__set_max_entries", self._maps[name], entries)

    def share(self, name: str) -> None:
        """Before load: user space maps that array into its memory (BpfMap.memory)."""
        if name in self._maps:
            flags = self._bpf.c.bpf_map__map_flags(self._maps[name]) | BPF_F_MMAPABLE
            self._bpf.call("bpf_map__set_map_flags", self._maps[name], flags)

    def constant(self, name: str, value: int) -> None:
        """Before load: the value of a `const volatile` number of the object. An object without it: nothing."""
        found = next((v for v in self.btf().variables(".rodata") if v.name == name), None)
        rodata = next((m for n, m in self._maps.items() if n.endswith(".rodata")), None)
        if found and rodata:
            size = ctypes.c_size_t()
            start = self._bpf.pointer("bpf_map__initial_value", rodata, ctypes.byref(size))
            ctypes.memmove(start + found.offset, value.to_bytes(found.size, sys.byteorder), found.size)

    def fits(self, name: str, there: BpfMap) -> bool:
        """Whether an existing map has the kind and sizes that this object's programs expect of `name`."""
        it, c = self._maps[name], self._bpf.c
        wanted = (c.bpf_map__type(it), c.bpf_map__key_size(it), c.bpf_map__value_size(it), c.bpf_map__max_entries(it))
        return bool(wanted == (there.type, there.key_size, there.value_size, there.max_entries))

    def reuse(self, name: str, there: BpfMap) -> None:
        """Before load: use an existing map for `name`."""
        self._bpf.call("bpf_map__reuse_fd", self._maps[name], there.fd)

    def btf(self) -> Btf:
        """The object's own description of its types."""
        return Btf(self._bpf.btf_bytes(self._bpf.pointer("bpf_object__btf", self._object)))

    def only(self, names: Collection[str]) -> None:
        """Before load: leave out all programs but these."""
        for program in self._bpf.walk("bpf_object__next_program", self._object):
            self._bpf.call("bpf_program__set_autoload", program, self._name("bpf_program__name", program) in names)

    def load(self) -> None:
        """Create the maps, verify and load the programs; `maps` and `programs` hold them by name."""
        self._bpf.said.clear()
        try:
            self._bpf.call("bpf_object__load", self._object)
        except OSError as why:
            raise self._refusal(why) from why
        c = self._bpf.c
        self.maps = {name: BpfMap(c.bpf_map__fd(m), own=False) for name, m in self._maps.items()}
        for program in filter(c.bpf_program__autoload, self._bpf.walk("bpf_object__next_program", self._object)):
            self.programs[self._name("bpf_program__name", program)] = Program(c.bpf_program__fd(program), own=False)

    def _refusal(self, why: OSError) -> Exception:
        log = self._log.value.decode(errors="replace")
        if why.errno == errno.EPERM and not log:
            return EnvironmentRefused(
                f"{self.file.name}: this process may not load BPF programs: run it as root "
                "(CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON), outside of a container that forbids BPF"
            )
        if why.errno == errno.ENOSYS or kernel_version() < OLDEST_KERNEL:
            return EnvironmentRefused(f"kernel {platform.release()} is too old for v6native: it needs 6.1 or newer")
        failed = next(
            (m for line in self._bpf.said if (m := re.search(r"prog '([^']+)': BPF program load failed", line))), None
        )
        if failed and log:
            return VerifierRefused(
                f"{self.file.name}: the kernel's verifier refused program {failed.group(1)}: {verdict(log)}", log
            )
        return DataPlaneError(f"{self.file.name}: the kernel refused to load it: {self._told() or why.strerror}")

    def _told(self) -> str:
        """libbpf's first warning, which is the cause; the later ones follow from it."""
        return next((line.removeprefix("libbpf: ") for line in self._bpf.said if line.startswith("libbpf: ")), "")

    def _name(self, function: str, it: int) -> str:
        name: bytes = getattr(self._bpf.c, function)(it)
        return name.decode()


def verdict(log: str) -> str:
    """The verifier's reason in one line, with the source line it was at, out of its whole log."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    reason = next((line for line in reversed(lines) if not _NOT_THE_REASON.match(line)), "no reason given")
    source = next((line.removeprefix(";").strip() for line in reversed(lines) if line.startswith(";")), None)
    return f"{reason} (at: {source})" if source else reason


def kernel_version() -> tuple[int, int]:
    """The running kernel's, as (6, 1)."""
    found = re.match(r"(\d+)\.(\d+)", platform.release())
    return (int(found[1]), int(found[2])) if found else (0, 0)
