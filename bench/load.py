# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""Asks a DNS server on ::1, in a process of its own: as fast as it answers, or at a rate, and then how quickly.

    python -m bench.load < job     a Job as JSON; the Outcome as JSON

A bounded number of questions is under way: as soon as some are answered, others are asked. So a server is never idle, and
none is drowned in what it has no time for.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.datagrams import BATCH, Batches
from bench.generator import BenchFailed
from bench.questions import V4ONLY, Stock, fresh, mixed, stock

ADDRESS = "::1"
UNDER_WAY = 192
"""Below what fits into the socket of a server that leaves its size to the kernel: 212,992 octets, 768 a small datagram."""
_PATIENCE = 0.5
# Of the slots of answers that never came: far more than any server here takes.
_FORGOTTEN = 2.0


@dataclass(frozen=True, slots=True)
class Job:
    """`names`: how many different questions, asked in turn, or with `count` each one once; 0: `count` names of `domain`, from
    number `begin` on. `rate`: a second, 0: as many as are answered. `spin`: never sleeps, for nobody else needs the core.
    `watched`: the CPU of the server."""

    port: int
    seconds: float
    names: int = 0
    begin: int = 0
    count: int = 0
    domain: str = V4ONLY
    rate: int = 0
    spin: bool = True
    watched: int = 0
    under_way: int = UNDER_WAY


@dataclass(frozen=True, slots=True)
class Outcome:
    """`lost`: questions without an answer; `wrong`: answers that say something else than addresses. `microseconds`: by per mille,
    of a load with a rate. `busy`: the part of the time that this process had a CPU; `server`: that the server's was not idle."""

    answered: int
    wrong: int
    lost: int
    seconds: float
    busy: float
    server: float
    microseconds: dict[int, float] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds


class Watch:
    """From its creation on: what part of the time a CPU was in use, and this process had one."""

    def __init__(self, cpu: int) -> None:
        self._cpu = cpu
        self._begin, self._own, self._jiffies = time.perf_counter(), time.process_time(), _jiffies(cpu)

    def read(self) -> tuple[float, float, float]:
        """Seconds, this process' part of them, and the CPU's."""
        seconds = time.perf_counter() - self._begin
        total, idle = (later - before for later, before in zip(_jiffies(self._cpu), self._jiffies, strict=True))
        return seconds, (time.process_time() - self._own) / seconds, 1 - idle / max(1, total)


def _jiffies(cpu: int) -> tuple[int, int]:
    line = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith(f"cpu{cpu} "))
    fields = [int(word) for word in line.split()[1:]]
    return sum(fields), fields[3] + fields[4]


def saturate(job: Job, questions: Stock) -> Outcome:
    """Ends when the time is over or, where each is asked once, the questions are."""
    batches = Batches(ADDRESS, job.port, questions.size, 0 if job.spin else _PATIENCE)
    octets, step = questions.octets, BATCH * questions.size
    room = job.under_way - BATCH
    under_way = answered = lost = at = 0
    watch = Watch(job.watched)
    last = now = time.perf_counter()
    end = now + job.seconds
    while now < end:
        while under_way <= room and at < len(octets):
            under_way += batches.send(octets[at : at + step])
            at += step
            if at >= len(octets) and not job.count:
                at = 0
        came = batches.receive()
        now = time.perf_counter()
        if came:
            last = now
            answered += came
            under_way = max(0, under_way - came)
            if not under_way and at >= len(octets):
                break
        elif now - last > _PATIENCE:
            # A server may be late, but what it has dropped never comes.
            lost, under_way, last = lost + under_way, 0, now
    outcome = Outcome(answered, batches.wrong, lost, *watch.read())
    batches.close()
    return outcome


def paced(job: Job, questions: Stock) -> Outcome:
    """One question after the other at its time; each answer's time is noted as soon as it is there."""
    batches = Batches(ADDRESS, job.port, questions.size, 0)
    sock, clock = batches.socket, time.perf_counter
    size, view, count = questions.size, memoryview(questions.octets), len(questions)
    sock.setblocking(False)
    sent_at = [0.0] * 65536
    took: list[float] = []
    arrived = bytearray(512)
    number = wrong = 0
    step = 1 / job.rate
    total = int(job.seconds * job.rate)
    watch = Watch(job.watched)
    last = due = clock()
    while number < total or (len(took) < total and last - due < _FORGOTTEN):
        last = clock()
        if number < total and last >= due:
            place = number % count * size
            sent_at[int.from_bytes(view[place : place + 2], "big")] = clock()
            sock.send(view[place : place + size])
            number += 1
            due += step
        try:
            sock.recv_into(arrived)
        except BlockingIOError:
            continue
        took.append(clock() - sent_at[arrived[0] << 8 | arrived[1]])
        wrong += arrived[3] != 0x80 or not arrived[7]
    measured = watch.read()
    took.sort()
    permille = {p: took[min(len(took) - 1, len(took) * p // 1000)] * 1e6 for p in (500, 900, 990, 999)} if took else {}
    batches.close()
    return Outcome(len(took), wrong, total - len(took), *measured, permille)


def run(job: Job, cpu: int | None) -> Outcome:
    """In a process on that CPU. BenchFailed where answers were wrong, or many did not come."""
    words = [sys.executable, "-m", "bench.load"]
    pinned = words if cpu is None else ["taskset", "--cpu-list", str(cpu), *words]
    done = subprocess.run(
        pinned, input=json.dumps(asdict(job)), capture_output=True, text=True, timeout=job.seconds + 120
    )
    if done.returncode:
        raise BenchFailed(done.stderr.strip()[-500:])
    told: dict[str, Any] = json.loads(done.stdout)
    told["microseconds"] = {int(permille): value for permille, value in told["microseconds"].items()}
    outcome = Outcome(**told)
    if outcome.wrong or not outcome.answered or outcome.lost > max(job.under_way, outcome.answered // 100):
        raise BenchFailed(f"port {job.port}: {outcome}")
    return outcome


def main() -> None:
    job = Job(**json.load(sys.stdin))
    questions = stock(mixed(job.names) if job.names else fresh(job.begin, job.count, job.domain))
    # The collector would look at what never changes.
    gc.disable()
    json.dump(asdict((paced if job.rate else saturate)(job, questions)), sys.stdout)


if __name__ == "__main__":
    main()
