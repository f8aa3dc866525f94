# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever the packet, a dry run says what the live program then does with it, and leaves every table as it was."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.packets.dry import same
from tests.packets.harness import Bench, Outcome, siit_settings
from tests.packets.tables import changed, snapshot
from tests.properties.anew import anew
from tests.properties.shapes import shapes
from tests.properties.test_oracle_nat64 import ARRIVALS, OPENINGS, WAITS, Pair, packets
from tests.properties.test_oracle_siit import EAM, ENDS4, ENDS6
from v6native.translate.verdict import Arrival

# The nightly count takes minutes.
pytestmark = [pytest.mark.root, pytest.mark.timeout(1800)]


class LookingBench(Bench):
    """Every packet is tried before it is sent."""

    def nat64(self, packet: bytes, mark: int = 0) -> Outcome:
        before = snapshot(self)
        self.plane.dry_run("nat64", packet, mark)
        assert changed(before, snapshot(self)) == []
        return same(self, packet, mark)


# Every table is read before and after each packet: half as many as the others in `make test`, a tenth at the full count.
FEWER = settings(max_examples=max(25, settings().max_examples // 10))


@anew
@FEWER
@given(st.data())
def test_the_nat64(loaded_bench: Bench, data: st.DataObject) -> None:
    pair = Pair(LookingBench(loaded_bench.plane))
    pair.wait(1.0)
    for packet in data.draw(st.permutations(OPENINGS))[: data.draw(st.integers(0, len(OPENINGS)))]:
        pair.packet(packet, Arrival.FRESH)
    for _step in range(data.draw(st.integers(1, 4))):
        pair.wait(data.draw(WAITS))
        pair.packet(data.draw(packets(pair)), data.draw(ARRIVALS))


@FEWER
@given(st.data())
def test_the_clat(loaded_bench: Bench, data: st.DataObject) -> None:
    loaded_bench.reset()
    loaded_bench.configure(siit=siit_settings(eam=EAM))
    loaded_bench.advance(1)
    for packet in data.draw(st.lists(shapes(st.one_of(ENDS4, ENDS6)), min_size=1, max_size=4)):
        before = snapshot(loaded_bench)
        loaded_bench.plane.dry_run("siit", packet)
        assert changed(before, snapshot(loaded_bench)) == []
        same(loaded_bench, packet, program="siit")
