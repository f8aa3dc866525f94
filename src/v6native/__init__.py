# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""v6native runs an IPv6-native network from one file."""

__version__ = "0.1.0"
