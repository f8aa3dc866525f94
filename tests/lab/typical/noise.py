# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`python noise.py INTERFACE MAC FILE COUNT RATE SEED`: damaged packets, each another one, onto a cable.

FILE has IP packets as octets, each behind two octets that give its length. One is taken, bits of it are turned, it is cut,
or it goes on as another one does. The destination is left alone in most of them, and lengths and the IPv4 header's
checksum are put right in many, since a kernel drops the others before any translator sees them. Ends with `sent N`.
"""

from __future__ import annotations

import random
import socket
import struct
import sys
import time

BATCH = 200
LARGEST = 1400


def packets_of(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 2], "big")
        found.append(data[at + 2 : at + 2 + size])
        at += 2 + size
    return found


def damaged(rng: random.Random, sound: list[bytes]) -> bytes:
    """An IP packet that is unlike the one that it was made of."""
    given = rng.choice(sound)
    packet = bytearray(given[:LARGEST])
    how = rng.random()
    if how < 0.5:
        for _ in range(rng.randint(1, 6)):
            packet[rng.randrange(min(len(packet), 120))] ^= 1 << rng.randrange(8)
    elif how < 0.7:
        del packet[rng.randint(1, len(packet)) :]
    elif how < 0.9:
        other, cut = rng.choice(sound), rng.randrange(len(packet))
        packet = (packet[:cut] + other[rng.randrange(len(other)) :])[:LARGEST]
    else:
        start = rng.randrange(len(packet))
        packet[start : start + 8] = rng.randbytes(8)
    if rng.random() < 0.9:
        routed(packet, given)
    if rng.random() < 0.7:
        consistent(packet)
    return bytes(packet) if packet != given else bytes(packet[:-1])


def routed(packet: bytearray, given: bytes) -> None:
    """With the version and the destination that it had."""
    start, end = (24, 40) if given[0] >> 4 == 6 else (16, 20)
    if len(packet) >= end <= len(given):
        packet[0] = given[0] & 0xF0 | packet[0] & 0x0F
        packet[start:end] = given[start:end]


def consistent(packet: bytearray) -> None:
    """With lengths that hold, and the checksum of the IPv4 header."""
    if len(packet) >= 40 and packet[0] >> 4 == 6:
        packet[4:6] = (len(packet) - 40).to_bytes(2, "big")
    elif len(packet) >= 20 and packet[0] >> 4 == 4:
        header = max(20, min((packet[0] & 15) * 4, len(packet) & ~3))
        packet[0] = 0x40 | header // 4
        packet[2:4] = len(packet).to_bytes(2, "big")
        packet[10:12] = b"\0\0"
        total = sum(struct.unpack(f"!{header // 2}H", packet[:header]))
        total = (total & 0xFFFF) + (total >> 16)
        packet[10:12] = (0xFFFF - ((total & 0xFFFF) + (total >> 16))).to_bytes(2, "big")


def main(interface: str, mac: str, file: str, count: str, rate: str, seed: str) -> None:
    rng = random.Random(seed)
    with open(file, "rb") as opened:  # noqa: PTH123 - this runs with nothing but Python's own modules
        sound = packets_of(opened.read())
    to = bytes.fromhex(mac.replace(":", ""))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((interface, 0))
        sent, due = 0, time.monotonic()
        while sent < int(count):
            for _ in range(min(BATCH, int(count) - sent)):
                packet = damaged(rng, sound)
                kind = b"\x86\xdd" if packet and packet[0] >> 4 == 6 else b"\x08\x00"
                try:
                    sock.send(to + b"\x02\x00\x00\x00\x00\x01" + kind + packet)
                except OSError as full:
                    if full.errno != 105:  # ENOBUFS
                        raise
                sent += 1
            due += BATCH / float(rate)
            time.sleep(max(0.0, due - time.monotonic()))
    print(f"sent {sent}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
