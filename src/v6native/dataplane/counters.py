# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The verdicts' counters, with the names and texts that the loaded objects carry themselves (bpf/verdict.h)."""

from __future__ import annotations

import ctypes
import struct
import sys

from v6native.dataplane.abi import ReasonText
from v6native.dataplane.door import Reason
from v6native.dataplane.loader import Generation

REASONS_MAP = "rodata_reasons"


def reasons(generation: Generation, of: str) -> tuple[Reason, ...]:
    """The reasons of one object, in the order of their counters."""
    texts = generation.map(of, REASONS_MAP)
    if texts is None:
        return ()
    raw, size = texts.at(0), ctypes.sizeof(ReasonText)
    found = [ReasonText.from_buffer_copy(raw, at) for at in range(0, len(raw) - size + 1, size)]
    return tuple(Reason(r.name.decode(), r.kind.decode(), r.text.decode()) for r in found)


def read(generation: Generation, of: str) -> dict[str, int]:
    """Packets by reason of one object, summed over the CPUs."""
    counters = generation.map(of, "counters")
    if counters is None:
        return {}
    order = "<" if sys.byteorder == "little" else ">"
    sums = [sum(value for (value,) in struct.iter_unpack(f"{order}Q", each)) for _key, each in counters.items()]
    return {reason.name: sums[index] for index, reason in enumerate(reasons(generation, of))}
