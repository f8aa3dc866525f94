# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""A connection that is idle while its NAT64 is replaced: `python -m v6native.lab.programs.orphan HOST PORT FILE`.

It connects, waits until FILE is there, sends a line, and prints what became of it and after how many seconds.
"""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

PATIENCE = 60.0
ANSWER = 20.0


def outcome(host: str, port: int, go_on: Path) -> str:
    """The name of the error that sending led to, or "answered", and the seconds it took."""
    with socket.create_connection((host, port), ANSWER) as sock:
        sock.recv(1024)
        print("connected", flush=True)
        deadline = time.monotonic() + PATIENCE
        while not go_on.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        began = time.monotonic()
        try:
            sock.sendall(b"still there?\n")
            what = "answered" if sock.recv(1024) else "closed"
        except OSError as why:
            what = type(why).__name__
    return f"{what} {time.monotonic() - began:.2f}"


if __name__ == "__main__":
    print(outcome(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
