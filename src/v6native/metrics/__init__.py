# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Prometheus metrics: rendered from one reading of the node, so that the numbers of a scrape belong together."""
