# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The asking side of DNS over HTTPS (RFC 8484), over HTTP/2: each question is a POST, a stream of its own."""

from __future__ import annotations

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, DataReceived, Event, ResponseReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError

from v6native.dns64.channel import Said
from v6native.dns64.framing import FrameLengths, FramingError
from v6native.dns64.settings import UpstreamServer
from v6native.dns64.wire import MAX_MESSAGE

_TYPE = "application/dns-message"
_STREAMS = 100


class Requests:
    """The framing of one connection."""

    def __init__(self, server: UpstreamServer) -> None:
        assert server.tls is not None
        host = f"[{server.address}]" if server.address.version == 6 else f"{server.address}"
        authority = server.tls.name or host
        self._headers = [
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", authority if server.port == 443 else f"{authority}:{server.port}"),
            (":path", server.tls.path),
            ("accept", _TYPE),
            ("content-type", _TYPE),
        ]
        self._connection = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._connection.initiate_connection()
        self._lengths = FrameLengths()
        # Of each stream: its octets so far, and the answer's age; None: it is no answer to a question.
        self._streams: dict[int, tuple[bytearray, int] | None] = {}

    @property
    def room(self) -> bool:
        most = min(_STREAMS, self._connection.remote_settings.max_concurrent_streams)
        return len(self._streams) < most and self._connection.outbound_flow_control_window > MAX_MESSAGE // 16

    def ask(self, query: bytes) -> int:
        try:
            stream = self._connection.get_next_available_stream_id()
            # An id of zero, so that the same question looks the same to caches (RFC 8484 §4.1).
            headers = [*self._headers, ("content-length", str(len(query)))]
            self._connection.send_headers(stream, headers)
            self._connection.send_data(stream, b"\0\0" + query[2:], end_stream=True)
        except ProtocolError as error:
            raise FramingError(str(error)) from error
        self._streams[stream] = (bytearray(), 0)
        return stream

    def feed(self, octets: bytes) -> list[tuple[int, Said | None]]:
        found: list[tuple[int, Said | None]] = []
        self._lengths.feed(octets)
        try:
            for event in self._connection.receive_data(octets):
                self._happened(event, found)
        except ProtocolError as error:
            raise FramingError(str(error)) from error
        return found

    def output(self) -> bytes:
        return self._connection.data_to_send()

    def drop(self, number: int) -> None:
        if self._streams.pop(number, None) is not None:
            self._connection.reset_stream(number, ErrorCodes.CANCEL)

    def _happened(self, event: Event, found: list[tuple[int, Said | None]]) -> None:
        if isinstance(event, ResponseReceived):
            self._streams[event.stream_id] = _begun({str(name): str(value) for name, value in event.headers})
        elif isinstance(event, DataReceived):
            self._connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            stream = self._streams.get(event.stream_id)
            if stream is not None:
                stream[0].extend(event.data)
                if len(stream[0]) > MAX_MESSAGE:
                    self._streams[event.stream_id] = None
        elif isinstance(event, StreamEnded):
            stream = self._streams.pop(event.stream_id, None)
            found.append((event.stream_id, None if stream is None else Said(bytes(stream[0]), stream[1])))
        elif isinstance(event, StreamReset):
            self._streams.pop(event.stream_id, None)
            found.append((event.stream_id, None))
        elif isinstance(event, ConnectionTerminated):
            raise FramingError("it takes no more questions over this connection")


def _begun(headers: dict[str, str]) -> tuple[bytearray, int] | None:
    if headers.get(":status") != "200" or headers.get("content-type") != _TYPE:
        return None
    age = headers.get("age", "0")
    return bytearray(), int(age) if age.isdecimal() and len(age) < 10 else 0
