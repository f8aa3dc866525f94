# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Reloads beside packets, which race each other too: afterwards every slot is in use once or free once, and all agrees."""

from __future__ import annotations

import random
import threading
import time

from tests.packets.books import audit
from tests.packets.harness import PHONE, POOL
from tests.system.dataplane.conftest import Open
from tests.system.dataplane.flows import CONFIG, nat64, udp4, udp6
from v6native.config.model import Proto, Timeouts
from v6native.dataplane.kernel import KernelDataPlane
from v6native.desired.dataplane import StaticEntry

SHORT = Timeouts(udp=1)
# Hosts that talk all the time, half of them at ports that flows may have.
STATIC = [StaticEntry(Proto.UDP, POOL, (53 if n % 2 else 40000) + n, PHONE, 5000 + n) for n in range(10)]
SECONDS, ENOUGH, SENDERS = 4.0, 100, 2


class Traffic(threading.Thread):
    """Random datagrams in both directions until told to stop; the library lets go of Python's lock in each call."""

    def __init__(self, plane: KernelDataPlane, rng: random.Random) -> None:
        super().__init__()
        self.program = plane.generation().programs["nat64"]
        self.rng = rng
        self.stop = threading.Event()
        self.sent = 0

    def run(self) -> None:
        from6, from4 = bytes.fromhex("02640000000102640000006486dd"), bytes.fromhex("0264000000010264000000640800")
        while not self.stop.is_set():
            self.program.run(
                from6 + udp6(self.rng.choice((self.rng.randrange(5000, 5400), self.rng.randrange(5000, 5016))))
            )
            self.program.run(from4 + udp4(self.rng.choice([*range(40000, 40400), *range(53, 63)])))
            self.sent += 2


def test_every_slot_is_somewhere_once(open_plane: Open, rng: random.Random) -> None:
    plane = open_plane()
    pool = [(POOL, 40000, 40399)]
    allowed = nat64(pool=pool, timeout=SHORT, static=STATIC)
    plane.configure(allowed)
    senders = [Traffic(plane, random.Random(rng.random())) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    try:
        ended, end = 0, time.monotonic() + SECONDS
        # A busy machine needs longer for as many.
        while (now := time.monotonic()) < end or (ended <= ENOUGH and now < end + 20):
            ended += plane.end_sessions(lambda entry: rng.random() < 0.3)
            plane.configure(nat64(pool=pool, timeout=SHORT, static=rng.sample(STATIC, 5)))
            plane.configure(nat64(pool=pool, timeout=SHORT, sources=[]))
            plane.configure(allowed)
    finally:
        for sender in senders:
            sender.stop.set()
            sender.join(10)
    assert all(sender.sent > 1000 for sender in senders) and ended > ENOUGH
    plane.configure(CONFIG)
    plane.end_sessions(lambda entry: True)
    deadline = time.monotonic() + 15
    while (plane.totals().sessions or plane.totals().bib) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert plane.totals().sessions == plane.totals().bib == 0
    assert audit(plane.generation()) == []
