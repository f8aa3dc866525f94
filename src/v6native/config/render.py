# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Configuration problems for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable

from v6native.config.problem import ConfigProblem, Severity
from v6native.errors import ConfigError


def render_errors(error: ConfigError) -> str:
    """All problems of a refused configuration, two lines each, and how many there are."""
    return render_problems(error.problems)


def render_problems(problems: Iterable[ConfigProblem]) -> str:
    """FILE:LINE: SEVERITY: KEY: what is wrong, and below it the remedy; "" for none."""
    listed = list(problems)
    if not listed:
        return ""
    lines = [f"{problem}\n    {problem.remedy}" for problem in listed]
    return "\n".join([*lines, _count(listed)])


def to_json(problems: ConfigError | Iterable[ConfigProblem]) -> list[dict[str, object]]:
    """A list of objects with code, severity, file, line (or null), key, what and remedy."""
    return [
        {
            "code": problem.code,
            "severity": str(problem.severity),
            "file": str(problem.file),
            "line": problem.line,
            "key": problem.key,
            "what": problem.what,
            "remedy": problem.remedy,
        }
        for problem in (problems.problems if isinstance(problems, ConfigError) else problems)
    ]


def _count(problems: list[ConfigProblem]) -> str:
    errors = sum(p.severity is Severity.ERROR for p in problems)
    counts = [(errors, "error"), (len(problems) - errors, "warning")]
    return ", ".join(f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count)
