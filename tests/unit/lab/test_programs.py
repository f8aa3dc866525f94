# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The lab's hand-made fragments, held against scapy."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment

from v6native.lab.programs import fragments as f

ENDS = {
    4: (ip_address("192.0.2.1"), ip_address("198.51.100.80")),
    6: (ip_address("2001:db8::1"), ip_address("2001:db8:80::80")),
}


@pytest.mark.parametrize("version", [4, 6])
@given(payload=st.binary(max_size=300))
def test_udp_checksum(version: int, payload: bytes) -> None:
    source, destination = ENDS[version]
    made = f.udp(source, 1234, destination, 7, payload)
    ip = IP if version == 4 else IPv6
    again = ip(bytes(ip(src=str(source), dst=str(destination)) / UDP(sport=1234, dport=7) / payload))
    assert made == bytes(again[UDP])


@pytest.mark.parametrize("version", [4, 6])
def test_fragments_are_read_as_they_were_meant(version: int) -> None:
    source, destination = ENDS[version]
    pieces = f.cut(f.udp(source, 1234, destination, 7, f.known(0)))
    assert [piece.more for piece in pieces] == [True] * (f.PIECES - 1) + [False]
    for piece in pieces:
        wire = f.packet(source, destination, 77, piece)
        if version == 4:
            read = IP(wire)
            assert (read.id, read.frag * 8, bool(read.flags.MF)) == (77, piece.offset, piece.more)
            assert bytes(read.payload) == piece.data
        else:
            header = IPv6(wire)[IPv6ExtHdrFragment]
            assert (header.id, header.offset * 8, bool(header.m)) == (77, piece.offset, piece.more)
            assert bytes(header.payload) == piece.data


def test_arrivals_bring_every_piece_but_a_flood() -> None:
    pieces = f.cut(bytes(f.PIECE * f.PIECES))
    for name, arrange in f.ARRIVALS.items():
        arranged = arrange(pieces)
        if name == "flood":
            assert arranged == pieces[:1]
        elif name == "overlapping":
            assert arranged[1].offset < pieces[1].offset < arranged[1].offset + len(arranged[1].data)
        else:
            assert sorted(arranged, key=lambda piece: piece.offset) == pieces
    assert f.ARRIVALS["last-first"](pieces)[0] == pieces[-1]
    assert f.ARRIVALS["first-last"](pieces)[-1] == pieces[0]


def test_known_payloads_differ_and_need_all_pieces() -> None:
    assert f.known(0) != f.known(1)
    source, destination = ENDS[6]
    assert len(f.cut(f.udp(source, 1, destination, 7, f.known(0)))) == f.PIECES
