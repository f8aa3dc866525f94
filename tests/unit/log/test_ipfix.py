# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""IPFIX messages, taken apart by their own templates (RFC 7011 §3)."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

from tests.unit.log.notices import AT, created, deleted, given_back, taken
from v6native.log.ipfix import MOST_BYTES, Exporter

Template = list[tuple[int, int]]


def sets(message: bytes) -> list[tuple[int, bytes]]:
    version, length, _time, _sequence, domain = struct.unpack_from("!HHIII", message)
    assert (version, length, domain) == (10, len(message), 1)
    at, found = 16, []
    while at < len(message):
        number, size = struct.unpack_from("!HH", message, at)
        found.append((number, message[at + 4 : at + size]))
        at += size
    return found


def templates(message: bytes) -> dict[int, Template]:
    ((number, body),) = sets(message)
    assert number == 2
    found: dict[int, Template] = {}
    at = 0
    while at < len(body):
        template, count = struct.unpack_from("!HH", body, at)
        fields = [struct.unpack_from("!HH", body, at + 4 + 4 * n) for n in range(count)]
        found[template] = [(int(number), int(length)) for number, length in fields]
        at += 4 + 4 * count
    return found


def records(message: bytes, known: dict[int, Template]) -> list[dict[int, bytes]]:
    found = []
    for number, body in sets(message):
        while body:
            record = {}
            for element, length in known[number]:
                record[element], body = body[:length], body[length:]
            found.append(record)
    return found


def number(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def sequence(message: bytes) -> int:
    return number(message[8:12])


def test_a_block() -> None:
    exporter = Exporter()
    known = templates(exporter.templates(AT // 1000))
    ((message, count),) = exporter.messages([taken(), given_back(1)], AT // 1000)
    assert (count, number(message[4:8])) == (2, AT // 1000)
    first, second = records(message, known)
    assert number(first[323]) == AT
    assert (number(first[230]), number(second[230])) == (16, 17)
    assert (IPv6Address(first[27]), number(first[29])) == (IPv6Address("2001:db8:64:a::2"), 128)
    assert (IPv6Address(second[27]), number(second[29])) == (IPv6Address("2001:db8:64:1::"), 64)
    assert IPv4Address(first[225]) == IPv4Address("192.0.2.1")
    assert (number(first[361]), number(first[362])) == (1024, 1087)
    assert (number(second[361]), number(second[362])) == (1088, 1151)


def test_a_binding() -> None:
    exporter = Exporter()
    known = templates(exporter.templates(0))
    ((message, _count),) = exporter.messages([created(), deleted()], 0)
    first, second = records(message, known)
    assert (number(first[230]), number(second[230])) == (10, 11)
    assert (number(first[4]), number(second[4])) == (17, 58)
    assert (number(first[7]), number(first[227]), number(second[7]), number(second[227])) == (4000, 40000, 9, 7)


def test_kinds_are_in_order_and_messages_of_a_size() -> None:
    exporter = Exporter()
    known = templates(exporter.templates(0))
    told = [*(taken(n) for n in range(100)), created(), taken(100)]
    messages = exporter.messages(told, 0)
    assert all(len(message) <= MOST_BYTES for message, _count in messages)
    assert [count for _message, count in messages] == [35, 35, 30, 1, 1]
    found = [record for message, _count in messages for record in records(message, known)]
    assert [number(record[361]) for record in found if 361 in record] == [n.first for n in told if n.is_block]
    assert 227 in found[100]


def test_the_sequence_counts_records_not_templates() -> None:
    exporter = Exporter()
    assert sequence(exporter.templates(0)) == 0
    messages = exporter.messages([taken(n) for n in range(40)], 0)
    assert [sequence(message) for message, _count in messages] == [0, 35]
    assert sequence(exporter.templates(0)) == 40
