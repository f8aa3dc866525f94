# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The IP/ICMP translation algorithm (RFC 7915), both directions, over any Mapper."""

from v6native.translate.rfc7915.v4to6 import translate_4to6
from v6native.translate.rfc7915.v6to4 import translate_6to4

__all__ = ["translate_4to6", "translate_6to4"]
