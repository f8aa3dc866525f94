# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""The log against the data plane: what differs, and what of it is certain."""

from __future__ import annotations

from tests.unit.log.events import block
from v6native.dataplane.log_events import Holding
from v6native.log.compare import Differences, differences
from v6native.log.store import key_of


def held(number: int, began: float = 1.0) -> Holding:
    return block(number, began=began).holding


A, B, C = held(0), held(1), held(2)


def test_nothing_differs() -> None:
    assert not differences({key_of(A): A.began_ns}, [A])


def test_what_is_gone_what_is_found_and_what_is_another_one() -> None:
    again = held(2, began=9)
    found = differences({key_of(A): A.began_ns, key_of(C): C.began_ns}, [B, again])
    assert found == Differences({key_of(A): A.began_ns, key_of(C): C.began_ns}, {key_of(B): B, key_of(again): again})


def test_certain_is_what_is_seen_twice() -> None:
    first = differences({key_of(A): A.began_ns}, [B])
    assert first.confirmed(first, ()) == first
    assert not first.confirmed(differences({}, []), ())
    assert not first.confirmed(differences({key_of(A): 2}, [held(1, began=7)]), ())


def test_what_was_told_of_meanwhile_is_not_certain() -> None:
    first = differences({key_of(A): A.began_ns, key_of(C): C.began_ns}, [B])
    sure = first.confirmed(first, [key_of(A), key_of(B)])
    assert sure == Differences({key_of(C): C.began_ns}, {})
