# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""One mistake in the configuration: where, what, and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """`code` is stable, for programs; `line` counts from 1, None where the whole file is meant; `key` is dotted."""

    code: str
    file: Path
    line: int | None
    key: str
    what: str
    remedy: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line is not None else str(self.file)
        key = f"{self.key}: " if self.key else ""
        return f"{place}: {self.severity}: {key}{self.what}"
