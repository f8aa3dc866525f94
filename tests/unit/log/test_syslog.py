# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Syslog messages, octet by octet (RFC 5424, RFC 6587)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.log.notices import created, deleted, given_back, taken
from v6native.log.notice import Notice
from v6native.log.syslog import counted, message

HEAD = "<134>1 2026-11-20T18:04:05.250Z edge1 v6native 77"


@pytest.mark.parametrize(
    ("notice", "text"),
    [
        (
            taken(),
            'BLOCK-TAKEN [holding@32473 client="2001:db8:64:a::2/128" name="laptop" address="192.0.2.1" first="1024" '
            'last="1087" proto="all" since="2026-11-20T18:04:05.250Z"] 192.0.2.1:1024-1087 given to 2001:db8:64:a::2/128',
        ),
        (
            given_back(),
            'BLOCK-GIVEN-BACK [holding@32473 client="2001:db8:64:1::/64" address="192.0.2.1" first="1024" last="1087" '
            'proto="all" since="2026-11-20T18:03:35.250Z"] 192.0.2.1:1024-1087 given back by 2001:db8:64:1::/64',
        ),
        (
            created(),
            'BIB-CREATED [holding@32473 client="2001:db8:64:a::2/128" name="laptop" address="192.0.2.1" first="40000" '
            'last="40000" proto="udp" clientPort="4000" since="2026-11-20T18:04:05.250Z"] '
            "192.0.2.1:40000/udp given to 2001:db8:64:a::2/128",
        ),
        (
            deleted(),
            'BIB-DELETED [holding@32473 client="2001:db8:64:1::5/128" address="192.0.2.1" first="7" last="7" '
            'proto="icmp" clientPort="9" since="2026-11-20T18:03:35.250Z"] '
            "192.0.2.1:7/icmp given back by 2001:db8:64:1::5/128",
        ),
    ],
    ids=["taken", "given back", "created", "deleted"],
)
def test_messages(notice: Notice, text: str) -> None:
    assert message(notice, "edge1", 77).decode() == f"{HEAD} {text}"


def test_values_are_escaped() -> None:
    text = message(replace(taken(), name='a"b]c\\d'), "edge1", 77).decode()
    assert r'name="a\"b\]c\\d"' in text


def test_counted() -> None:
    assert counted(b"hello") == b"5 hello"


def test_a_message_fits_into_any_datagram() -> None:
    """RFC 5426 §3.2: 1180 octets over IPv6."""
    assert len(message(replace(created(), name="x" * 63), "n" * 63, 4194304)) < 1180
