# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""DNS over HTTPS (RFC 8484), over HTTP/2: GET with `?dns=` and POST, at one path."""

from __future__ import annotations

import base64
import binascii
from collections import deque
from urllib.parse import parse_qs, urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, RequestReceived, StreamEnded, StreamReset, WindowUpdated
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes

from v6native.dns64.framing import FrameLengths, FramingError
from v6native.dns64.special import DOH_PATH

_TYPE = "application/dns-message"
# As for datagrams: longer questions exist only as an attack.
_LONGEST = 4096
_STREAMS = 64


class Http2:
    """The framing of one connection; a question's number is its stream."""

    def __init__(self) -> None:
        self._connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._connection.local_settings.update({SettingCodes.MAX_CONCURRENT_STREAMS: _STREAMS})
        self._connection.initiate_connection()
        self._lengths = FrameLengths(preface=24)
        self._bodies: dict[int, bytes] = {}
        self._questions: deque[tuple[int, bytes]] = deque()
        self._blocked: dict[int, bytes] = {}

    def feed(self, octets: bytes) -> None:
        self._lengths.feed(octets)
        try:
            for event in self._connection.receive_data(octets):
                self._happened(event)
        except ProtocolError as error:
            raise FramingError(str(error)) from error

    @property
    def whole(self) -> bool:
        return bool(self._questions)

    @property
    def held(self) -> int:
        return sum(map(len, self._blocked.values()))

    def take(self) -> tuple[int, bytes]:
        return self._questions.popleft()

    def answer(self, number: int, message: bytes, seconds: int) -> None:
        self._respond(number, 200, message, ("content-type", _TYPE), ("cache-control", f"max-age={seconds}"))

    def output(self) -> bytes:
        return self._connection.data_to_send()

    def _happened(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            self._request(event.stream_id, {str(name): str(value) for name, value in event.headers})
        elif isinstance(event, DataReceived):
            self._connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if event.stream_id in self._bodies:
                self._bodies[event.stream_id] += event.data
                if len(self._bodies[event.stream_id]) > _LONGEST:
                    del self._bodies[event.stream_id]
                    self._respond(event.stream_id, 413)
        elif isinstance(event, StreamEnded):
            if (body := self._bodies.pop(event.stream_id, None)) is not None:
                self._questions.append((event.stream_id, body))
        elif isinstance(event, StreamReset):
            self._bodies.pop(event.stream_id, None)
            self._blocked.pop(event.stream_id, None)
        elif isinstance(event, WindowUpdated):
            for stream in list(self._blocked):
                self._push(stream)

    def _request(self, stream: int, headers: dict[str, str]) -> None:
        parts = urlsplit(headers.get(":path", ""))
        method = headers.get(":method", "")
        if parts.path != DOH_PATH:
            self._respond(stream, 404)
        elif method == "POST" and headers.get("content-type") != _TYPE:
            self._respond(stream, 415)
        elif method == "POST":
            self._bodies[stream] = b""
        elif method != "GET":
            self._respond(stream, 405, b"", ("allow", "GET, POST"))
        elif (message := _from_query(parts.query)) is None:
            self._respond(stream, 400)
        else:
            self._questions.append((stream, message))

    def _respond(self, stream: int, status: int, body: bytes = b"", *more: tuple[str, str]) -> None:
        headers = [(":status", str(status)), ("content-length", str(len(body))), *more]
        try:
            self._connection.send_headers(stream, headers, end_stream=not body)
        except ProtocolError:
            return  # The client has given this one up.
        if body:
            self._blocked[stream] = body
            self._push(stream)
        elif status >= 400:
            # What may still come of it is not wanted.
            self._bodies.pop(stream, None)

    def _push(self, stream: int) -> None:
        """Sends of an answer what the client's window lets through."""
        body = self._blocked[stream]
        try:
            while body and (size := min(self._connection.local_flow_control_window(stream), len(body))) > 0:
                size = min(size, self._connection.max_outbound_frame_size)
                self._connection.send_data(stream, body[:size], end_stream=size == len(body))
                body = body[size:]
        except ProtocolError:
            body = b""
        if body:
            self._blocked[stream] = body
        else:
            del self._blocked[stream]

    def close(self) -> None:
        """Tells the client that no more questions are taken."""
        self._connection.close_connection(ErrorCodes.NO_ERROR)


def _from_query(query: str) -> bytes | None:
    """The message in `dns=`, in base64url without padding (RFC 8484 §6); None where there is none."""
    given = parse_qs(query).get("dns", [])
    if len(given) != 1 or len(given[0]) > 2 * _LONGEST:
        return None
    try:
        return base64.b64decode(given[0] + "=" * (-len(given[0]) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
