# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Sends a UDP datagram and prints what came of it: `python -m v6native.lab.programs.datagram HOST PORT SIZE [unsummed]`.

Prints `echoed`, `changed`, `silence`, or the name of the error that an ICMP message led to (ECONNREFUSED, EHOSTUNREACH …).
`unsummed` sends checksum 0 over IPv4 (RFC 768: the sender made none). A datagram refused as too big for the path is sent
again: the kernel has learnt the path MTU by then and fragments it.
"""

from __future__ import annotations

import errno
import random
import socket
import sys

from v6native.lab.programs.echo import SO_NO_CHECK

TIMEOUT = 3.0
TRIES = 3


def ask(host: str, port: int, size: int, *, summed: bool = True) -> str:
    family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    payload = random.randbytes(size)
    with socket.socket(family, kind, proto) as sock:
        sock.settimeout(TIMEOUT / TRIES)
        if not summed:
            sock.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        sock.connect(address)
        outcome = "silence"
        for _ in range(TRIES):
            try:
                sock.send(payload)
                return "echoed" if sock.recv(65535) == payload else "changed"
            except TimeoutError:
                continue
            except OSError as error:
                outcome = errno.errorcode.get(error.errno or 0, str(error))
                if error.errno != errno.EMSGSIZE:
                    return outcome
        return outcome


if __name__ == "__main__":
    print(ask(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), summed="unsummed" not in sys.argv[4:]))
