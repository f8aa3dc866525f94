# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""DNS questions of equal length, one behind the other: what a load sends, made before its clock runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from struct import Struct

_HEADER = Struct("!6H")
# EDNS, as resolvers of today's systems send it: 1232 octets, no flags.
_OPT = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"
_RD = 0x0100
A, AAAA = 1, 28
V4ONLY, DUAL64 = "v4only", "dual64"
"""Names below these have an A record only, or both. As long as each other."""
ZONE = "bench"


@dataclass(frozen=True, slots=True)
class Question:
    """`number` makes its name one of its own."""

    number: int
    domain: str = V4ONLY
    kind: int = AAAA


@dataclass(frozen=True, slots=True)
class Stock:
    """`octets`: one question every `size`."""

    octets: bytes
    size: int

    def __len__(self) -> int:
        return len(self.octets) // self.size


def stock(questions: Iterable[Question]) -> Stock:
    """Their ids count up from 0, and begin again."""
    made = [octets(question, number & 0xFFFF) for number, question in enumerate(questions)]
    (size,) = {len(each) for each in made}
    return Stock(b"".join(made), size)


def octets(question: Question, identifier: int) -> bytes:
    labels = (f"n{question.number:08}", question.domain, ZONE)
    name = b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"
    asked = name + question.kind.to_bytes(2, "big") + b"\0\1"
    return _HEADER.pack(identifier, _RD, 1, 0, 0, 1) + asked + _OPT


def mixed(count: int) -> Iterable[Question]:
    """Of four questions two want addresses made, one has real ones, and one wants an A record."""
    for number in range(count):
        turn = number % 4
        yield Question(number, DUAL64 if turn == 2 else V4ONLY, A if turn == 3 else AAAA)


def fresh(begin: int, count: int, domain: str) -> Iterable[Question]:
    """AAAA of names that nobody asked for before."""
    return (Question(number, domain) for number in range(begin, begin + count))
