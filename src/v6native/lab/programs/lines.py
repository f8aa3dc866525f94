# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A terminal session over TCP, many at once: `python -m v6native.lab.programs.lines HOST PORT CONNECTIONS ROUNDS`.

All connections are open before the first line is sent, and every line must come back on the connection that sent it.
Prints who the server saw, once for each connection.
"""

from __future__ import annotations

import socket
import sys
from contextlib import ExitStack

TIMEOUT = 20.0


def talk(host: str, port: int, connections: int, rounds: int) -> list[str]:
    """The server's greetings; raises OSError or AssertionError where a line does not come back."""
    with ExitStack() as stack:
        opened = [stack.enter_context(socket.create_connection((host, port), TIMEOUT)) for _ in range(connections)]
        files = [stack.enter_context(sock.makefile("rwb")) for sock in opened]
        greetings = [file.readline().decode().split()[-1] for file in files]
        for turn in range(rounds):
            for number, file in enumerate(files):
                file.write(f"{number} says {turn}\n".encode())
                file.flush()
            for number, file in enumerate(files):
                line = file.readline()
                if line != f"{number} says {turn}\n".encode():
                    raise AssertionError(f"connection {number} got {line!r} in turn {turn}")
        return greetings


if __name__ == "__main__":
    print("\n".join(talk(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
