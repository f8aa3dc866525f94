# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The fast path against the reference translator, which stands for the interface path: what it takes comes out the same
and leaves the same tables; what it does not take it leaves alone, and the interface path is asked then.

On the interface path the kernel counts a hop down before the translator, which adds one, and one after it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.packets.build import tcp4, tcp6, udp4, udp6
from tests.packets.harness import Action, Bench
from tests.packets.roads import LAN, PERMITS, PHONE_MAC, UPLINK, ip, roads
from tests.properties.anew import anew
from tests.properties.arrangements import LAPTOP, SECOND
from tests.properties.oracle import assert_same
from tests.properties.pair import Pair
from tests.properties.shapes import repaired
from tests.properties.test_oracle_nat64 import WAITS, packets
from v6native.dataplane.door import TcpState
from v6native.translate.reasons import Reason
from v6native.translate.verdict import Arrival, Translated

pytestmark = [pytest.mark.root, pytest.mark.timeout(1800)]


class Fast(Pair):
    """`taken` counts the packets that the fast path took."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench, nat64_interface="nat64")
        bench.plane.permit(PERMITS, 3600)
        self.taken = 0

    def open(self) -> None:
        """An established TCP connection and a UDP session, as the interface path makes them."""
        self.packet(tcp6("S", sport=5000), Arrival.FRESH)
        port = next(b.port4 for b in self.bench.bib() if b.port6 == 5000 and not b.static)
        self.packet(tcp4(port, "SA"), Arrival.FRESH)
        self.packet(udp6(sport=5000, dport=80), Arrival.FRESH)
        assert TcpState.ESTABLISHED in {s.state for s in self.bench.sessions()}

    def packet(self, packet: bytes, arrival: Arrival = Arrival.FRESH, mark: int = 0) -> None:
        six = packet[0] >> 4 == 6
        before = [(s.bytes_6to4, s.bytes_4to6) for s in self.bench.sessions()]
        out = self.bench.fast(packet, LAN if six else UPLINK, mark)
        if out.action is Action.UNSPEC:
            assert (out.packet, out.counted) == (packet, {})
            assert [(s.bytes_6to4, s.bytes_4to6) for s in self.bench.sessions()] == before
            super().packet(packet, arrival, mark)
            return
        self.taken += 1
        assert (out.action, out.reason) == (Action.REDIRECT, "FAST_6TO4" if six else "FAST_4TO6")
        expected = self.reference.translate(hops(packet, -1), self.now, Arrival.FRESH)
        assert isinstance(expected, Translated), f"given {packet.hex()}\nreference {expected}"
        reason = Reason.TRANSLATED_6TO4 if six else Reason.TRANSLATED_4TO6
        assert_same(packet, Translated(hops(out.packet, 1), reason), expected)
        self.assert_same_tables()


def hops(packet: bytes, change: int) -> bytes:
    """With another hop limit, and a header checksum that is right with it."""
    at = 7 if packet[0] >> 4 == 6 else 8
    return repaired(packet[:at] + bytes([packet[at] + change]) + packet[at + 1 :])


@pytest.fixture
def way(loaded_bench: Bench) -> Iterator[Bench]:
    with roads():
        ip(f"neigh add {LAPTOP} lladdr {PHONE_MAC} dev {LAN}", f"route add {SECOND} via fe80::64 dev nat64")
        yield loaded_bench
        loaded_bench.reset()


@anew
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_sequences(way: Bench, data: st.DataObject) -> None:
    fast = Fast(way)
    fast.open()
    for _step in range(data.draw(st.integers(1, 8))):
        fast.wait(data.draw(WAITS))
        fast.packet(data.draw(packets(fast)), Arrival.FRESH)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.binary(max_size=1400)), min_size=1, max_size=6))
def test_it_takes_what_it_is_for(way: Bench, parts: list[tuple[bool, bool, bytes]]) -> None:
    """Data of the connections, whole and sound: every one of these packets."""
    fast = Fast(way)
    fast.open()
    ports = {b.proto: b.port4 for b in way.bib() if b.port6 == 5000}
    for tcp, out, data in parts:
        if tcp:
            packet = tcp6("A", sport=5000, data=data) if out else tcp4(ports["tcp"], "A", data=data)
        else:
            packet = udp6(sport=5000, dport=80, data=data) if out else udp4(ports["udp"], sport=80, data=data)
        fast.packet(packet, Arrival.FRESH)
    assert fast.taken == len(parts)
