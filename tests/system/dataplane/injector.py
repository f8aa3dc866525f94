# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A real ring buffer, and a BPF program that fills it with what a test says: events without the traffic that makes them."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.system.dataplane.build import compile_bpf
from v6native.dataplane.bpf_object import BpfObject
from v6native.dataplane.log_events import LogEvent, pack
from v6native.dataplane.maps import BpfMap

_ETHERNET = bytes(12) + b"\x86\xdd"
_RECORD = 56


class Injector:
    """`ring` None: a new one, of so many bytes."""

    def __init__(self, ring: BpfMap | None = None, size: int = 65536) -> None:
        self._object = BpfObject(_compiled())
        if ring is None:
            self._object.resize("log_events", size)
        else:
            self._object.resize("log_events", ring.max_entries)
            self._object.reuse("log_events", ring)
        self._object.load()
        self.ring = self._object.maps["log_events"]

    def put(self, event: LogEvent) -> bool:
        """False: the ring is full."""
        return self._object.programs["inject"].run(_ETHERNET + pack(event)).action == 0

    def fill(self, event: LogEvent) -> None:
        """Until there is no room."""
        times = self.ring.max_entries // (_RECORD + 8) + 1
        assert self._object.programs["inject"].run(_ETHERNET + pack(event), repeat=times).action != 0

    def put_bytes(self, record: bytes) -> None:
        assert self._object.programs["inject"].run(_ETHERNET + record.ljust(_RECORD, b"\0")).action == 0

    def put_discarded(self) -> None:
        assert self._object.programs["inject_discarded"].run(_ETHERNET + bytes(_RECORD)).action == 0

    def close(self) -> None:
        self._object.close()


@contextlib.contextmanager
def injector(ring: BpfMap | None = None, size: int = 65536) -> Iterator[Injector]:
    made = Injector(ring, size)
    try:
        yield made
    finally:
        made.close()


@cache
def _compiled() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="v6native-inject-"))
    compile_bpf(Path(__file__).with_name("inject.bpf.c"), folder / "inject.bpf.o")
    return folder / "inject.bpf.o"
