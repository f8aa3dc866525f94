# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Records of the ring as events."""

from __future__ import annotations

from tests.unit.log.events import binding, block
from v6native.dataplane.log_events import ALL_PROTOS, LAYOUT, LogKind, pack, parse


def test_a_record_byte_by_byte() -> None:
    event = block(0, client="2001:db8:64:a::/64", began=1.0, at=2.0, kind=LogKind.BLOCK_GIVEN_BACK)
    record = pack(event)
    assert len(record) == LAYOUT.size == 56
    assert record[16:32].hex() == "20010db80064000a0000000000000000"
    assert record[32:36] == bytes((192, 0, 2, 1))
    assert (record[42], record[43], record[44]) == (2, ALL_PROTOS, 64)
    assert record[45:] == bytes(11)


def test_what_is_packed_is_parsed() -> None:
    told = [block(3), binding(40000, proto=2), binding(7, kind=LogKind.BIB_DELETED)]
    assert list(parse(pack(event) for event in told)) == told
    assert [event.begins for event in told] == [True, True, False]


def test_what_a_newer_data_plane_may_tell_is_left_out() -> None:
    record = pack(block(0))
    assert list(parse([record[:42] + b"\x09" + record[43:], record + b"\0", record[:-1], b""])) == []
