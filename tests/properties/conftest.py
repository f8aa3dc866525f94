# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The bench of the packet tests, for those properties that run the BPF programs."""

from __future__ import annotations

import os

from tests.packets.conftest import loaded_bench

__all__ = ["loaded_bench"]

COUNT = os.environ.get("V6NATIVE_COUNT", "fast")
