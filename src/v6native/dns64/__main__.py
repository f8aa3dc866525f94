# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m v6native.dns64 --config /run/v6native/dns64.json`: the DNS64 worker.

SIGHUP reads the file again, and keeps the old settings where the new ones are no good; SIGTERM ends it.
dns64.pid and dns64.sock (statistics) lie beside the file.
"""

from __future__ import annotations

import argparse
import gc
import logging
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path

import structlog

from v6native.dns64.control import PidFile, Signals, StatsSocket
from v6native.dns64.loop import Loop
from v6native.dns64.server import Server
from v6native.dns64.settings import Dns64Settings
from v6native.dns64.stats import Stats
from v6native.errors import Dns64SettingsError

_FILES = 65536
# Objects more than before, until the young ones are looked through; how often that, until older ones are, and all.
_COLLECT = (10_000, 10, 10)

_log = structlog.get_logger("dns64")


def main(arguments: list[str] | None = None) -> int:
    """Runs until SIGTERM or SIGINT; exit status 1 where it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m v6native.dns64", description="v6native's DNS64 (RFC 6147)")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="dns64.json")
    path: Path = parser.parse_args(arguments).config
    _log_to_stderr()
    _raise_file_limit()
    loop = Loop()
    try:
        server = Server(loop, Stats(), _read(path), path.with_name("health.json"))
        # Before anybody can know whom to send them to: a signal that nobody waits for would end this process.
        Signals(
            loop,
            {signal.SIGHUP: lambda: _reload(server, path), signal.SIGTERM: loop.stop, signal.SIGINT: loop.stop},
        )
        pid_file = PidFile(path.with_suffix(".pid"))
        sockets = (
            StatsSocket(loop, path.with_suffix(".sock"), server.document),
            StatsSocket(loop, path.with_name(f"{path.stem}-top.sock"), server.names.document),
        )
    except Dns64SettingsError as error:
        _log.error("cannot start: the settings are wrong", file=str(path), problems=str(error).splitlines())
        return 1
    except OSError as error:
        _log.error("cannot start", problem=_plain(error), remedy="`ss -lnptu` shows who holds a port")
        return 1
    _collect_less()
    _log.info("started", listen=server.document()["listen"], pref64=server.document()["pref64"])
    loop.run()
    for socket in sockets:
        socket.close()
    server.close()
    pid_file.remove()
    _log.info("ended")
    return 0


def _read(path: Path) -> Dns64Settings:
    return Dns64Settings.from_json(path.read_bytes())


def _reload(server: Server, path: Path) -> None:
    try:
        settings = _read(path)
        if settings != server.settings:
            server.reload(settings)
    except Dns64SettingsError as error:
        _log.error("kept the old settings: the new ones are wrong", file=str(path), problems=str(error).splitlines())
    except OSError as error:
        _log.error("kept the old settings", problem=_plain(error))
    else:
        _log.info("reloaded", listen=server.document()["listen"], pref64=server.document()["pref64"])


def _plain(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror}"


def _log_to_stderr() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=False)
            if sys.stderr.isatty()
            else structlog.processors.LogfmtRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _collect_less() -> None:
    """Answering leaves no cycles behind, only connections and errors do; and to look through a large cache for them takes long,
    during which nobody is answered."""
    gc.freeze()
    gc.set_threshold(*_COLLECT)


def _raise_file_limit() -> None:
    """Every upstream question has a socket, and the usual soft limit is 1024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    sys.exit(main())
