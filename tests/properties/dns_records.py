# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Names, records and questions for the properties of the DNS64's codec: of every type in which it reads names, and of others."""

from __future__ import annotations

from hypothesis import strategies as st

from v6native.dns64 import wire
from v6native.dns64.wire import Record

LABELS = st.binary(min_size=1, max_size=63) | st.sampled_from([b"www", b"example", b"a", b"x" * 63])


def _name(labels: list[bytes]) -> bytes:
    out = b""
    for label in labels:
        if len(out) + len(label) + 2 <= wire.MAX_NAME:
            out += bytes([len(label)]) + label
    return out + b"\0"


NAMES = st.lists(LABELS, max_size=6).map(_name)
TTLS = st.integers(0, 2**31 - 1)
SECTIONS = st.integers(0, 2)


def _records(kind: int, rdata: st.SearchStrategy[bytes]) -> st.SearchStrategy[Record]:
    return st.builds(Record, NAMES, st.just(kind), st.just(wire.IN), TTLS, rdata)


def _octets(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


def _texts(texts: list[bytes]) -> bytes:
    return b"".join(bytes([len(text)]) + text for text in texts)


RECORDS = st.one_of(
    _records(wire.A, _octets(4)),
    _records(wire.AAAA, _octets(16)),
    _records(wire.CNAME, NAMES),
    _records(wire.NS, NAMES),
    _records(wire.PTR, NAMES),
    _records(wire.DNAME, NAMES),
    _records(wire.SOA, st.builds(lambda a, b, c: a + b + c, NAMES, NAMES, _octets(20))),
    _records(15, st.builds(lambda a, b: a + b, _octets(2), NAMES)),
    _records(33, st.builds(lambda a, b: a + b, _octets(6), NAMES)),
    # RP: two names. AFSDB, RT, KX: a number and a name. PX: a number and two.
    _records(17, st.builds(lambda a, b: a + b, NAMES, NAMES)),
    *(_records(kind, st.builds(lambda a, b: a + b, _octets(2), NAMES)) for kind in (18, 21, 36)),
    _records(26, st.builds(lambda a, b, c: a + b + c, _octets(2), NAMES, NAMES)),
    # TXT, DS, and HTTPS without parameters, whose target is not compressed (RFC 9460 §2.2).
    _records(16, st.lists(st.binary(max_size=255), min_size=1, max_size=3).map(_texts)),
    _records(wire.DS, st.builds(lambda a, b: a + b"\x0d\x02" + b, _octets(2), _octets(32))),
    _records(wire.HTTPS, st.builds(lambda a, b: a + b, st.just(b"\0\0"), NAMES)),
    # A type that nobody knows (RFC 3597).
    _records(65280, st.binary(max_size=100)),
)
QUESTIONS = st.builds(lambda name, kind: name + kind + b"\x00\x01", NAMES, st.sampled_from([b"\x00\x01", b"\x00\x1c"]))
# MD, MF, MB, MG, MR and MINFO, which are compressed as all of RFC 1035, and which dnspython does not read.
OLD_RECORDS = st.one_of(
    *(_records(kind, NAMES) for kind in (3, 4, 7, 8, 9)), _records(14, st.builds(lambda a, b: a + b, NAMES, NAMES))
)
