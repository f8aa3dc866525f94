# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""One case of the fuzz target as octets: which view, the client's datagram, and what upstream says to AAAA and to A.

Of an answer only the flags, the counts and what follows the question are in the case. The question is put in when it is
read, so that what a mutation makes of the datagram is still answered: else nearly every case would end at the first check.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

_HEAD = Struct("!BHH")
_ANSWER = Struct("!H3B")
_HEADER = Struct("!6H")
HEADER = _HEADER.size


class Case(NamedTuple):
    """`choice`: of view and moment. `aaaa`, `a`: flags, three counts of one octet, octets behind the question."""

    choice: int
    query: bytes
    aaaa: bytes
    a: bytes

    def packed(self) -> bytes:
        return _HEAD.pack(self.choice, len(self.query), len(self.aaaa)) + self.query + self.aaaa + self.a


def unpacked(octets: bytes) -> Case:
    """Any octets are a case; parts that are not there are empty."""
    choice, query, aaaa = _HEAD.unpack(octets[: _HEAD.size].ljust(_HEAD.size, b"\0"))
    rest = octets[_HEAD.size :]
    return Case(choice, rest[:query], rest[query : query + aaaa], rest[query + aaaa :])


def told(message: bytes) -> bytes:
    """A whole answer with one question, as it lies in a case."""
    _, flags, _, *counts = _HEADER.unpack_from(message)
    behind = message.index(b"\0", HEADER) + 5
    return _ANSWER.pack(flags, *counts) + message[behind:]


def message(part: bytes, question: bytes) -> bytes:
    """The answer to `question` that lies in a case."""
    flags, *counts = _ANSWER.unpack(part[: _ANSWER.size].ljust(_ANSWER.size, b"\0"))
    return _HEADER.pack(0, flags, 1, *counts) + question + part[_ANSWER.size :]
