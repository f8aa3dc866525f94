# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Expiry ends sessions in slices short enough for the packets that wait behind them, and ends all of them."""

from __future__ import annotations

from tests.packets.build import udp6
from tests.packets.harness import Bench, nat64_settings

DUE = 1000
"""SWEEP_DUE."""
_FOREVER = 100_000.0


def swept(bench: Bench) -> int:
    """One slice; gives whether it stopped early."""
    return bench.plane.generation().programs["sweep_now"].run(bytes(64)).action


def test_a_slice_ends_so_many_sessions_and_the_next_one_goes_on_where_it_stopped(bench: Bench) -> None:
    bench.configure(nat64_settings())
    bench.flood(udp6(src=f"2001:db8:64:{number // 100:x}::5", sport=5000 + number % 100) for number in range(2500))
    assert bench.plane.totals().sessions == 2500
    assert swept(bench) == 0
    bench.advance(_FOREVER)
    left = []
    while swept(bench):
        left.append(bench.plane.totals().sessions)
    assert left == [2500 - DUE, 2500 - 2 * DUE]
    assert bench.plane.totals().sessions == 0
