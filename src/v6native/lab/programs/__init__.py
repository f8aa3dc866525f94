# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Small programs that run on nodes of the lab where no common tool does the same: echo servers and their clients."""
