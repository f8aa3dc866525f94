# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Desired − Actual → ordered actions. Pure: what `plan` prints is exactly what `up`, `reload` and `down` do."""

from __future__ import annotations

from v6native.plan.actions import Action
from v6native.plan.actual import Actual, Saved
from v6native.plan.diff import diff

__all__ = ["Action", "Actual", "Saved", "diff"]
