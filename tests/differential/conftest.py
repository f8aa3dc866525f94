# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The bench of the packet tests: our side of each comparison is the program that ships."""

from tests.packets.conftest import loaded_bench

__all__ = ["loaded_bench"]
