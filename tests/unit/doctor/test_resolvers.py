# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The upstream resolvers are really asked, over loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest

from v6native.config.modeldns import (
    Upstream,
)
from v6native.doctor.resolvers import ask


@pytest.fixture
def server() -> Iterator[tuple[int, list[int]]]:
    """A resolver that answers with the codes in the list, one after the other; -1: with a wrong id."""
    codes: list[int] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                query, client = sock.recvfrom(512)
                if query == b"end":
                    return
                code = codes.pop(0)
                number = query[:2] if code >= 0 else bytes([query[0] ^ 1, query[1]])
                sock.sendto(number + bytes([0x81, 0x80 | max(code, 0)]) + query[4:], client)

        thread = threading.Thread(target=serve)
        thread.start()
        yield sock.getsockname()[1], codes
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"end", sock.getsockname())
        thread.join()


def local(port: int) -> Upstream:
    return Upstream(IPv4Address("127.0.0.1"), port)


def test_answers(server: tuple[int, list[int]]) -> None:
    port, codes = server
    codes += [0, 5]
    assert ask([local(port)])[0].error is None
    assert ask([local(port)])[0].error == "REFUSED"


def test_somebody_elses_answer_is_none(server: tuple[int, list[int]]) -> None:
    port, codes = server
    codes.append(-1)
    assert ask([local(port)], seconds=0.3)[0].error is not None


def test_nobody_listens_is_told_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    assert ask([local(port)])[0].error == "Connection refused"


def test_they_are_asked_at_the_same_time(server: tuple[int, list[int]]) -> None:
    port, codes = server
    codes.append(0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        answers = ask([local(silent.getsockname()[1]), local(port)], seconds=0.5)
    assert [answer.error is None for answer in answers] == [False, True]
