# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""What servers answer over HTTPS, in memory: h2's server side plays the other end."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived, StreamReset
from h2.settings import SettingCodes

from v6native.config.modeldns import (
    UpstreamTls,
)
from v6native.dns64.channel import Said
from v6native.dns64.dohclient import Requests
from v6native.dns64.framing import FramingError
from v6native.dns64.settings import UpstreamServer

SERVER = UpstreamServer(IPv6Address("2001:db8::443"), 443, tls=UpstreamTls("", "/dns-query"))
TYPE = ("content-type", "application/dns-message")
MESSAGE = b"\0\0" + bytes(10)


class Far:
    """The other end, which has exchanged settings with `near`."""

    def __init__(self, server: UpstreamServer = SERVER) -> None:
        self.near = Requests(server)
        self.far = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.far.initiate_connection()
        self.events: list[object] = []
        self.exchange()

    def exchange(self) -> list[tuple[int, Said | None]]:
        self.events += self.far.receive_data(self.near.output())
        return self.near.feed(self.far.data_to_send())

    def asked(self) -> int:
        stream = self.near.ask(b"\x12\x34" + bytes(10))
        self.exchange()
        return stream

    def answer(self, stream: int, *headers: tuple[str, str], body: bytes = MESSAGE) -> list[tuple[int, Said | None]]:
        self.far.send_headers(stream, list(headers))
        for start in range(0, len(body), 16384):
            self.far.send_data(stream, body[start : start + 16384])
        self.far.end_stream(stream)
        return self.exchange()


def test_the_request() -> None:
    far = Far()
    far.asked()
    (request,) = [event for event in far.events if isinstance(event, RequestReceived)]
    assert dict(request.headers) == {
        ":method": "POST",
        ":scheme": "https",
        ":authority": "[2001:db8::443]",
        ":path": "/dns-query",
        "accept": "application/dns-message",
        "content-type": "application/dns-message",
        "content-length": "12",
    }


def test_a_name_and_a_port_of_its_own() -> None:
    far = Far(UpstreamServer(IPv6Address("2001:db8::443"), 8443, tls=UpstreamTls("dns.example.net", "/q")))
    far.asked()
    (request,) = [event for event in far.events if isinstance(event, RequestReceived)]
    assert dict(request.headers)[":authority"] == "dns.example.net:8443"


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (((":status", "200"), TYPE), Said(MESSAGE)),
        (((":status", "200"), TYPE, ("age", "250")), Said(MESSAGE, 250)),
        (((":status", "200"), TYPE, ("age", "soon")), Said(MESSAGE)),
        (((":status", "200"), ("content-type", "text/html")), None),
        (((":status", "200"),), None),
        (((":status", "500"), TYPE), None),
        (((":status", "302"), ("location", "https://elsewhere.example/")), None),
    ],
)
def test_answers(headers: tuple[tuple[str, str], ...], said: Said | None) -> None:
    far = Far()
    stream = far.asked()
    assert far.answer(stream, *headers) == [(stream, said)]


def test_an_answer_without_end_is_none() -> None:
    far = Far()
    stream = far.asked()
    far.far.send_headers(stream, [(":status", "200"), TYPE])
    for _ in range(10):
        far.far.send_data(stream, bytes(16000))
        assert far.exchange() == []
        far.exchange()
    far.far.end_stream(stream)
    assert far.exchange() == [(stream, None)]


def test_a_stream_that_the_server_resets() -> None:
    far = Far()
    first, second = far.asked(), far.asked()
    far.far.reset_stream(first)
    assert far.exchange() == [(first, None)]
    assert far.answer(second, (":status", "200"), TYPE) == [(second, Said(MESSAGE))]


def test_what_is_not_wanted_any_more_makes_room() -> None:
    far = Far()
    far.far.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 2})
    far.exchange()
    first = far.asked()
    far.asked()
    assert not far.near.room
    far.near.drop(first)
    assert far.near.room
    far.exchange()
    assert [event.stream_id for event in far.events if isinstance(event, StreamReset)] == [first]
    # Its answer was on its way.
    far.near.drop(first)


def test_a_server_that_goes_away() -> None:
    far = Far()
    far.asked()
    far.far.close_connection()
    with pytest.raises(FramingError, match="no more questions"):
        far.exchange()


def test_noise() -> None:
    with pytest.raises(FramingError):
        Requests(SERVER).feed(b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(40))
