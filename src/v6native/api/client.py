# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Asks a running daemon over its unix socket: what every command uses."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from v6native.errors import DaemonUnreachable, V6nativeError

# Seconds. A reload observes, plans and applies; a daemon that needs longer is stuck.
DEFAULT_TIMEOUT = 60.0


class ApiRefused(V6nativeError):
    """The daemon answered with an error; `code` is stable (api/errors.py)."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


@dataclass(frozen=True, slots=True)
class ApiClient:
    """The API socket of one node."""

    socket: Path
    timeout: float = DEFAULT_TIMEOUT

    def answers(self) -> bool:
        """True when a daemon accepts connections; a socket left by a dead one does not."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(self.timeout)
            try:
                sock.connect(str(self.socket))
            except PermissionError:
                return True
            except OSError:
                return False
            return True

    def get(self, path: str) -> Any:
        """The document at `path`; DaemonUnreachable, or ApiRefused with the daemon's own words."""
        return json.loads(self._body("GET", path))

    def text(self, path: str) -> str:
        return self._body("GET", path).decode()

    def post(self, path: str, document: Mapping[str, Any] | None = None) -> Any:
        """What the daemon answers; `document` goes in the body, as JSON."""
        return json.loads(self._body("POST", path, document))

    def lines(self, path: str, filters: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """The objects of a streamed list, one at a time."""
        query = f"?{urlencode(filters)}" if filters else ""
        with self._request("GET", path + query) as response:
            while line := response.readline():
                yield json.loads(line)

    def _body(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> bytes:
        with self._request(method, path, document) as response:
            return response.read()

    @contextmanager
    def _request(
        self, method: str, path: str, document: Mapping[str, Any] | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        connection = _UnixConnection(self.socket, self.timeout)
        try:
            try:
                body = None if document is None else json.dumps(document)
                connection.request(method, path, body, headers={"Accept": "application/json"})
                response = connection.getresponse()
            except PermissionError as error:
                raise DaemonUnreachable(f"{self.socket}: only root may ask the daemon; run this as root") from error
            except (FileNotFoundError, ConnectionRefusedError) as error:
                raise DaemonUnreachable(
                    f"{self.socket}: no v6native daemon answers; start it with `systemctl start v6native` "
                    "or `v6native up`"
                ) from error
            except TimeoutError as error:
                raise DaemonUnreachable(
                    f"{self.socket}: the daemon did not answer {method} {path} within {self.timeout:.0f} s; "
                    "see its log (`journalctl -u v6native`)"
                ) from error
            except (OSError, http.client.HTTPException) as error:
                raise DaemonUnreachable(f"{self.socket}: the daemon broke off while answering: {error}") from error
            if response.status >= 400:
                raise _refusal(response)
            yield response
        finally:
            connection.close()


def _refusal(response: http.client.HTTPResponse) -> ApiRefused:
    body = response.read()
    try:
        error = json.loads(body)["error"]
        return ApiRefused(error["code"], error["text"])
    except (ValueError, KeyError, TypeError):
        return ApiRefused("unknown", f"the daemon answered {response.status} {response.reason}")
