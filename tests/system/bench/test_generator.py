# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The bench's generator sends what it is told to, with right checksums: else it would measure something else."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise
from pathlib import Path

import pytest

from bench.frames import XDP_DROP, Endpoint, Pattern, PatternValue, Vary, udp_frame
from v6native.dataplane import libbpf as b
from v6native.dataplane.bpf_object import BpfObject
from v6native.packet import UDP, checksum, parse_ipv4, parse_ipv6, pseudo_header

pytestmark = pytest.mark.root

ROOT = Path(__file__).parents[3]
MACS = ("02:00:00:00:00:01", "02:00:00:00:00:02")
CLIENT6, SERVER6 = IPv6Address("2001:db8:100::5"), IPv6Address("2001:db8:80::80")
CLIENT4, SERVER4, NAT4 = IPv4Address("10.0.0.5"), IPv4Address("198.51.100.8"), IPv4Address("203.0.113.1")
FLOWS = 300


@pytest.fixture(scope="module")
def generator() -> Iterator[BpfObject]:
    subprocess.run(["make", "-s", "bench-objects"], cwd=ROOT, check=True, timeout=60)
    with BpfObject(ROOT / "build" / "bench" / "generator.bpf.o") as opened:
        opened.load()
        yield opened


def sent(generator: BpfObject, pattern: Pattern, flow: int) -> bytes:
    """The frame of one flow."""
    generator.maps["pattern"].put(0, bytes(pattern.value(XDP_DROP, 0, first=flow)))
    for number, endpoint in enumerate(pattern.endpoints):
        generator.maps["endpoints"].put(number, endpoint.packed())
    return run(generator, bytes(len(pattern.frame)))


def run(generator: BpfObject, frame: bytes) -> bytes:
    """Once, without sending anything; gives the frame as the program left it."""
    into, out = ctypes.create_string_buffer(frame, len(frame)), ctypes.create_string_buffer(len(frame))
    options = b.TestRunOpts(
        sz=ctypes.sizeof(b.TestRunOpts),
        data_in=ctypes.addressof(into),
        data_size_in=len(frame),
        data_out=ctypes.addressof(out),
        data_size_out=len(out),
        repeat=1,
    )
    b.libbpf().call("bpf_prog_test_run_opts", generator.programs["generate"].fd, ctypes.byref(options))
    assert options.retval == XDP_DROP
    return out.raw


def test_the_pattern_is_laid_out_as_in_c(generator: BpfObject) -> None:
    fields = {field.name: field.offset for field in generator.btf().struct("pattern")}
    assert fields == {name: getattr(PatternValue, name).offset for name, *_ in PatternValue._fields_}


@pytest.mark.parametrize("vary", [Vary.SOURCE, Vary.DESTINATION])
@pytest.mark.parametrize(("client", "server"), [(CLIENT6, SERVER6), (CLIENT4, SERVER4)])
def test_every_flow_is_another_one_with_a_right_checksum(
    generator: BpfObject, vary: Vary, client: IPv6Address | IPv4Address, server: IPv6Address | IPv4Address
) -> None:
    ends = ((client, 10000), (server, 53))
    here, there = ends if vary is Vary.SOURCE else ends[::-1]
    pattern = Pattern(udp_frame(MACS, here, there), FLOWS, per_client=64, vary=vary)
    seen = set()
    for flow in range(0, FLOWS, 7):
        frame = sent(generator, pattern, flow)
        packet = (parse_ipv6 if client.version == 6 else parse_ipv4)(frame[14:])
        assert (
            checksum(pseudo_header(packet.source, packet.destination, UDP, len(packet.payload)) + packet.payload) == 0
        )
        if client.version == 4:
            assert checksum(frame[14:34]) == 0
        seen.add((packet.source, packet.destination, packet.payload[:4]))
        address = packet.source if vary is Vary.SOURCE else packet.destination
        port = int.from_bytes(packet.payload[0:2] if vary is Vary.SOURCE else packet.payload[2:4], "big")
        assert port == 10000 + flow % 64
        assert int(address) - int(client) == (flow // 64 << (64 if client.version == 6 else 0))
    assert len(seen) == len(range(0, FLOWS, 7))


def test_what_goes_back_goes_to_the_table(generator: BpfObject) -> None:
    endpoints = [Endpoint(SERVER4 + n, NAT4 + n % 3, 2000 + 17 * n) for n in range(20)]
    frame = udp_frame(MACS, (SERVER4, 53), (NAT4, 2000))
    pattern = Pattern(frame, len(endpoints), vary=Vary.TABLE, endpoints=endpoints)
    for number, endpoint in enumerate(endpoints):
        packet = parse_ipv4(sent(generator, pattern, number)[14:])
        port = int.from_bytes(packet.payload[2:4], "big")
        assert (packet.source, packet.destination, port) == (endpoint.remote, endpoint.address, endpoint.port)
        assert (
            checksum(pseudo_header(packet.source, packet.destination, UDP, len(packet.payload)) + packet.payload) == 0
        )


def test_a_strides_turns_are_all_flows_once(generator: BpfObject) -> None:
    pattern = Pattern(udp_frame(MACS, (CLIENT6, 10000), (SERVER6, 53)), FLOWS, per_client=FLOWS)
    generator.maps["pattern"].put(0, bytes(pattern.value(XDP_DROP, 0)))
    empty = bytes(len(pattern.frame))
    ports = [int.from_bytes(run(generator, empty)[54:56], "big") for _ in range(FLOWS)]
    assert sorted(ports) == list(range(10000, 10000 + FLOWS))
    assert not any(abs(one - other) == 1 for one, other in pairwise(ports))
