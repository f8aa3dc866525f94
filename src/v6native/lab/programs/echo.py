# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Echo servers for a node: `python -m v6native.lab.programs.echo`. They answer until killed.

TCP 2222 sends back every line, as a person's terminal session would see it; UDP 7 sends back the datagram; UDP 8007 does
so with checksum 0 over IPv4 (RFC 768: no checksum); UDP 7007 answers with fragments in the order that it is told.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from ipaddress import ip_address

from v6native.lab.programs.fragments import ORDER_PORT, answer

LINES_PORT = 2222
UDP_PORT = 7
UDP_UNSUMMED_PORT = 8007
SO_NO_CHECK = 11
"""Linux's asm-generic/socket.h; Python's socket module does not have it."""

LARGEST = 65535


class Lines(socketserver.StreamRequestHandler):
    """Sends each line back; greets first, so that the client sees who it reached."""

    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.wfile.write(f"hello {self.client_address[0].removeprefix('::ffff:')}\n".encode())
        for line in self.rfile:
            self.wfile.write(line)


class LinesServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 512
    address_family = socket.AF_INET6

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def serve_datagrams(family: socket.AddressFamily, port: int, *, summed: bool) -> None:
    """Send each datagram back."""
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        if family is socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if not summed:
            sock.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        sock.bind(("", port))
        while True:
            data, peer = sock.recvfrom(LARGEST)
            try:
                sock.sendto(data, peer)
            except OSError:
                # An ICMP error about an earlier answer, or a datagram above the path MTU: the next one may go.
                continue


def serve_arrivals(family: socket.AddressFamily) -> None:
    """Each datagram names an arrival of fragments: the answer comes so."""
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        if family is socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(("", ORDER_PORT))
        while True:
            data, peer = sock.recvfrom(LARGEST)
            # Of our addresses, the one that routing chooses towards the peer: the node has one of each family.
            with socket.socket(family, socket.SOCK_DGRAM) as towards:
                towards.connect(peer)
                source = ip_address(towards.getsockname()[0])
            answer(source, ORDER_PORT, ip_address(peer[0]), peer[1], data.decode())


def main() -> None:
    for family in (socket.AF_INET, socket.AF_INET6):
        threading.Thread(target=serve_arrivals, args=(family,), daemon=True).start()
    for family, port, summed in (
        (socket.AF_INET, UDP_PORT, True),
        (socket.AF_INET6, UDP_PORT, True),
        (socket.AF_INET, UDP_UNSUMMED_PORT, False),
    ):
        threading.Thread(target=serve_datagrams, args=(family, port), kwargs={"summed": summed}, daemon=True).start()
    LinesServer(("::", LINES_PORT), Lines).serve_forever()


if __name__ == "__main__":
    main()
