# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m v6native.slowpath --tap v6n-slow --run /run/v6native --pins …`: the slow path's worker, until SIGTERM."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import time
from pathlib import Path

from v6native.errors import V6nativeError
from v6native.slowpath.core import SlowPath
from v6native.slowpath.events import Events
from v6native.slowpath.tap import open_tap
from v6native.slowpath.worker import Worker
from v6native.worker import pid_file, signals, stats_socket


def main() -> int:
    parser = argparse.ArgumentParser(prog="v6native.slowpath", description="The slow path's worker.")
    parser.add_argument("--tap", required=True, help="the TAP interface that `v6native up` made")
    parser.add_argument("--run", required=True, type=Path, help="the folder for slowpath.pid and slowpath.sock")
    parser.add_argument("--pins", type=Path, help="the folder in which the instance's BPF maps are pinned")
    arguments = parser.parse_args()
    core = SlowPath(time.monotonic(), lambda: secrets.randbits(32))
    try:
        tap = open_tap(arguments.tap)
        try:
            with (
                signals(signal.SIGTERM, signal.SIGINT) as wakeup,
                stats_socket(arguments.run / "slowpath.sock") as stats,
                pid_file(arguments.run / "slowpath.pid"),
            ):
                events = Events(arguments.pins) if arguments.pins else None
                Worker(tap, stats, wakeup, core, time.monotonic, events).run()
        finally:
            os.close(tap)
    except V6nativeError as why:
        print(f"slowpath: {why}", file=sys.stderr)
        return 1
    except OSError as why:
        print(f"slowpath: cannot write to {arguments.run}: {why}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
