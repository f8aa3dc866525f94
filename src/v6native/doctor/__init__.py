# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a node and its host: facts are gathered once, each check is a pure function over them."""
