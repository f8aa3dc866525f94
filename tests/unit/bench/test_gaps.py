# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What a ping says about gaps: held-up and lost packets are in it, ping's own lateness is not."""

from __future__ import annotations

import pytest

from bench.expiry import gaps

TOLD = """\
PING ::1(::1) 56 data bytes
64 bytes from ::1: icmp_seq=1 ttl=64 time=0.050 ms
64 bytes from ::1: icmp_seq=2 ttl=64 time=15.05 ms
64 bytes from ::1: icmp_seq=3 ttl=64 time=5.05 ms
64 bytes from ::1: icmp_seq=6 ttl=64 time=0.050 ms

--- ::1 ping statistics ---
6 packets transmitted, 4 received, 33% packet loss, time 50ms
"""


def test_gaps_are_of_round_trips_and_losses() -> None:
    assert gaps(TOLD) == pytest.approx([25.0, 0.0, 25.0])
