# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Measurements side by side: v6native beside what the kernel does without it, over the same namespaces."""
