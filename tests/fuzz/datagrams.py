# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.fuzz.datagrams --count 10000000`: random datagrams at a real worker over loopback, whose upstream answers
with garbage now and then. It goes on answering, accounts for each of them, and its memory does not grow.
"""

from __future__ import annotations

import argparse
import random
import secrets
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import dns.message

from tests.integration.dns64.scripted import DEADLINE, LOOPBACK, Upstream, addresses, eventually, settings_for, zone
from tests.integration.dns64.test_process import Worker, worker
from v6native.dns64.settings import Limits, Timing

# Sent before the worker is asked something that it must answer: few enough for the buffer of its socket.
BATCH = 128
KNOWN, FRESH = "v4only.example", "fresh{}.example"
# Of all, before memory is looked at for the first time: caches and tables are full by then.
WARM_UP = 0.2
# MiB; what the allocator does between two looks is half of one.
GROWTH = 3.0
# So small that they are full after a few thousand datagrams.
LIMITS = Limits(cache_entries=500, cache_bytes=1 << 19, pending=200, client_per_second=0)
TIMING = Timing(query=0.5, hedge=0.1, parallel_a=0.2, failure=1)
SYNTHESIZED = "2001:db8:64:64::c633:6450"
# Batches from one new name to the next; seconds before a question is asked again.
_NEW, _PATIENCE = 50, 1.0
_RECEIVE_BUFFER = 1 << 20
_NAMES = [
    b"\x06v4only\x07example\0",
    b"\x03www\x07example\0",
    b"\x08ipv4only\x04arpa\0",
    b"\x09resolver\x04arpa\0",
    b"\0",
]
_A = (100_000).to_bytes(4, "big") + b"\0\x04\xc6\x33\x64\x50"
_SOA = b"\x07example\0\0\x06\0\x01\0\0\x01\x2c\0\x16\0\0" + b"\0\0\1\0" * 5
_TYPES = (1, 2, 12, 28, 41, 64, 65, 249, 250, 252, 255)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of a run; memory in MiB: after the warm-up and at the end. `counted`: datagrams that the worker's statistics tell of."""

    sent: int
    counted: int
    before: float
    after: float


def datagrams(rng: random.Random, count: int) -> Iterator[bytes]:
    """Octets without any sense, damaged questions, and questions that make sense but for their names and types."""
    pool = rng.randbytes(1 << 20)
    for _ in range(count):
        kind = rng.random()
        at = rng.randrange(len(pool) - 4096)
        if kind < 0.5:
            yield pool[at : at + (rng.randrange(1, 64) if kind < 0.45 else rng.randrange(1, 4096))]
        elif kind < 0.97:
            # A header that leads further in, and then anything.
            question = bytearray(_question(rng, pool[at : at + 12]))
            for _ in range(rng.randrange(1, 4)):
                question[rng.randrange(2, len(question))] = pool[at + 64 + question[0] % 64]
            yield bytes(question) + (pool[at : at + rng.randrange(40)] if kind < 0.7 else b"")
        else:
            yield _question(rng, pool[at : at + 12])


def _question(rng: random.Random, octets: bytes) -> bytes:
    name = rng.choice(_NAMES) if octets[11] < 128 else b"\x04" + octets[:4] + b"\x07example\0"
    kind = rng.choice(_TYPES).to_bytes(2, "big")
    edns = b"\0\0\x29" + octets[4:8] + b"\0\0\0\0" if octets[10] < 100 else b""
    return octets[:2] + b"\x01\0\0\x01\0\0\0\0\0" + bytes([bool(edns)]) + name + kind + b"\0\x01" + edns


class Liar(Upstream):
    """Tells the truth about the names that must be answered; of the others, half of what it says is damaged."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        super().__init__(zone({}))

    def _answers(self, octets: bytes, tcp: bool) -> list[tuple[float, bytes]]:
        # Without dnspython, which would be the slowest of all here.
        question = octets[12 : octets.index(b"\0", 12) + 5]
        good = question[1:6].lower() in (b"v4onl", b"fresh")
        address = good and question[-4:] == b"\0\1\0\1"
        counts = b"\0\1\0\1\0\0\0\0" if address else b"\0\1\0\0\0\1\0\0"
        record = b"\xc0\x0c" + question[-4:] + _A if address else _SOA
        out = bytearray(octets[:2] + (b"\x81\x80" if good else b"\x81\x83") + counts + question + record)
        for _ in range(0 if good or self._rng.random() < 0.5 else self._rng.randrange(1, 9)):
            out[self._rng.randrange(len(out))] = self._rng.randrange(256)
        return [(0, bytes(out))]


def send(count: int, seed: int, folder: Path, say: Callable[[int], None] = lambda _sent: None) -> Outcome:
    """Sends `count` datagrams in batches; behind each batch a question that must be answered, now and then one that is
    new. AssertionError where it is not."""
    rng = random.Random(seed)
    with ExitStack() as stack:
        upstream = stack.enter_context(Liar(rng))
        settings = replace(settings_for(upstream), limits=LIMITS, timing=TIMING)
        (folder / "dns64.json").write_text(settings.to_json())
        running = stack.enter_context(worker(folder))
        client = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        client.connect((LOOPBACK, settings.listen[0].port))
        client.settimeout(_PATIENCE)
        before, sent, asked = 0.0, 0, 0
        for batch in range(-(-count // BATCH)):
            for datagram in datagrams(rng, min(BATCH, count - sent)):
                client.send(datagram)
                sent += 1
            asked += _answered(client, KNOWN)
            if batch % _NEW == 0 or sent == count:
                asked += _answered(client, FRESH.format(batch))
                say(sent)
            if not before and sent >= count * WARM_UP:
                before = _resident(running)
        after = _resident(running)
        eventually(lambda: running.stats()["pending"] == 0, "all questions have ended")
        document = running.stats()
        assert document["internal_errors"] == 0, running.log.read_text()
        counted = sum(document["answers"].values()) + document["events"]["not-a-query"]
        return Outcome(sent, counted - asked, before, after)


def _answered(client: socket.socket, name: str) -> int:
    """Asks until the answer has come among all the others; how often."""
    query = dns.message.make_query(name, "AAAA")
    wire = query.to_wire()
    for tries in range(1, int(DEADLINE / _PATIENCE)):
        client.send(wire)
        with suppress(TimeoutError):
            while True:
                out = client.recv(4096)
                if out[:2] == wire[:2] and out[12 : len(wire)] == wire[12:]:
                    found = addresses(dns.message.from_wire(out))
                    assert found == [SYNTHESIZED], f"{name}: {found}"
                    return tries
    raise AssertionError(f"no answer to {name}")


def _resident(running: Worker) -> float:
    """MiB."""
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.datagrams", description="random datagrams at a DNS64")
    parser.add_argument("--count", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    options = parser.parse_args()
    print(f"{options.count:,} random datagrams, seed {options.seed} ", end="", flush=True)
    tenths = iter(range(options.count // 20, options.count + 1, max(1, options.count // 20)))
    due = next(tenths)

    def say(sent: int) -> None:
        nonlocal due
        if sent >= due:
            due = next(tenths, options.count + 1)
            print(".", end="", flush=True)

    with tempfile.TemporaryDirectory(prefix="v6native-fuzz-") as folder:
        outcome = send(options.count, options.seed, Path(folder), say)
    print(f" done: {outcome.before:.1f} MiB after the warm-up, {outcome.after:.1f} MiB at the end")
    if outcome.counted != outcome.sent or outcome.after > outcome.before + GROWTH:
        print(f"the worker lost datagrams or grew: {outcome}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
