# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The log's process: its command line, its files, and that it is the only one."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from v6native.dataplane.log_source import LogSource
from v6native.errors import EnvironmentRefused, V6nativeError
from v6native.log.recorder import Clocks, Recorder
from v6native.log.settings import LogSettings
from v6native.log.worker import Senders, Worker
from v6native.paths import Paths
from v6native.worker import pid_file, signals, stats_socket

# Differs at every boot (random(4)).
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Seconds that a predecessor has to end: it writes its last events.
_PATIENCE = 5.0


def run() -> int:
    """Until SIGTERM; the exit status."""
    parser = argparse.ArgumentParser(prog="v6native.log", description="The worker that logs who has which ports.")
    parser.add_argument("--config", required=True, type=Path, help="log.json; log.pid and log.sock are beside it")
    parser.add_argument("--database", required=True, type=Path, help="who-had.db")
    parser.add_argument("--bpffs", required=True, type=Path, help="where the BPF file system is mounted")
    parser.add_argument("--instance", required=True, help="the name under which the data plane is pinned")
    wish = parser.parse_args()
    source = LogSource(Paths(run=wish.config.parent, bpffs=wish.bpffs), wish.instance)

    def read() -> LogSettings:
        return LogSettings.from_json(wish.config.read_bytes())

    try:
        settings, clocks = read(), Clocks()
        senders = Senders(clocks)
        senders.configure(settings)
        recorder = Recorder(source, wish.database, BOOT_ID.read_text().strip(), settings, senders.offer, clocks)
        with (
            only_reader(wish.config.parent),
            signals(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as wakeup,
            stats_socket(wish.config.with_suffix(".sock")) as stats,
            pid_file(wish.config.with_suffix(".pid")),
        ):
            Worker(recorder, senders, stats, wakeup, read).run()
    except V6nativeError as why:
        print(f"log: {why}", file=sys.stderr)
        return 1
    except OSError as why:
        print(f"log: {why.filename or 'a system call'}: {why.strerror}", file=sys.stderr)
        return 1
    finally:
        source.close()
    return 0


@contextlib.contextmanager
def only_reader(run: Path) -> Iterator[None]:
    """Nobody else reads the ring: two would write each event twice. The lock is on the folder itself."""
    folder = os.open(run, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise EnvironmentRefused(f"{run}: another worker of the log runs and does not end") from None
                time.sleep(0.02)
        yield
    finally:
        os.close(folder)
