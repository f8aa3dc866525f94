# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Capture files of every kind that tcpdump and Wireshark write, made by scapy and by hand."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, CookedLinux, Dot1Q, Ether
from scapy.packet import Packet, Raw
from scapy.utils import PcapNgWriter, PcapWriter

from v6native.explain.pcap import BadCapture, Captured, packet, packets

SIX = IPv6(src="2001:db8::5", dst="64:ff9b::1") / UDP(sport=1, dport=2) / Raw(b"six")
FOUR = IP(src="192.0.2.1", dst="198.51.100.80") / UDP(sport=3, dport=4) / Raw(b"four")
FRAMES = [Ether(src="02::", dst="02::") / payload for payload in (ARP(), SIX, FOUR)]


def written(
    folder: Path, frames: list[Packet], *, ng: bool = False, link: int | None = None, big: bool = False
) -> bytes:
    file = folder / "capture"
    if ng:
        with PcapNgWriter(str(file)) as pcapng:
            for frame in frames:
                pcapng.write(frame)
    else:
        with PcapWriter(str(file), linktype=link, endianness=">" if big else "<") as pcap:
            for frame in frames:
                pcap.write(frame)
    return file.read_bytes()


@pytest.mark.parametrize(("ng", "big"), [(False, False), (False, True), (True, False)])
def test_the_first_ip_packet_or_the_one_with_a_number(tmp_path: Path, ng: bool, big: bool) -> None:
    data = written(tmp_path, FRAMES, ng=ng, big=big)
    assert packet(data, None) == Captured(2, bytes(SIX), 0)
    assert packet(data, 3) == Captured(3, bytes(FOUR), 0)
    with pytest.raises(BadCapture, match="packet 1 of the file is no IP packet"):
        packet(data, 1)
    with pytest.raises(BadCapture, match="the file has no packet 4"):
        packet(data, 4)


def test_a_tag_and_padding_are_not_of_the_packet(tmp_path: Path) -> None:
    frame = Ether() / Dot1Q(vlan=5) / Dot1Q(vlan=6, type=0x0800) / Raw(bytes(FOUR) + bytes(9))
    assert packet(written(tmp_path, [frame]), 1).ip == bytes(FOUR)


def test_raw_ip(tmp_path: Path) -> None:
    for link in (12, 101, 228):
        assert packet(written(tmp_path, [FOUR], link=link), None).ip == bytes(FOUR)
    assert packet(written(tmp_path, [SIX], link=229), None).ip == bytes(SIX)


def test_linux_cooked(tmp_path: Path) -> None:
    assert packet(written(tmp_path, [CookedLinux(proto=0x86DD) / SIX], link=113), None).ip == bytes(SIX)
    second = struct.pack("!HHIHBB8s", 0x86DD, 0, 3, 1, 0, 6, bytes(8))
    assert packet(written(tmp_path, [Raw(second + bytes(SIX))], link=276), None).ip == bytes(SIX)


def test_a_cut_packet_says_how_much_it_lacks(tmp_path: Path) -> None:
    data = bytearray(written(tmp_path, [FRAMES[2]])[:-2])
    data[32:36] = (len(data) - 40).to_bytes(4, "little")
    assert packet(bytes(data), None) == Captured(1, bytes(FOUR)[:-2], 2)


def test_simple_packet_blocks() -> None:
    """Without time and interface: what small tools write."""

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    section = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    interface = block(1, struct.pack("<HHI", 101, 0, 0))
    data = section + interface + block(3, struct.pack("<I", len(FOUR)) + bytes(FOUR))
    assert packet(data, None).ip == bytes(FOUR)


def test_what_is_no_capture() -> None:
    for data in (b"", b"PK\3\4 a zip file", bytes(100)):
        with pytest.raises(BadCapture, match="neither pcap nor pcapng"):
            packet(data, None)
    with pytest.raises(BadCapture, match="ends within its header"):
        packet(b"\xd4\xc3\xb2\xa1", None)
    radio = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 127) + bytes(8) + struct.pack("<II", 4, 4) + bytes(4)
    with pytest.raises(BadCapture, match="link type 127 is not known"):
        packet(radio, None)


@given(st.data())
def test_a_broken_file_is_refused_or_ends(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    file = bytearray(written(tmp_path_factory.mktemp("pcap"), FRAMES, ng=data.draw(st.booleans())))
    for at, value in data.draw(st.lists(st.tuples(st.integers(0, len(file) - 1), st.integers(0, 255)), max_size=6)):
        file[at] = value
    try:
        for found in packets(bytes(file[: data.draw(st.integers(0, len(file)))])):
            assert found.cut >= 0
    except BadCapture:
        pass
