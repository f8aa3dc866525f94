# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""One file a check: `check(facts)` yields findings. It reads nothing but the facts, so that a test can make any case."""
