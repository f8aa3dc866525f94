# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What the API answers when something goes wrong: one stable code an exception, one HTTP status a code."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import JSONResponse

from v6native.errors import (
    ConfigError,
    DaemonUnreachable,
    DataPlaneError,
    EnvironmentRefused,
    SystemActionError,
    V6nativeError,
)
from v6native.explain.question import BadPacket
from v6native.explain.refused import BadWatch


@dataclass(frozen=True, slots=True)
class Kind:
    code: str
    status: int


UNREACHABLE = Kind("unreachable", 503)
# Subclasses before their base: the first that matches speaks.
KINDS: tuple[tuple[type[V6nativeError], Kind], ...] = (
    (BadPacket, Kind("bad_packet", 400)),
    (BadWatch, Kind("bad_watch", 400)),
    (ConfigError, Kind("config", 422)),
    (DaemonUnreachable, UNREACHABLE),
    (EnvironmentRefused, Kind("environment", 503)),
    (SystemActionError, Kind("system", 500)),
    (DataPlaneError, Kind("dataplane", 500)),
    (V6nativeError, Kind("refused", 409)),
)
NOT_FOUND = Kind("not_found", 404)
BAD_FILTER = Kind("bad_filter", 400)
INTERNAL = Kind("internal", 500)


def refuse(kind: Kind, text: str) -> JSONResponse:
    return JSONResponse(_document(kind, text), status_code=kind.status)


def refuse_for(error: V6nativeError) -> JSONResponse:
    return refuse(_kind(error), str(error))


def error_document(error: V6nativeError) -> dict[str, dict[str, str]]:
    """For a line of a list whose status is sent already."""
    return _document(_kind(error), str(error))


def _document(kind: Kind, text: str) -> dict[str, dict[str, str]]:
    return {"error": {"code": kind.code, "text": text}}


def _kind(error: V6nativeError) -> Kind:
    return next(kind for cls, kind in KINDS if isinstance(error, cls))
