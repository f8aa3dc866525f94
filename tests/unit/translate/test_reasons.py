# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""One list of verdicts: bpf/reasons.h. The enum repeats names, order and kinds, nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from v6native.translate.reasons import Kind, Reason

HEADER = Path(__file__).parents[3] / "bpf" / "reasons.h"


def test_the_enum_is_the_header() -> None:
    rows = re.findall(r'REASON\((\w+),\s*(\w+),[\s\\]*"', HEADER.read_text())
    assert rows == [(reason.name, reason.kind.name) for reason in Reason]
    assert [reason.value[0] for reason in Reason] == list(range(len(rows)))


def test_every_kind_is_used() -> None:
    assert {reason.kind for reason in Reason} == set(Kind)
