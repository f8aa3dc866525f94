# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The only door to BPF: libbpf binding, loader, tables, counters, test runs; and the twin in memory."""
