# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The daemon's log: events with keys on standard error, as the journal or a person at the terminal wants them."""

from __future__ import annotations

import logging
import os
import sys

import structlog
from structlog.typing import Processor


def set_up_log(as_json: bool = False) -> None:
    """One line an event. In the journal without time and colour, which it adds itself."""
    # The standard library's handler swallows a broken terminal: an ssh session that died must not end the daemon.
    logging.raiseExceptions = False
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s", force=True)
    stamp: list[Processor] = []
    if as_json or "JOURNAL_STREAM" not in os.environ:
        stamp.append(structlog.processors.TimeStamper(fmt="iso", utc=False))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_log_level,
            *stamp,
            structlog.processors.format_exc_info,
            _renderer(as_json),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _renderer(as_json: bool) -> Processor:
    if as_json:
        return structlog.processors.JSONRenderer()
    if sys.stderr.isatty():
        return structlog.dev.ConsoleRenderer()
    return structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], drop_missing=True)
