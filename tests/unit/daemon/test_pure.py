# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Back-off, the reconciler's clock, the lock, the confirmation's file, and the kernel's bell."""

from __future__ import annotations

import contextlib
import os
import struct
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v6native.daemon import confirm
from v6native.daemon.backoff import Backoff
from v6native.daemon.lock import daemon_pid, only_daemon
from v6native.daemon.reconcile import Reconciler
from v6native.daemon.watch import matters, messages, wants_packets
from v6native.errors import EnvironmentRefused, V6nativeError

OURS = 164


@given(st.integers(0, 10_000))
def test_backoff_never_passes_its_ceiling(failures: int) -> None:
    assert 0 <= Backoff(failures=failures).delay <= 30.0


def test_a_single_change_is_looked_at_soon() -> None:
    now = Reconciler(last_look=100.0).changed(105.0)
    assert now.due(105.0) == pytest.approx(0.2)


def test_a_burst_is_looked_at_once_and_not_put_off_for_ever() -> None:
    reconciler = Reconciler(last_look=100.0)
    for tick in range(100):
        reconciler = reconciler.changed(105.0 + tick / 10)
    assert reconciler.due(106.0) <= 0


def test_without_a_bell_it_looks_anyway() -> None:
    assert Reconciler(last_look=100.0).due(129.0) == pytest.approx(1.0)


def test_a_change_during_a_look_asks_for_another() -> None:
    """The look may have read before it came."""
    reconciler = Reconciler(last_look=100.0).changed(105.0).looking().changed(105.3).looked(105.5, repaired=True)
    assert reconciler.due(105.5) == pytest.approx(2.0)
    assert reconciler.looking().looked(107.5, repaired=False).due(107.5) == pytest.approx(30.0)


def test_endless_changes_are_looked_at_now_and_then() -> None:
    reconciler, looks = Reconciler(last_look=0.0), 0
    for tick in range(600):
        reconciler = reconciler.changed(tick / 10)
        if reconciler.due(tick / 10) <= 0:
            reconciler, looks = reconciler.looking().looked(tick / 10, repaired=False), looks + 1
    assert 20 <= looks <= 31


def test_two_that_undo_each_other_do_not_spin() -> None:
    reconciler, now, looks = Reconciler(last_look=0.0), 0.0, 0
    while now < 600.0:
        reconciler = reconciler.changed(now)
        now += max(reconciler.due(now), 0.0)
        reconciler, looks = reconciler.looking().looked(now, repaired=True), looks + 1
    assert looks < 40


def test_peace_resets_the_pace() -> None:
    reconciler = Reconciler(last_look=0.0)
    for now in (1.0, 2.0, 3.0, 4.0):
        reconciler = reconciler.changed(now).looking().looked(now, repaired=True)
    reconciler = reconciler.looking().looked(60.0, repaired=False).changed(63.0)
    assert reconciler.due(63.0) == pytest.approx(0.2)


def test_only_one_daemon(tmp_path: Path) -> None:
    with only_daemon(tmp_path):
        with pytest.raises(EnvironmentRefused, match=str(os.getpid())), only_daemon(tmp_path):
            pass
        assert daemon_pid(tmp_path) == os.getpid()
    assert daemon_pid(tmp_path) is None


def test_the_lock_goes_with_everything_else(tmp_path: Path) -> None:
    """`down` leaves nothing; SIGTERM leaves the workers and what they wrote, and the file with them."""
    with only_daemon(tmp_path):
        (tmp_path / "dns64.pid").touch()
    assert (tmp_path / "daemon.lock").exists()
    (tmp_path / "dns64.pid").unlink()
    with only_daemon(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_is_removed_while_one_waits_for_it_is_not_taken(tmp_path: Path) -> None:
    """Many at once, each of which removes the file: never two in the room."""
    inside, worst = 0, 0
    room = threading.Lock()

    def enter() -> None:
        nonlocal inside, worst
        for _ in range(200):
            with contextlib.suppress(EnvironmentRefused), only_daemon(tmp_path):
                with room:
                    inside += 1
                    worst = max(worst, inside)
                with room:
                    inside -= 1

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert worst == 1


def test_asking_for_the_daemon_does_not_take_its_lock(tmp_path: Path) -> None:
    (tmp_path / "daemon.lock").write_text("1\n")
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            daemon_pid(tmp_path)

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        for _ in range(300):
            with only_daemon(tmp_path):
                pass
    finally:
        stop.set()
        asker.join()


def contend(run: Path, won: list[str], by: str) -> None:
    if confirm.confirm(run) if by == "operator" else confirm.claim_undo(run):
        won.append(by)


def test_a_confirmation_wins_over_the_deadline_or_loses_but_never_both(tmp_path: Path) -> None:
    for _ in range(50):
        confirm.begin(tmp_path, confirm.Pending(0.0, None))
        won: list[str] = []
        threads = [threading.Thread(target=contend, args=(tmp_path, won, by)) for by in ("operator", "deadline")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        if won == ["deadline"]:
            confirm.undone(tmp_path, None)


def test_a_second_change_waits_for_the_first(tmp_path: Path) -> None:
    confirm.begin(tmp_path, confirm.Pending(1e9, None))
    with pytest.raises(V6nativeError, match="still waits"):
        confirm.begin(tmp_path, confirm.Pending(1e9, None))


def test_what_became_of_an_undo_is_told(tmp_path: Path) -> None:
    assert confirm.last_undo(tmp_path) is None
    confirm.begin(tmp_path, confirm.Pending(0.0, None))
    confirm.claim_undo(tmp_path)
    confirm.undone(tmp_path, "no more memory")
    assert confirm.last_undo(tmp_path) == "the undo failed: no more memory"


def route(protocol: int, length: int) -> bytes:
    return struct.pack("=BBBBBBBBI", 10, length, 0, 0, 254, protocol, 0, 1, 0)


@pytest.mark.parametrize(
    ("kind", "body", "concerned"),
    [
        (24, route(OURS, 96), True),
        (25, route(OURS, 32), True),
        (24, route(186, 48), False),  # BGP's
        (24, route(186, 0), True),  # a default route decides the own IPv4 and the MTUs
        (28, struct.pack("=BBHiHBB", 10, 0, 0, 3, 0x02, 0, 0), False),  # a learned neighbour
        (29, struct.pack("=BBHiHBB", 10, 0, 0, 3, 0x80, 0, 0), True),  # a permanent one
        (29, struct.pack("=BBHiHBB", 10, 0, 0, 3, 0, 0x08, 0), True),  # a proxy
        (20, b"", True),  # an address
        (17, b"", True),  # a link
        (33, b"", True),  # a rule
        (10 << 8 | 2, b"", True),  # an nft table is gone
        (10 << 8 | 12, b"", False),  # an element of an nft set is new
    ],
)
def test_which_messages_ring_the_bell(kind: int, body: bytes, concerned: bool) -> None:
    assert matters(kind, body, OURS) is concerned


@pytest.mark.parametrize(
    ("kind", "wants"),
    [
        (10 << 8 | 0, True),  # an nft table is new
        (10 << 8 | 3, True),  # a chain
        (10 << 8 | 6, True),  # a rule
        (10 << 8 | 8, True),  # a rule is gone
        (10 << 8 | 12, False),  # an element of a set
        (32, True),  # a policy rule
        (36, True),  # a queueing discipline
        (44, True),  # a tc filter
        (45, True),
        (16, False),  # a link
        (24, False),  # a route
    ],
)
def test_which_messages_tell_of_what_may_want_packets(kind: int, wants: bool) -> None:
    assert wants_packets(kind) is wants


def test_messages_are_padded_to_four_bytes() -> None:
    """NLMSG_ALIGN of linux/netlink.h."""
    data = b"".join(
        struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body + b"\0" * (-len(body) % 4)
        for kind, body in ((24, b"12345"), (25, b"1234"), (16, b""))
    )
    assert list(messages(data)) == [(24, b"12345"), (25, b"1234"), (16, b"")]


@given(st.binary(max_size=200))
def test_broken_netlink_messages_end_the_reading(data: bytes) -> None:
    for kind, body in messages(data):
        matters(kind, body, OURS)
