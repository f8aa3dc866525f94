# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""An ICMP echo request, or a TCP SYN with data, as hand-made IP fragments in any order; waits for the server's answer.

`python -m v6native.lab.programs.fragmented HOST icmp|tcp ARRIVAL` prints `answered`, `silence` or `refused here`. A TCP
server without Fast Open takes the SYN and leaves its data (RFC 9293 §3.4); our own kernel resets the connection.
"""

from __future__ import annotations

import random
import socket
import struct
import sys
import time
from dataclasses import dataclass
from ipaddress import ip_address

from v6native.lab.programs import fragments as f
from v6native.lab.programs.echo import LINES_PORT

SYN, SYN_ACK = 0x02, 0x12
SIZE = f.PIECE * f.PIECES - 200
"""Octets of data: as many fragments as `fragments` makes."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent, and the `essence` of its answer."""

    proto: int
    message: bytes
    answer: bytes


def summed(source: f.Address, destination: f.Address, proto: int, message: bytes, at: int) -> bytes:
    """The message with its checksum, over the pseudo-header where there is one."""
    pseudo = b""
    if destination.version == 6:
        pseudo = source.packed + destination.packed + struct.pack("!II", len(message), proto)
    elif proto == socket.IPPROTO_TCP:
        pseudo = source.packed + destination.packed + struct.pack("!BBH", 0, proto, len(message))
    return message[:at] + struct.pack("!H", f.checksum(pseudo + message)) + message[at + 2 :]


def echo_request(source: f.Address, destination: f.Address) -> Question:
    ident, data = random.randrange(1, 65536), random.randbytes(SIZE)
    if destination.version == 6:
        proto, request, reply = socket.IPPROTO_ICMPV6, 128, 129
    else:
        proto, request, reply = socket.IPPROTO_ICMP, 8, 0
    message = struct.pack("!BBHHH", request, 0, 0, ident, 1) + data
    # The reply's type, then, after code and checksum, what came with the request: all of it must be the same.
    return Question(proto, summed(source, destination, proto, message, 2), bytes([reply]) + message[4:])


def syn(source: f.Address, destination: f.Address) -> Question:
    port, sequence = random.randrange(20000, 30000), random.getrandbits(32)
    header = struct.pack("!HHIIBBHHH", port, LINES_PORT, sequence, 0, 5 << 4, SYN, 64000, 0, 0)
    message = summed(source, destination, socket.IPPROTO_TCP, header + random.randbytes(SIZE), 16)
    answer = struct.pack("!HH", LINES_PORT, port) + struct.pack("!I", (sequence + 1) & 0xFFFFFFFF) + bytes([SYN_ACK])
    return Question(socket.IPPROTO_TCP, message, answer)


def essence(question: Question, transport: bytes) -> bytes:
    """Of an answer, what `Question.answer` holds."""
    if question.proto == socket.IPPROTO_TCP:
        return transport[:4] + transport[8:12] + transport[13:14]
    return transport[:1] + transport[4:]


def ask(host: str, kind: str, arrival: str) -> str:
    family, _, _, _, address = socket.getaddrinfo(host, LINES_PORT, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as towards:
        towards.connect(address)
        source, destination = ip_address(towards.getsockname()[0]), ip_address(address[0])
    question = (echo_request if kind == "icmp" else syn)(source, destination)
    with socket.socket(family, socket.SOCK_RAW, question.proto) as heard, f.raw_socket(destination.version) as raw:
        ident = random.getrandbits(32)
        for piece in f.ARRIVALS[arrival](f.cut(question.message)):
            try:
                raw.sendto(f.packet(source, destination, ident, piece, question.proto), (str(destination), 0))
            except PermissionError:
                return "refused here"
        deadline = time.monotonic() + f.TIMEOUT
        while (left := deadline - time.monotonic()) > 0:
            heard.settimeout(left)
            try:
                data, peer = heard.recvfrom(65535)
            except TimeoutError:
                break
            # A raw IPv4 socket gives the IP header too.
            transport = data[(data[0] & 15) * 4 :] if destination.version == 4 else data
            if ip_address(peer[0]) == destination and essence(question, transport) == question.answer:
                return "answered"
    return "silence"


if __name__ == "__main__":
    print(ask(sys.argv[1], sys.argv[2], sys.argv[3]))
