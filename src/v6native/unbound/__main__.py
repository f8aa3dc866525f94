# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m v6native.unbound --config /run/v6native/unbound.json --instance default`: the worker, until SIGTERM. SIGHUP reads
again."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from v6native.errors import V6nativeError
from v6native.unbound.worker import Worker, state_folder
from v6native.worker import pid_file, signals, stats_socket


def main() -> int:
    parser = argparse.ArgumentParser(prog="v6native.unbound", description="Runs the node's own unbound.")
    parser.add_argument("--config", required=True, type=Path, help="unbound.json; pid file and socket lie beside it")
    parser.add_argument(
        "--instance", required=True, help="the node's name for what it shares with others on the machine"
    )
    arguments = parser.parse_args()
    folder = arguments.config.parent
    try:
        with (
            signals(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD) as wakeup,
            stats_socket(folder / "unbound.sock") as stats,
            pid_file(folder / "unbound.pid"),
        ):
            worker = Worker(arguments.config, state_folder(folder, arguments.instance))
            try:
                return worker.serve(wakeup, stats)
            finally:
                worker.close()
    except V6nativeError as why:
        print(f"unbound: {why}", file=sys.stderr)
    except OSError as why:
        print(f"unbound: {why.filename or folder}: {why.strerror}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
