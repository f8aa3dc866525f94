# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Renders what a tunnel's clients get. Reads and writes nothing; the node's own end is in desired/wireguard."""
