# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A finding: what is wrong, and what to do. Codes are stable; docs/reference/findings.md explains each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """ERROR: the main job does not work. WARNING: it will not, or not for everybody. INFO: worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """`depends_on`: codes of findings that would cause this one; where one of them is found, this one is hidden."""

    code: str
    severity: Severity
    text: str
    remedy: str
    depends_on: tuple[str, ...] = ()
