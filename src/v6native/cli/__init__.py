# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The command line: one file a verb, each a thin reader of the API's documents. `main` is the console script."""
