# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Notices for the tests of what tells them."""

from __future__ import annotations

from tests.unit.log.events import SECOND, binding, block
from v6native.dataplane.log_events import LogKind
from v6native.log.notice import Notice, notice

# 2026-11-20T18:04:05.250Z
AT = 1_795_197_845_250
OFFSET = AT * 1_000_000 - 60 * SECOND
NAMES = {bytes.fromhex("20010db80064000a0000000000000002"): "laptop"}


def taken(number: int = 0) -> Notice:
    return notice(block(number, client="2001:db8:64:a::2/128", began=60), OFFSET, NAMES)


def given_back(number: int = 0) -> Notice:
    event = block(number, client="2001:db8:64:1::/64", began=30, at=60, kind=LogKind.BLOCK_GIVEN_BACK)
    return notice(event, OFFSET, NAMES)


def created() -> Notice:
    return notice(binding(40000, 4000, proto=1, client="2001:db8:64:a::2", began=60), OFFSET, NAMES)


def deleted() -> Notice:
    return notice(binding(7, 9, proto=2, began=30, at=60, kind=LogKind.BIB_DELETED), OFFSET, NAMES)
